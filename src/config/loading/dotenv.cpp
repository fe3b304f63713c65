#include "config/loading/environment_sources.hpp"

namespace slipway::config {
namespace {

/// `${:-}` and `${:-$}` are how format_dotenv writes nothing and a `$` for readers that expand `${...}`.
constexpr std::string_view kNothing = "${:-}";
constexpr std::string_view kDollar = "${:-$}";

class DotenvReader {
 public:
  DotenvReader(std::string_view text, int file, Problems& problems) : text_(text), file_(file), problems_(problems) {}

  StringMap read() {
    while (at_ < text_.size()) {
      skip_blanks();
      const bool blank = peek() == '\n' || peek() == '\r' || peek() == '#' || peek() == '\0';
      if (!blank) assignment();  // a bad line is reported, the others still count
      skip_line();
    }
    return std::move(variables_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0U) != 0x80U) {
      ++column_;
    }
    ++at_;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') advance();
  }
  void skip_line() {
    while (at_ < text_.size() && peek() != '\n') advance();
    if (at_ < text_.size()) advance();
  }
  [[nodiscard]] Place place() const { return {file_, line_, column_}; }
  bool fail(const Place& place, const std::string& message) {
    problems_.add(place, message);
    return false;
  }

  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view("= \t\r\n#'\"").find(peek()) == std::string_view::npos) advance();
    return text_.substr(begin, at_ - begin);
  }

  bool assignment() {
    Place start = place();
    std::string_view name = word();
    const std::size_t before = at_;
    skip_blanks();
    if (name == "export" && at_ > before && peek() != '=') {
      start = place();
      name = word();
      skip_blanks();
    }
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    const bool valid = !name.empty() && kLetters.find(name[0]) != std::string_view::npos &&
                       name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
                           std::string_view::npos;
    if (!valid) return fail(start, "expected NAME=value");
    if (peek() != '=') return fail(place(), "expected '=' after " + std::string(name));
    advance();
    skip_blanks();
    std::string value;
    const bool quoted = peek() == '\'' || peek() == '"';
    if (!(quoted ? quoted_value(value, peek()) : bare_value(value))) return false;
    variables_[std::string(name)] = std::move(value);
    return true;
  }

  bool bare_value(std::string& value) {
    bool after_blank = true;
    while (at_ < text_.size() && peek() != '\n' && peek() != '\r' && !(peek() == '#' && after_blank)) {
      after_blank = peek() == ' ' || peek() == '\t';
      value += peek();
      advance();
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
    return true;
  }

  bool quoted_value(std::string& value, char quote) {
    const Place start = place();
    advance();
    while (at_ < text_.size() && peek() != quote) {
      if (peek() == '\\')
        escape(value, quote);
      else if (quote == '"' && idiom(kDollar))
        value += '$';
      else if (quote == '"' && idiom(kNothing))
        continue;
      else if (peek() == '\r' && peek(1) == '\n')
        advance();  // a file from Windows: the line break is \n
      else
        take(value);
    }
    if (at_ == text_.size()) return fail(start, "the quote is not closed");
    advance();
    skip_blanks();
    const bool ends = peek() == '\n' || peek() == '\r' || peek() == '\0' || peek() == '#';
    return ends || fail(place(), "unexpected text after the closing quote");
  }
  void take(std::string& value) {
    value += peek();
    advance();
  }
  bool idiom(std::string_view idiom) {
    if (text_.substr(at_, idiom.size()) != idiom) return false;
    for (std::size_t count = idiom.size(); count > 0; --count) advance();
    return true;
  }
  /// Single quotes: \' and \\. Double quotes: those of C that python-dotenv knows. Any other backslash is itself.
  void escape(std::string& value, char quote) {
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    const std::size_t which = at_ + 1 < text_.size() ? kLetters.find(peek(1)) : std::string_view::npos;
    if (which == std::string_view::npos || (quote == '\'' && which > 1)) return take(value);
    value += kMeanings[which];
    advance();
    advance();
  }

  std::string_view text_;
  int file_;
  Problems& problems_;
  std::size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  StringMap variables_;
};

}  // namespace

StringMap parse_dotenv(std::string_view text, int file, Problems& problems) {
  return DotenvReader(text, file, problems).read();
}

}  // namespace slipway::config
