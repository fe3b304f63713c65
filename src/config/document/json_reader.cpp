#include <map>
#include <optional>

#include "config/document/node.hpp"

namespace slipway::config {
namespace {

/// One pass over the text; the first error stops it. YAML would accept most JSON, but not its surrogate pairs, and it
/// would accept much that is not JSON.
class JsonReader {
 public:
  JsonReader(std::string_view text, int file, Problems& problems) : text_(text), file_(file), problems_(problems) {}

  Node read() {
    Node root;
    space();
    if (at_ == text_.size()) {
      root.complete = fail("the text is empty: expected JSON");
      return root;
    }
    root.complete = value(root, 0);
    if (root.complete) {
      space();
      if (at_ < text_.size()) root.complete = fail("unexpected text after the value");
    }
    return root;
  }

 private:
  [[nodiscard]] Place place() const { return {file_, line_, column_}; }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0U) != 0x80U) {
      ++column_;
    }
    ++at_;
  }
  bool fail(const std::string& what) {
    problems_.add(place(), "invalid JSON: " + what);
    return false;
  }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) advance();
  }
  bool expect(char wanted) {
    space();
    if (peek() != wanted) return fail(std::string("expected '") + wanted + "'");
    advance();
    return true;
  }

  bool value(Node& node, std::size_t depth) {
    space();
    node.place = place();
    if (depth > kMaximumDepth) return fail("nested deeper than " + std::to_string(kMaximumDepth) + " levels");
    if (++total_ > kMaximumNodes) return fail("more than " + std::to_string(kMaximumNodes) + " values");
    switch (peek()) {
      case '{':
        return object(node, depth);
      case '[':
        return array(node, depth);
      case '"':
        node.kind = Node::Kind::kScalar;
        node.plain = false;
        return string(node.text);
      default:
        return word_or_number(node);
    }
  }

  bool object(Node& node, std::size_t depth) {
    node.kind = Node::Kind::kMap;
    advance();
    space();
    if (peek() == '}') return advance(), true;
    std::map<std::string, int> seen;
    while (true) {
      space();
      Entry entry;
      entry.place = place();
      if (peek() != '"') return fail("expected a key in double quotes");
      if (!string(entry.key) || !expect(':') || !value(entry.value, depth + 1)) return false;
      add_entry(node, std::move(entry), seen);
      space();
      if (peek() == '}') return advance(), true;
      if (peek() != ',') return fail("expected ',' or '}'");
      advance();
    }
  }
  void add_entry(Node& node, Entry entry, std::map<std::string, int>& seen) {
    const auto [first, added] = seen.emplace(entry.key, entry.place.line);
    if (added)
      node.entries.push_back(std::move(entry));
    else
      problems_.add(entry.place,
                    "duplicate key '" + entry.key + "': it is already on line " + std::to_string(first->second));
  }

  bool array(Node& node, std::size_t depth) {
    node.kind = Node::Kind::kList;
    advance();
    space();
    if (peek() == ']') return advance(), true;
    while (true) {
      Node item;
      if (!value(item, depth + 1)) return false;
      node.items.push_back(std::move(item));
      space();
      if (peek() == ']') return advance(), true;
      if (peek() != ',') return fail("expected ',' or ']'");
      advance();
    }
  }

  bool word_or_number(Node& node) {
    const std::size_t begin = at_;
    std::size_t end = at_;
    while (end < text_.size() && std::string_view(" \t\r\n,]}:\"[{").find(text_[end]) == std::string_view::npos) ++end;
    const std::string_view word = text_.substr(begin, end - begin);
    if (word != "null" && word != "true" && word != "false" && !is_number(word))
      return fail(word.empty() ? "expected a value" : "expected a value; text needs double quotes");
    while (at_ < end) advance();
    if (word == "null") return true;
    node.kind = Node::Kind::kScalar;
    node.text = word;
    return true;
  }
  static bool is_number(std::string_view word) {
    std::size_t at = 0;
    const auto digits = [&] {
      const std::size_t first = at;
      while (at < word.size() && word[at] >= '0' && word[at] <= '9') ++at;
      return at - first;
    };
    if (at < word.size() && word[at] == '-') ++at;
    const bool zero = at < word.size() && word[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (at < word.size() && word[at] == '.' && (++at, digits() == 0)) return false;
    if (at < word.size() && (word[at] == 'e' || word[at] == 'E')) {
      ++at;
      if (at < word.size() && (word[at] == '+' || word[at] == '-')) ++at;
      if (digits() == 0) return false;
    }
    return at == word.size();
  }

  bool string(std::string& out) {
    advance();
    while (true) {
      if (at_ == text_.size()) return fail("a string is not closed");
      const char byte = text_[at_];
      if (byte == '"') return advance(), true;
      if (static_cast<unsigned char>(byte) < 0x20) return fail("a line break or tab in a string: write \\n or \\t");
      if (byte == '\\') {
        if (!escape(out)) return false;
        continue;
      }
      out += byte;
      advance();
    }
  }
  bool escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ + 1 < text_.size() && text_[at_ + 1] == 'u') return unicode(out);
    const std::size_t which = at_ + 1 < text_.size() ? kLetters.find(text_[at_ + 1]) : std::string_view::npos;
    if (which == std::string_view::npos) return fail("unknown escape in a string");
    out += kMeanings[which];
    advance();
    advance();
    return true;
  }
  [[nodiscard]] std::optional<unsigned> code_unit(std::size_t at) const {
    if (at + 6 > text_.size() || text_[at] != '\\' || text_[at + 1] != 'u') return std::nullopt;
    unsigned unit = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(text_[i] | 0x20));
      if (digit == std::string_view::npos) return std::nullopt;
      unit = unit * 16 + static_cast<unsigned>(digit);
    }
    return unit;
  }
  bool unicode(std::string& out) {
    const std::optional<unsigned> first = code_unit(at_);
    if (!first) return fail("\\u needs four hexadecimal digits");
    unsigned point = *first;
    std::size_t length = 6;
    if (point >= 0xD800 && point <= 0xDFFF) {
      const std::optional<unsigned> second = code_unit(at_ + 6);
      if (point > 0xDBFF || !second || *second < 0xDC00 || *second > 0xDFFF) return fail("half of a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10U) + (*second - 0xDC00);
      length = 12;
    }
    if (point == 0) return fail("\\u0000 is not allowed");
    append_utf8(out, point);
    while (length-- > 0) advance();
    return true;
  }
  static void append_utf8(std::string& out, unsigned point) {
    const auto byte = [&](unsigned value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
      byte(0xC0U | (point >> 6U));
    } else if (point < 0x10000) {
      byte(0xE0U | (point >> 12U));
      byte(0x80U | ((point >> 6U) & 0x3FU));
    } else {
      byte(0xF0U | (point >> 18U));
      byte(0x80U | ((point >> 12U) & 0x3FU));
      byte(0x80U | ((point >> 6U) & 0x3FU));
    }
    byte(0x80U | (point & 0x3FU));
  }

  std::string_view text_;
  int file_;
  Problems& problems_;
  std::size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  std::size_t total_ = 0;
};

}  // namespace

Node read_json(std::string_view text, int file, Problems& problems) { return JsonReader(text, file, problems).read(); }

}  // namespace slipway::config
