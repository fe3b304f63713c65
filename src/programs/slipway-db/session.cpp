#include "programs/slipway-db/session.hpp"

#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace slipway::programs {
namespace {

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace

void print_line(std::string_view level, std::string_view text) {
  write_all(STDERR_FILENO, std::string(level) + ": " + std::string(text) + "\n");
}

void print_result(std::string_view text) { write_all(STDOUT_FILENO, std::string(text) + "\n"); }

Result<Session> Session::open(const std::string& config_path) {
  config::LoadRequest request;
  request.path = config_path;
  request.environment = config::process_environment();
  std::error_code error;
  const auto directory = std::filesystem::current_path(error);
  if (!error) request.working_directory = directory.string();
  auto loaded = config::load(request);
  if (!loaded) {
    std::string text;
    for (const auto& each : loaded.error().diagnostics) text += (text.empty() ? "" : "\n") + config::to_string(each);
    return failure(ExitCode::kConfiguration, std::move(text));
  }
  Session session;
  session.loaded_ = std::move(*loaded);
  auto resolved = database::resolve(session.loaded_.configuration);
  if (!resolved) return tl::unexpected(resolved.error());
  session.database_ = std::move(*resolved);
  auto secrets = session.loaded_.secrets;
  for (auto& text : database::secret_texts(session.database_)) secrets.push_back(std::move(text));
  session.redaction_ = logging::Redaction(secrets);
  return session;
}

database::Report Session::report() const {
  return [this](const std::string& line) { print_line("info", redacted(line)); };
}

}  // namespace slipway::programs
