// `slipway keep-logs FILE`: removes and compresses the rotated files of one log. PID 1 runs it after a rotation, so
// that neither a slow disk nor a compressor ever holds PID 1; by hand it does the same. It is not in `slipway --help`.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/launcher.hpp"
#include "logging/keep_exit.hpp"
#include "logging/old_logs.hpp"
#include "programs/slipway/commands.hpp"

namespace slipway::program {
namespace {

struct KeepOptions {
  std::string file;
  logging::Retention retention;
  bool compress = false;
};

struct CompressionProgram {
  std::string path;
  std::string suffix;
};

/// Least of all the processes that want the processor or the disk.
void step_back() {
  constexpr int kWhoProcess = 1;
  constexpr int kIdleClass = 3 << 13;
  (void)::setpriority(PRIO_PROCESS, 0, 19);
  (void)::syscall(SYS_ioprio_set, kWhoProcess, 0, kIdleClass);
}

std::optional<CompressionProgram> find_compressor() {
  const char* given = std::getenv("PATH");
  const std::string path = given != nullptr ? given : "/usr/local/bin:/usr/bin:/bin";
  for (const auto& [name, suffix] : {std::pair{"gzip", ".gz"}, {"zstd", ".zst"}}) {
    if (const auto found = host::find_program(name, path, "/")) return CompressionProgram{*found, suffix};
  }
  return std::nullopt;
}

Result<void> run_compressor(const CompressionProgram& program, int in, int out) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  std::string words[] = {program.path, "-q", "-c"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.path.c_str(), &actions, nullptr, argv, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failure(ExitCode::kInternal, program.path + ": " + std::strerror(error));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return failure(ExitCode::kInternal, program.path + ": failed");
}

/// The oldest first; limits are kept in between, because the log may be rotated faster than it is compressed.
Result<void> compress_all(const logging::OldLogs& logs, const logging::Retention& retention,
                          const CompressionProgram& program) {
  for (;;) {
    logs.prune(retention);
    std::string next;
    for (const logging::OldLog& file : logs.list()) {
      if (next.empty() && !file.compressed) next = file.name;
    }
    if (next.empty()) return {};
    auto done = logs.compress(next, program.suffix, [&](int in, int out) { return run_compressor(program, in, out); });
    if (!done) return done;
  }
}

int keep_logs(const KeepOptions& options) {
  const auto complain = [&](const std::string& what) {
    std::cerr << "slipway keep-logs: " << options.file << ": " << what << '\n';
    return logging::kKeepFailed;
  };
  step_back();
  const auto logs = logging::OldLogs::open(options.file);
  if (!logs) return complain(logs.error().message);
  logs->prune(options.retention);
  if (!options.compress) return logging::kKeepDone;
  const auto program = find_compressor();
  if (!program) return logging::kKeepNoCompressor;
  const auto done = compress_all(*logs, options.retention, *program);
  return done ? logging::kKeepDone : complain(done.error().message);
}

}  // namespace

void add_keep_logs(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<KeepOptions>();
  CLI::App* keep = program.add_subcommand("keep-logs", "remove and compress the rotated files of a log");
  keep->group("");
  keep->add_option("file", options->file, "the log itself")->required()->type_name("FILE");
  keep->add_option("--max-files", options->retention.max_files, "how many are kept; 0: all");
  keep->add_option("--max-total", options->retention.max_total, "bytes of all together; 0: no limit");
  keep->add_option("--reserved", options->retention.reserved, "bytes that the log itself may still grow to");
  keep->add_flag("--compress", options->compress, "compress what is kept");
  keep->callback([&chosen, options] { chosen = [options] { return keep_logs(*options); }; });
}

}  // namespace slipway::program
