#include "config/transcript.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "config/difference.hpp"

namespace slipway::config {
namespace {

TEST(WordStream, TakesWholeWordsHoweverTheyArrive) {
  const std::string text = encode_word("one") + encode_word("") + encode_word(std::string("\0:\n", 3));
  WordStream stream;
  std::vector<std::string> words;
  for (const char byte : text) {
    stream.add({&byte, 1});
    while (auto word = stream.next()) words.push_back(*word);
  }
  EXPECT_EQ(words, (std::vector<std::string>{"one", "", std::string("\0:\n", 3)}));
  EXPECT_FALSE(stream.broken());
}

TEST(WordStream, SaysWhatIsNoWord) {
  for (const char* text : {"x:", "12345678901234567890", "-1:a"}) {
    WordStream stream;
    stream.add(text);
    EXPECT_FALSE(stream.next());
    EXPECT_TRUE(stream.broken()) << text;
  }
}

TEST(FileTranscript, ReplaysWhatWasReadAndNothingElse) {
  const std::string path = testing::TempDir() + "transcript_test.txt";
  std::ofstream(path) << "content";
  FileTranscript recorded;
  const FileReader record = recorded.recording();
  EXPECT_EQ(record(path, 100).value(), "content");
  EXPECT_FALSE(record(path + ".missing", 100));
  const auto copy = FileTranscript::from_words(recorded.words());
  ASSERT_TRUE(copy);
  std::remove(path.c_str());
  const FileReader replay = copy->replaying();
  EXPECT_EQ(replay(path, 100).value(), "content");
  EXPECT_TRUE(replay(path + ".missing", 100).error().missing);
  EXPECT_FALSE(replay("/etc/passwd", 100));
  EXPECT_FALSE(FileTranscript::from_words({"one", "two"}));
}

TEST(Difference, NamesTheKeysThatDiffer) {
  Worker left;
  Worker right = left;
  EXPECT_TRUE(changed_keys(left, right).empty());
  right.command.argv = {"x"};
  right.restart_delay = std::chrono::seconds(9);
  EXPECT_EQ(changed_keys(left, right), (std::vector<std::string>{"command", "restart_delay"}));
  Configuration before;
  Configuration after;
  after.state_dir = "/elsewhere";
  EXPECT_EQ(changed_sections(before, after), std::vector<std::string>{"state_dir"});
}

}  // namespace
}  // namespace slipway::config
