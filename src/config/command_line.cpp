#include "config/notation.hpp"

namespace slipway::config {
namespace {

/// The word splitting of sh(1) without its expansions, one character at a time.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<CommandLine> split() {
    for (; at_ < text_.size(); ++at_) {
      const char byte = text_[at_];
      if (byte == '\'' || byte == '"') {
        if (!quoted(byte)) return unbalanced(byte);
      } else if (byte == '\\') {
        if (at_ + 1 == text_.size()) return refuse("a backslash at the end of the command escapes nothing");
        escaped();
      } else if (is_space(byte)) {
        end_word();
      } else {
        add(byte);
      }
    }
    end_word();
    return std::move(result_);
  }

 private:
  static bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }
  static tl::unexpected<Error> refuse(std::string message) {
    return failure(ExitCode::kConfiguration, std::move(message));
  }
  static tl::unexpected<Error> unbalanced(char quote) {
    return refuse(std::string("a ") + (quote == '"' ? "double" : "single") +
                  " quote is not closed: close it, or write the command as a list");
  }
  void add(char byte) {
    word_ += byte;
    in_word_ = true;
  }
  void end_word() {
    if (in_word_) result_.argv.push_back(std::move(word_));
    word_.clear();
    in_word_ = false;
  }
  void escaped() {
    ++at_;
    if (text_[at_] != '\n') add(text_[at_]);  // backslash and newline continue the line
  }
  bool quoted(char quote) {
    in_word_ = true;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) return true;
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char next = text_[at_ + 1];
        if (next == '"' || next == '\\' || next == '$' || next == '`' || next == '\n') {
          escaped();
          continue;
        }
      }
      word_ += text_[at_];
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  bool in_word_ = false;
  CommandLine result_;
};

bool needs_quotes(const std::string& word) {
  return word.empty() || word.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "_-+=@%/:.,") != std::string::npos;
}

}  // namespace

Result<CommandLine> split_command_line(std::string_view text) { return Splitter(text).split(); }

std::string join_command_line(const CommandLine& command) {
  std::string line;
  for (const std::string& word : command.argv) {
    if (!line.empty()) line += ' ';
    if (!needs_quotes(word)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char byte : word) line += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
    line += '\'';
  }
  return line;
}

}  // namespace slipway::config
