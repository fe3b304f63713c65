#include "database/postgres/access_rules.hpp"

#include <algorithm>
#include <set>

namespace slipway::database::postgres {

std::string provisioning_rules() {
  return "# Written by Slipway at every boot, while the database is being prepared.\n"
         "local all all peer map=slipway\n"
         "local replication all reject\n"
         "host all all all reject\n"
         "host replication all all reject\n";
}

std::string final_rules(const std::vector<std::string>& user_lines, const std::string& superuser) {
  std::string text = "# Written by Slipway at every boot; lines of your own go into database.postgres.cluster.hba.\n";
  for (const auto& line : user_lines) text += line + "\n";
  if (expressible(superuser)) text += "local all " + quoted_word(superuser) + " peer map=slipway\n";
  return text + "local all all scram-sha-256\nhost all all all scram-sha-256\n";
}

std::string ident_map(const std::vector<std::string>& peers, const std::vector<std::string>& roles) {
  std::set<std::string> lines;
  for (const auto& peer : peers) {
    for (const auto& role : roles) {
      if (expressible(peer) && expressible(role))
        lines.insert("slipway " + quoted_word(peer) + " " + quoted_word(role) + "\n");
    }
  }
  std::string text = "# Written by Slipway at every boot.\n";
  for (const auto& line : lines) text += line;
  return text;
}

bool expressible(const std::string& name) {
  return !name.empty() && name.front() != '/' && name.find_first_of(std::string("\n\r\0", 3)) == std::string::npos;
}

std::string quoted_word(const std::string& word) {
  std::string text = "\"";
  for (const char c : word) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

std::string quoted_setting(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    switch (c) {
      case '\'':
        text += "''";
        break;
      case '\\':
        text += "\\\\";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      default:
        text += c;
    }
  }
  return text + "'";
}

}  // namespace slipway::database::postgres
