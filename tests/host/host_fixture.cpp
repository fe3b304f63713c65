#include "host_fixture.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/descriptor.hpp"

namespace slipway::host {

HostTest::HostTest() : descriptors_before_(open_descriptors()) {
  children = std::make_unique<ChildTable>(context);
  launcher = std::make_unique<Launcher>(*children);
  auto opened = Signals::open(context, [this](int signal) {
    if (signal == SIGCHLD) children->reap();
  });
  EXPECT_TRUE(opened.has_value());
  signals = std::make_unique<Signals>(std::move(*opened));
}

HostTest::~HostTest() {
  EXPECT_TRUE(run_until([&] { return children->childless(); })) << "children were left";
  launcher.reset();
  children.reset();
  signals.reset();
  context.restart();
  context.poll();
  if (!directory_.empty()) std::filesystem::remove_all(directory_);
  // The context's own epoll, event and timer descriptors live as long as it does.
  const std::set<int> now = open_descriptors();
  for (const int fd : now) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error).string();
    if (error || target.starts_with("anon_inode:") || descriptors_before_.contains(fd)) continue;
    ADD_FAILURE() << "descriptor " << fd << " was left open: " << target;
  }
}

std::set<int> HostTest::open_descriptors() {
  std::set<int> result;
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) result.insert(fd);
  }
  return result;
}

bool HostTest::run_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (children) children->reap();
    context.restart();
    context.run_one_for(std::chrono::milliseconds(50));
  }
  return true;
}

Launch HostTest::shell(const std::string& script) {
  Launch launch;
  launch.argv = {"/bin/sh", "-c", script};
  launch.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  return launch;
}

int HostTest::start(const Launch& launch) {
  const auto pid = launcher->launch(launch, [this](const ChildExit& exit) { exits.push_back(exit); });
  EXPECT_TRUE(pid.has_value()) << (pid ? "" : pid.error().message);
  return pid.value_or(0);
}

ChildExit HostTest::run(Launch launch) {
  Pipe pipe = make_pipe();
  launch.stdout_fd = launch.stderr_fd = pipe.write.get();
  const std::size_t before = exits.size();
  start(launch);
  pipe.write.reset();
  output.clear();
  // Children in tests write less than a pipe holds, or close it.
  char buffer[65536];
  for (ssize_t bytes = 0; (bytes = ::read(pipe.read.get(), buffer, sizeof buffer)) > 0;) {
    output.append(buffer, static_cast<std::size_t>(bytes));
  }
  EXPECT_TRUE(run_until([&] { return exits.size() > before; }));
  return exits.size() > before ? exits.back() : ChildExit{};
}

std::string HostTest::directory() {
  if (directory_.empty()) {
    std::string pattern = std::filesystem::temp_directory_path() / "slipway-host-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  }
  return directory_.string();
}

std::string HostTest::write_file(const std::string& name, const std::string& content, int mode) {
  const std::string path = directory() + "/" + name;
  std::ofstream(path) << content;
  ::chmod(path.c_str(), static_cast<mode_t>(mode));
  return path;
}

}  // namespace slipway::host
