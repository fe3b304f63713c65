#include "local_cluster.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/postgres/cluster.hpp"
#include "database/postgres/prepare.hpp"

namespace slipway::database::postgres::testing {

namespace fs = std::filesystem;

std::string fast_storage() { return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp"; }

TemporaryDirectory::TemporaryDirectory(const std::string& parent) : path_(parent + "/slipway-test-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr || chmod(path_.c_str(), 0755) != 0) throw std::runtime_error("mkdtemp");
}
TemporaryDirectory::~TemporaryDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string free_port() {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(server, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind");
  getsockname(server, reinterpret_cast<sockaddr*>(&address), &size);
  close(server);
  return std::to_string(ntohs(address.sin_port));
}

void write_text(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path, std::ios::binary) << text;
  chmod(path.c_str(), mode);
}

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string fingerprint(const std::string& path) {
  std::vector<std::string> lines;
  const auto add = [&](const fs::path& entry) {
    struct stat status{};
    lstat(entry.c_str(), &status);
    std::ostringstream line;
    line << entry.string() << ' ' << status.st_mode << ' ' << status.st_uid << ' ' << status.st_gid;
    if (S_ISREG(status.st_mode)) line << ' ' << std::hash<std::string>{}(read_text(entry.string()));
    lines.push_back(line.str());
  };
  add(path);
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) add(entry.path());
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

pid_t start_child(const std::function<int()>& work) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(work());
  }
  return pid;
}

int wait_child(pid_t pid) {
  int status = 0;
  const bool done = eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }, 60);
  if (!done) {
    ::kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int in_child(const std::function<int()>& work) { return wait_child(start_child(work)); }

bool eventually(const std::function<bool()>& condition, int seconds) {
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    poll(nullptr, 0, 2);
  }
  return true;
}

LocalCluster::LocalCluster(const std::string& parent) : directory_(parent) {
  auto& postgres = configuration.database.postgres;
  configuration.database.backend = config::Backend::kPostgres;
  postgres.local = true;
  postgres.wait.timeout = std::chrono::seconds(30);
  postgres.cluster.data_dir = root() + "/data";
  postgres.cluster.listen_addresses = "127.0.0.1";
  postgres.cluster.init_scripts = root() + "/scripts";
  configuration.state_dir = root() + "/state";
  configuration.control.socket = root() + "/run/control.sock";
  configuration.markers.directory = root() + "/markers";
  database.backend = config::Backend::kPostgres;
  database.local = true;
  database.endpoints = {{"127.0.0.1", free_port()}};
  database.name = "app";
  database.user = "app";
  database.password = config::Secret("s3cret");
  database.sslmode = "prefer";
}

LocalCluster::~LocalCluster() { stop(); }

Report LocalCluster::report() {
  return [this](const std::string& line) { log.push_back(line); };
}

bool LocalCluster::said(const std::string& part) const {
  return std::any_of(log.begin(), log.end(), [&](const auto& line) { return line.find(part) != std::string::npos; });
}

Result<void> LocalCluster::initialise() { return initialise_cluster(configuration, database, report()); }

void LocalCluster::start() {
  pid_ = start_child([this] {
    std::freopen((root() + "/server.log").c_str(), "a", stderr);
    const auto result = run_server(configuration, database, [](const std::string&) {});
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    return static_cast<int>(result.error().code);
  });
}

int LocalCluster::stop() {
  if (pid_ <= 0) return 0;
  ::kill(pid_, SIGINT);
  const int code = wait_child(pid_);
  pid_ = -1;
  return code;
}

void LocalCluster::kill() {
  ::kill(pid_, SIGKILL);
  wait_child(pid_);
  pid_ = -1;
}

Result<void> LocalCluster::prepare() { return postgres::prepare(configuration, database, report()); }

Result<void> LocalCluster::boot() {
  if (auto done = initialise(); !done) return done;
  start();
  return prepare();
}

tl::expected<Connection, ConnectFailure> LocalCluster::connect() {
  return Connection::open(application_parameters(database), Clock::now() + std::chrono::seconds(10));
}

}  // namespace slipway::database::postgres::testing
