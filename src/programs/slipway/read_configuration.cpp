// `slipway read-configuration`: what PID 1 starts to read its files for it, because a file system may hang and PID 1
// must not. Not for people. It says on standard output, in words (config::encode_word): "invalid" and the problems, or
// "valid" and what reading each file gave, then "end"; with the word "write" on standard input it writes what the
// configuration says is to be written, and answers with an empty word or the error.
#include <cerrno>
#include <string>
#include <unistd.h>

#include "config/transcript.hpp"
#include "database/password.hpp"
#include "programs/slipway/commands.hpp"
#include "programs/slipway/written_files.hpp"

namespace slipway::program {
namespace {

bool say(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += config::encode_word(word);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

std::string hear() {
  config::WordStream stream;
  char buffer[64];
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return {};
    stream.add({buffer, static_cast<std::size_t>(count)});
    if (auto word = stream.next()) return *word;
    if (stream.broken()) return {};
  }
}

std::string problems(const config::LoadFailure& failure) {
  std::string text;
  for (const config::Diagnostic& each : failure.diagnostics) text += (text.empty() ? "" : "\n") + to_string(each);
  return text;
}

/// Reads what the processes of this configuration will read, so that it is in the transcript.
Result<void> read_the_rest(const config::Configuration& configuration, const config::FileReader& read) {
  for (const auto& [name, worker] : configuration.workers) {
    for (const std::string& file : worker.env_file) static_cast<void>(read(file, config::kMaximumFileSize));
  }
  for (const config::Template& each : configuration.templates) {
    static_cast<void>(read(each.from, config::kMaximumFileSize));
  }
  const std::string& password = configuration.database.postgres.password_file;
  if (password.empty()) return {};
  const auto checked = database::read_password_file(password, "database.postgres.password_file");
  if (!checked) return tl::unexpected<Error>(checked.error());
  static_cast<void>(read(password, config::kMaximumFileSize));
  return {};
}

}  // namespace

int read_configuration(const std::string& path) {
  config::FileTranscript transcript;
  config::LoadRequest request;
  request.path = path;
  request.environment = config::process_environment();
  request.read_file = transcript.recording();
  const auto loaded = config::load(request);
  if (!loaded) return say({"invalid", problems(loaded.error())}) ? 0 : 1;
  if (const auto rest = read_the_rest(loaded->configuration, request.read_file); !rest) {
    return say({"invalid", rest.error().message}) ? 0 : 1;
  }
  std::vector<std::string> words{"valid"};
  for (std::string& word : transcript.words()) words.push_back(std::move(word));
  words.emplace_back("end");
  if (!say(words) || hear() != "write") return 0;
  const Result<void> written = write_files(*loaded);
  return say({written ? std::string() : written.error().message}) ? 0 : 1;
}

}  // namespace slipway::program
