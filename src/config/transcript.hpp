#pragma once
// What reading files gave: recorded by one process, so that another one loads the same configuration from the same
// bytes without touching a file system, which may hang.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/document/text_file.hpp"

namespace slipway::config {

class FileTranscript {
 public:
  /// Reads as read_text_file() does and remembers the outcome. The transcript must outlive the reader.
  [[nodiscard]] FileReader recording();
  /// Gives what was recorded; a path that was not is a problem. The transcript must outlive the reader.
  [[nodiscard]] FileReader replaying() const;

  /// As words of a word_stream, in no order that matters.
  [[nodiscard]] std::vector<std::string> words() const;
  [[nodiscard]] static std::optional<FileTranscript> from_words(const std::vector<std::string>& words);

 private:
  std::map<std::string, tl::expected<std::string, FileProblem>> files_;
};

/// Texts of any bytes, one after the other: the length, a colon, the bytes.
[[nodiscard]] std::string encode_word(std::string_view word);

/// Takes whole words from a stream that arrives in pieces.
class WordStream {
 public:
  void add(std::string_view bytes) { pending_ += bytes; }
  /// The next word, once it is complete. Sets broken() for what no encode_word() wrote.
  [[nodiscard]] std::optional<std::string> next();
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  std::string pending_;
  std::size_t begin_ = 0;
  bool broken_ = false;
};

}  // namespace slipway::config
