#include "config/loader.hpp"

#include <cstring>
#include <unistd.h>

#include "config/loading/binder.hpp"
#include "config/loading/checks.hpp"
#include "config/loading/configuration_text.hpp"
#include "config/loading/environment_sources.hpp"
#include "config/loading/overrides.hpp"
#include "config/sha256.hpp"

namespace slipway::config {
namespace {

/// The steps of one load, in order. Each sees what the ones before it produced.
class Load {
 public:
  explicit Load(const LoadRequest& request) : request_(request) {}

  tl::expected<Loaded, LoadFailure> run() {
    text_ = find_configuration(request_, problems_);
    loaded_.source = text_.source;
    if (problems_.empty()) root_ = read_document(text_, problems_);
    const bool usable = problems_.empty() || (root_.complete && root_.kind == Node::Kind::kMap);
    apply_overrides(root_, request_.environment, problems_);
    if (usable) {
      read_environment();
      read_sections();
    }
    if (!problems_.empty()) return tl::unexpected(LoadFailure{problems_.sorted(), read_markers()});
    loaded_.sha256 = sha256(text_.text);
    loaded_.secrets = secrets_.list();
    return std::move(loaded_);
  }

 private:
  /// The sources see the container's variables, the `environment` section sees both.
  void read_environment() {
    Configuration& configuration = loaded_.configuration;
    bind(request_.environment, [](std::string_view key) { return key == "environment_sources"; }, false);
    const StringMap sources = read_environment_sources(configuration.environment_sources, request_, places_, problems_);
    StringMap merged = request_.environment;
    merged.insert(sources.begin(), sources.end());
    bind(merged, [](std::string_view key) { return key == "environment"; }, false);
    for (const auto& [name, value] : configuration.environment) merged[name] = value;
    for (const auto& [name, value] : sources) loaded_.source_environment[name] = merged[name];
    secrets_.add_variables(merged);
    secrets_.add_variables(sources);
    loaded_.environment = std::move(merged);
  }

  void read_sections() {
    bind(
        loaded_.environment, [](std::string_view key) { return key != "environment" && key != "environment_sources"; },
        true);
    complete(loaded_.configuration, places_);
    check(loaded_.configuration, places_, problems_);
  }

  void bind(const StringMap& variables, const std::function<bool(std::string_view)>& wanted, bool report_unknown) {
    Binder(variables, problems_, secrets_, places_).bind_root(root_, loaded_.configuration, wanted, report_unknown);
  }

  /// Best effort: whatever else is wrong, the markers' place is probably right.
  Markers read_markers() {
    Configuration configuration;
    Problems ignored;
    SecretCollector secrets;
    Places places;
    const StringMap& variables = loaded_.environment.empty() ? request_.environment : loaded_.environment;
    Binder(variables, ignored, secrets, places)
        .bind_root(root_, configuration, [](std::string_view key) { return key == "markers"; }, false);
    return configuration.markers;
  }

  const LoadRequest& request_;
  Problems problems_;
  SecretCollector secrets_;
  Places places_;
  ConfigurationText text_;
  Node root_;
  Loaded loaded_;
};

}  // namespace

tl::expected<Loaded, LoadFailure> load(const LoadRequest& request) { return Load(request).run(); }

StringMap process_environment() {
  StringMap variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (const char* equals = std::strchr(*entry, '='); equals != nullptr && equals != *entry)
      variables.emplace(std::string_view(*entry).substr(0, static_cast<std::size_t>(equals - *entry)), equals + 1);
  return variables;
}

}  // namespace slipway::config
