#include "database/postgres/server_command.hpp"

#include <cctype>

#include "database/postgres/access_rules.hpp"

namespace slipway::database::postgres {
namespace {

struct Owned {
  const char* name;
  const char* instead;
};
constexpr Owned kOwned[] = {
    {"hba_file", "use cluster.hba"},
    {"ident_file", "use cluster.hba"},
    {"data_directory", "use cluster.data_dir"},
    {"config_file", "use cluster.settings"},
    {"port", "use database.postgres.port"},
    {"unix_socket_directories", "Slipway needs its own, /var/run/postgresql is added when writable"}};

bool is_name(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) != 0) return false;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.') return false;
  }
  return true;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

std::string local_port(const ResolvedDatabase& database) {
  return database.endpoints.empty() || database.endpoints.front().port.empty() ? "5432"
                                                                               : database.endpoints.front().port;
}

Result<void> check_listening(const config::PostgresCluster& cluster, const ResolvedDatabase& database) {
  const auto set = cluster.settings.find("listen_addresses");
  const auto& addresses = set == cluster.settings.end() ? cluster.listen_addresses : set->second;
  if (!addresses.empty() || database.endpoints.empty() || database.endpoints.front().host.starts_with("/")) return {};
  return failure(ExitCode::kConfiguration,
                 "database.postgres.cluster.listen_addresses: is empty, but the application connects to " +
                     database.endpoints.front().host +
                     ": set localhost, or a socket directory as database.postgres.host");
}

Result<std::string> settings_text(const config::PostgresCluster& cluster, const std::string& data_dir) {
  const std::string where = "database.postgres.cluster.settings.";
  std::string text =
      "# Written by Slipway at every boot.\ninclude_if_exists " + quoted_setting(data_dir + "/postgresql.conf") + "\n";
  for (const auto& [name, value] : cluster.settings) {
    if (!is_name(name)) {
      return failure(ExitCode::kConfiguration, where + name + ": not the name of a setting: correct it");
    }
    for (const auto& owned : kOwned) {
      if (lower(name) == owned.name) {
        return failure(ExitCode::kConfiguration, where + name + ": cannot be set here: " + owned.instead);
      }
    }
    text += name + " = " + quoted_setting(value) + "\n";
  }
  return text;
}

std::vector<std::string> server_command(const std::string& program, const config::PostgresCluster& cluster,
                                        const ResolvedDatabase& database, const std::string& data_dir,
                                        const ServerFiles& files, const std::vector<std::string>& socket_directories) {
  std::string sockets;
  for (const auto& directory : socket_directories) sockets += (sockets.empty() ? "" : ",") + quoted_word(directory);
  std::vector<std::string> command{program, "-D", data_dir};
  const auto set = [&](const std::string& name, const std::string& value) {
    command.insert(command.end(), {"-c", name + "=" + value});
  };
  // Recorded in postmaster.opts: tells that no other start of this cluster came after ours.
  set("slipway.managed", "on");
  set("config_file", files.settings());
  set("hba_file", files.rules());
  set("ident_file", files.map());
  set("unix_socket_directories", sockets);
  set("port", local_port(database));
  if (!cluster.settings.contains("listen_addresses")) set("listen_addresses", cluster.listen_addresses);
  return command;
}

}  // namespace slipway::database::postgres
