#include "config/transcript.hpp"

#include <charconv>
#include <utility>

namespace slipway::config {
namespace {

constexpr std::size_t kWordsPerFile = 3;
constexpr std::size_t kLongestLength = 10;  ///< digits

}  // namespace

FileReader FileTranscript::recording() {
  return [this](const std::string& path, std::size_t limit) {
    return files_.insert_or_assign(path, read_text_file(path, limit)).first->second;
  };
}

FileReader FileTranscript::replaying() const {
  return [this](const std::string& path, std::size_t) -> tl::expected<std::string, FileProblem> {
    const auto found = files_.find(path);
    if (found != files_.end()) return found->second;
    return tl::unexpected(FileProblem{false, false, "it was not read ahead"});
  };
}

std::vector<std::string> FileTranscript::words() const {
  std::vector<std::string> words;
  for (const auto& [path, outcome] : files_) {
    words.push_back(path);
    if (outcome) {
      words.insert(words.end(), {"read", *outcome});
    } else {
      const FileProblem& problem = outcome.error();
      words.insert(words.end(),
                   {problem.missing ? "missing" : (problem.refused ? "refused" : "unreadable"), problem.reason});
    }
  }
  return words;
}

std::optional<FileTranscript> FileTranscript::from_words(const std::vector<std::string>& words) {
  if (words.size() % kWordsPerFile != 0) return std::nullopt;
  FileTranscript transcript;
  for (std::size_t i = 0; i < words.size(); i += kWordsPerFile) {
    const std::string& how = words[i + 1];
    if (how == "read") {
      transcript.files_.insert_or_assign(words[i], words[i + 2]);
    } else {
      transcript.files_.insert_or_assign(words[i],
                                         tl::unexpected(FileProblem{how == "missing", how == "refused", words[i + 2]}));
    }
  }
  return transcript;
}

std::string encode_word(std::string_view word) { return std::to_string(word.size()) + ":" + std::string(word); }

std::optional<std::string> WordStream::next() {
  const std::size_t colon = pending_.find(':', begin_);
  if (colon == std::string::npos || colon - begin_ > kLongestLength) {
    broken_ = broken_ || pending_.size() - begin_ > kLongestLength;
    return std::nullopt;
  }
  std::size_t length = 0;
  const char* digits = pending_.data() + begin_;
  const auto parsed = std::from_chars(digits, pending_.data() + colon, length);
  if (parsed.ec != std::errc() || parsed.ptr != pending_.data() + colon) {
    broken_ = true;
    return std::nullopt;
  }
  if (pending_.size() - colon - 1 < length) return std::nullopt;
  std::string word = pending_.substr(colon + 1, length);
  begin_ = colon + 1 + length;
  if (begin_ == pending_.size()) {
    pending_.clear();
    begin_ = 0;
  }
  return word;
}

}  // namespace slipway::config
