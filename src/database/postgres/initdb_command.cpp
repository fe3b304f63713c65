#include "database/postgres/initdb_command.hpp"

#include <langinfo.h>
#include <locale.h>
#include <string_view>

namespace slipway::database::postgres {
namespace {

/// initdb accepts unambiguous beginnings of long options, so the beginnings are what is compared.
constexpr std::string_view kReserved[] = {"-D", "-U", "-W", "-X", "--pgd", "--us", "--pw", "--wald", "--sh", "--si"};

bool is_utf8(const std::string& name) {
  const locale_t locale = newlocale(LC_ALL_MASK, name.c_str(), static_cast<locale_t>(nullptr));
  if (locale == static_cast<locale_t>(nullptr)) return false;
  const std::string codeset = nl_langinfo_l(CODESET, locale);
  freelocale(locale);
  return codeset == "UTF-8";
}

}  // namespace

Result<std::vector<std::string>> initdb_command(const std::string& program, const std::string& directory,
                                                const std::string& locale,
                                                const std::vector<std::string>& user_arguments) {
  std::vector<std::string> command{program,
                                   "--pgdata=" + directory,
                                   "--username=postgres",
                                   "--auth-local=peer",
                                   "--auth-host=scram-sha-256",
                                   "--encoding=UTF8",
                                   "--locale=" + locale,
                                   "--data-checksums"};
  for (const auto& argument : user_arguments) {
    for (const auto reserved : kReserved) {
      if (!std::string_view(argument).starts_with(reserved)) continue;
      return failure(ExitCode::kConfiguration,
                     "database.postgres.cluster.initdb_args: " + argument.substr(0, argument.find('=')) +
                         ": Slipway decides this itself: remove it");
    }
    command.push_back(argument);
  }
  return command;
}

std::string usable_locale(const char* lc_all, const char* lang) {
  for (const char* name : {lc_all, lang}) {
    if (name != nullptr && *name != '\0') return is_utf8(name) ? name : "C.UTF-8";
  }
  return "C.UTF-8";
}

}  // namespace slipway::database::postgres
