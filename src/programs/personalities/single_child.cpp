#include "programs/personalities/single_child.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <exception>
#include <unistd.h>
#include <utility>

namespace slipway::program {

SingleChild::SingleChild(host::Launch launch, host::SignalSet signals)
    : launch_(std::move(launch)), signals_(std::move(signals)), children_(context_), launcher_(children_) {
  launch_.environment = own_environment();
  launch_.stdin_fd = STDIN_FILENO;
  launch_.stdout_fd = STDOUT_FILENO;
  launch_.stderr_fd = STDERR_FILENO;
  launch_.keep_descriptors = true;
  std::array<char, PATH_MAX> directory;
  if (::getcwd(directory.data(), directory.size()) != nullptr) directory_ = directory.data();
  children_.on_orphan([this](const host::ChildExit& orphan) { orphan_reaped(orphan); });
}

void SingleChild::run() {
  const auto handle = [this](int signal) {
    if (signal == SIGCHLD) {
      children_.reap();
    } else {
      received(signal);
    }
  };
  auto opened = host::Signals::open(context_, handle, signals_);
  if (!opened) ::_exit(failed(0, opened.error().message));
  start();
  while (!code_) {
    try {
      context_.restart();
      context_.run_one();
    } catch (const std::exception&) {  // out of memory: this event is lost, the next may not be
    }
  }
  ::_exit(*code_);
}

void SingleChild::start() {
  const auto program = host::find_program(launch_.argv.front(), host::search_path(launch_.environment), "");
  if (!program) {
    code_ = failed(program.error().error, ::strerror(program.error().error));
    return;
  }
  const auto launched = launcher_.launch(launch_, [this](const host::ChildExit& exit) { on_exit(exit); });
  if (!launched) {
    code_ = failed(0, launched.error().message);
    return;
  }
  pid_ = *launched;
  alive_ = true;
  started(pid_);
}

void SingleChild::start_with_shell() {
  with_shell_ = true;
  if (!directory_.empty() && ::chdir(directory_.c_str()) != 0) {
    code_ = failed(errno, ::strerror(errno));
    return;
  }
  const auto script = host::find_program(launch_.argv.front(), host::search_path(launch_.environment), "");
  launch_.argv.front() = script.value_or(launch_.argv.front());
  launch_.argv.insert(launch_.argv.begin(), "/bin/sh");
  start();
}

void SingleChild::on_exit(const host::ChildExit& exit) {
  alive_ = false;
  const int error = exit.status.value;
  if (exit.status.kind != host::ExitStatus::Kind::kNotStarted) {
    code_ = ended(exit.status);
  } else if (error == ENOEXEC && !with_shell_) {
    start_with_shell();
  } else {
    code_ = failed(error, ::strerror(error));
  }
}

void SingleChild::forward(int signal, bool group) const {
  if (!alive_) return;
  // A child that has not yet made its group or session is alone in it.
  if (group && (::kill(-pid_, signal) == 0 || errno != ESRCH)) return;
  ::kill(pid_, signal);
}

void SingleChild::signal_survivors(int signal) const {
  if (pid_ > 1) ::kill(-pid_, signal);
}

int SingleChild::shell_code(const host::ExitStatus& status) {
  return status.kind == host::ExitStatus::Kind::kSignaled ? 128 + status.value : status.value;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) variables.emplace_back(*entry);
  return variables;
}

}  // namespace slipway::program
