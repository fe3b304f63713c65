#include "config/loading/interpolation.hpp"

#include "config/loading/secrets.hpp"

namespace slipway::config {
namespace {

constexpr int kMaximumNesting = 16;
/// Values may be long, but not so long that a nest of defaults fills the memory.
constexpr std::size_t kMaximumLength = 4U << 20U;

bool starts_name(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_'; }
bool continues_name(char byte) { return starts_name(byte) || (byte >= '0' && byte <= '9'); }

class Interpolator {
 public:
  Interpolator(std::string_view text, const StringMap& variables) : text_(text), variables_(variables) {}

  tl::expected<Interpolated, InterpolationProblem> run() {
    if (!until_end(&result_.text, 0)) return tl::unexpected(std::move(problem_));
    return std::move(result_);
  }

 private:
  bool fail(std::size_t offset, std::string message) {
    problem_ = {offset, std::move(message)};
    return false;
  }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  /// Copies text up to the end, or (nested) up to the closing brace. `out` is null where the text is not used.
  bool until_end(std::string* out, int depth) {
    while (at_ < text_.size() && !(depth > 0 && text_[at_] == '}')) {
      if (peek() == '$' && peek(1) == '{') {
        if (!variable(out, depth)) return false;
        continue;
      }
      if (peek() == '$' && peek(1) == '$') ++at_;
      if (out != nullptr) out->push_back(text_[at_]);
      ++at_;
      if (out != nullptr && out->size() > kMaximumLength) return fail(0, "the text is too long once interpolated");
    }
    return true;
  }

  bool variable(std::string* out, int depth) {
    const std::size_t start = at_;
    if (depth >= kMaximumNesting) return fail(start, "variables are nested deeper than 16 levels");
    at_ += 2;
    const std::size_t name_start = at_;
    if (starts_name(peek()))
      while (continues_name(peek())) ++at_;
    const std::string name(text_.substr(name_start, at_ - name_start));
    if (name.empty()) return fail(start, "expected a variable's name after '${'; write $${ for a literal ${");
    const bool colon = peek() == ':';
    if (colon) ++at_;
    const char operation = peek();
    if (operation == '}' && !colon) return ++at_, replace(out, name, find(name, false));
    if (operation != '-' && operation != '?' && operation != '+')
      return at_ >= text_.size() ? fail(start, "'${" + name + "' is not closed: add '}'")
                                 : fail(start, "after '${" + name + "' expected '}', ':-', ':?' or ':+'");
    ++at_;
    return word(out, {start, name, operation, find(name, colon)}, depth);
  }

  struct Use {
    std::size_t start;
    std::string name;
    char operation;
    const std::string* value;  ///< null: unset (or empty, with a colon)
  };
  bool word(std::string* out, const Use& use, int depth) {
    const bool wanted = use.operation == '+' ? use.value != nullptr : use.value == nullptr;
    std::string text;
    if (!until_end(wanted ? &text : nullptr, depth + 1)) return false;
    if (at_ >= text_.size()) return fail(use.start, "'${" + use.name + "' is not closed: add '}'");
    ++at_;
    if (out != nullptr && use.operation == '?' && use.value == nullptr)
      return fail(use.start, "the variable " + use.name + " is required" + (text.empty() ? "" : ": " + text));
    if (use.operation != '+' && use.value != nullptr) return replace(out, use.name, use.value);
    result_.used_variable = true;
    if (out != nullptr) *out += text;
    return true;
  }

  [[nodiscard]] const std::string* find(const std::string& name, bool empty_is_unset) const {
    const auto found = variables_.find(name);
    if (found == variables_.end() || (empty_is_unset && found->second.empty())) return nullptr;
    return &found->second;
  }
  bool replace(std::string* out, const std::string& name, const std::string* value) {
    if (out == nullptr) return true;
    result_.used_variable = true;
    if (looks_secret(name)) result_.used_secret = true;
    if (value != nullptr) *out += *value;
    return true;
  }

  std::string_view text_;
  const StringMap& variables_;
  std::size_t at_ = 0;
  Interpolated result_;
  InterpolationProblem problem_;
};

}  // namespace

tl::expected<Interpolated, InterpolationProblem> interpolate(std::string_view text, const StringMap& variables) {
  return Interpolator(text, variables).run();
}

}  // namespace slipway::config
