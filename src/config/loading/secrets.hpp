#pragma once
// Which values must never be shown: by the key's type, by a variable's name, by their place in a URL.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.hpp"

namespace slipway::config {

/// True for names such as DB_PASSWORD, API_KEY, AUTH_TOKEN; false for what only names a file (PASSWORD_FILE).
[[nodiscard]] bool looks_secret(std::string_view name);

/// Gathers secret texts during one load.
class SecretCollector {
 public:
  /// Ignores what is too short or too common: redacting it would garble every log.
  void add(std::string_view value);
  /// Adds the password of `scheme://user:password@host`, as written and percent-decoded.
  void add_url_password(std::string_view url);
  /// Adds every value whose name looks secret, and the passwords of URLs in the others.
  void add_variables(const StringMap& variables);
  /// Longest first, so that a secret which contains another one is redacted whole.
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  std::set<std::string> values_;
};

}  // namespace slipway::config
