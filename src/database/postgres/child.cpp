#include "database/postgres/child.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/optional.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/postgres/durable_file.hpp"

extern char** environ;

namespace slipway::database::postgres {
namespace {

namespace process = boost::process::v2;

/// Everything between fork and exec; system calls only. An errno of 0 would read as success in the parent.
struct ChildSetup {
  const ChildRequest& request;
  int output;
  pid_t parent;

  boost::system::error_code fail(int error) const {
    errno = error == 0 ? EIO : error;
    return {errno, boost::system::system_category()};
  }

  template <typename Launcher, typename Path>
  boost::system::error_code on_exec_setup(Launcher& /*launcher*/, const Path& /*program*/,
                                          const char* const*& /*argv*/) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) signal(number, SIG_DFL);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return fail(errno);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (request.inherited >= 0) fcntl(request.inherited, F_SETFD, 0);
    if (request.identity) {
      if (const int error = become(*request.identity); error != 0) return fail(error);
    }
    if (chdir(request.working_directory.c_str()) != 0) return fail(errno);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail(errno);
    if (getppid() != parent) return fail(ESRCH);
    return {};
  }

  // Boost would run exit() in the child, and with it our atexit handlers. Newer versions pass one argument fewer.
  template <typename Launcher, typename Path, typename Argv>
  void on_exec_error(Launcher& /*launcher*/, const Path& /*program*/, const Argv& /*argv*/,
                     const boost::system::error_code& /*error*/) {
    _exit(127);
  }
  template <typename Launcher, typename Path, typename Argv>
  void on_exec_error(Launcher& /*launcher*/, const boost::system::error_code& /*first*/, const Path& /*program*/,
                     const Argv& /*argv*/, const boost::system::error_code& /*error*/) {
    _exit(127);
  }
};

std::vector<std::string> environment_of(const ChildRequest& request) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!request.environment.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : request.environment) {
    if (value) result.push_back(name + "=" + *value);
  }
  return result;
}

/// Collects lines; a line without end is cut at 8 KiB.
class Lines {
 public:
  explicit Lines(const Report& report) : report_(report) {}
  void add(const char* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      if (data[i] == '\n' || line_.size() >= 8192) flush();
      if (data[i] != '\n' && data[i] != '\r') line_ += data[i];
    }
  }
  void flush() {
    if (line_.empty()) return;
    say(report_, line_);
    kept_.push_back(std::move(line_));
    line_.clear();
    if (kept_.size() > 200) kept_.erase(kept_.begin());
  }
  std::vector<std::string> take() {
    flush();
    return std::move(kept_);
  }

 private:
  const Report& report_;
  std::string line_;
  std::vector<std::string> kept_;
};

/// True at end of file.
bool drain(int pipe, Lines& lines) {
  char buffer[4096];
  for (;;) {
    const auto count = read(pipe, buffer, sizeof buffer);
    if (count > 0) lines.add(buffer, static_cast<std::size_t>(count));
    if (count == 0) return true;
    if (count < 0 && errno != EINTR) return errno != EAGAIN;
  }
}

/// A grandchild may keep the pipe open, so the exit decides and not the end of the output.
int wait_for(pid_t child, int pipe, Lines& lines) {
  int status = 0;
  bool open = true;
  for (;;) {
    const pid_t done = waitpid(child, &status, open ? WNOHANG : 0);
    if (done == child) break;
    if (done < 0 && errno != EINTR) return 255;
    if (!open) continue;
    pollfd ready{pipe, POLLIN, 0};
    if (poll(&ready, 1, 20) > 0) open = !drain(pipe, lines);
  }
  if (open) drain(pipe, lines);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string ChildOutcome::last_line() const { return lines.empty() ? std::string("no output") : lines.back(); }

Result<ChildOutcome> run_child(const ChildRequest& request) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_failure(request.argv.front(), "cannot create a pipe");
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  const auto variables = environment_of(request);
  std::vector<char*> environment;
  for (const auto& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);

  boost::asio::io_context context;
  boost::system::error_code error;
  process::posix::default_launcher launcher;
  launcher.env = environment.data();
  if (request.inherited >= 0) launcher.fd_whitelist.push_back(request.inherited);
  const std::vector<std::string> arguments(request.argv.begin() + 1, request.argv.end());
  auto started = launcher(context.get_executor(), error, request.argv.front(), arguments,
                          ChildSetup{request, writing.get(), getpid()});
  if (error) {
    errno = error.value();
    return system_failure(request.argv.front(), "cannot be started");
  }
  const pid_t child = started.detach().id();
  writing = Descriptor();
  Lines lines(request.output);
  ChildOutcome outcome;
  outcome.status = wait_for(child, reading.get(), lines);
  outcome.lines = lines.take();
  return outcome;
}

}  // namespace slipway::database::postgres
