#include <algorithm>
#include <set>

#include "config/kernel_names.hpp"
#include "config/loading/checks.hpp"
#include "config/loading/scalars.hpp"

namespace slipway::config {
namespace {

class ProcessChecks {
 public:
  ProcessChecks(const Places& places, Problems& problems) : places_(places), problems_(problems) {}

  void limits(const std::string& path, const Worker& worker) {
    std::set<int> seen;
    for (const auto& [name, limit] : worker.ulimits) {
      const std::string key = path + ".ulimits." + name;
      const auto resource = limit_resource(name);
      if (!resource) {
        problems_.add(places_.key(key),
                      "ulimits: there is no limit " + shown({name}) + suggestion(name, limit_names()));
        continue;
      }
      if (!seen.insert(*resource).second)
        problems_.add(places_.key(key), "ulimits: " + std::string(limit_name(*resource)) + " is given twice");
      bounds(key, name, limit);
    }
  }

  void capabilities(const std::string& path, const Worker& worker) {
    const auto all = [](const std::vector<std::string>& names) {
      return std::any_of(names.begin(), names.end(), [](const std::string& name) { return is_every_capability(name); });
    };
    if (all(worker.cap_add) && all(worker.cap_drop))
      return problems_.add(places_.key(path + ".cap_drop"),
                           "cap_drop: all, and cap_add is all too: remove one of them");
    for (std::size_t index = 0; index < worker.cap_drop.size(); ++index) {
      const auto dropped = capability_number(worker.cap_drop[index]);
      const auto same = [&](const std::string& name) { return capability_number(name) == dropped; };
      if (dropped && std::any_of(worker.cap_add.begin(), worker.cap_add.end(), same))
        problems_.add(places_.value(path + ".cap_drop[" + std::to_string(index) + "]"),
                      "cap_drop: " + worker.cap_drop[index] + " is in cap_add too: remove one of them");
    }
  }

 private:
  void bounds(const std::string& key, const std::string& name, const Ulimit& limit) {
    const bool tried = places_.keys.contains(key + ".soft") || places_.keys.contains(key + ".hard");
    if (!limit.soft && !limit.hard && !tried)
      return problems_.add(places_.key(key), name + ": give a number, or soft and hard");
    if (!limit.soft || !limit.hard || *limit.hard == kUnlimited) return;
    if (*limit.soft == kUnlimited || *limit.soft > *limit.hard)
      problems_.add(places_.value(key + ".soft"), "soft: more than hard, " + std::to_string(*limit.hard));
  }

  const Places& places_;
  Problems& problems_;
};

}  // namespace

void check_process(const std::string& path, const Worker& worker, const Places& places, Problems& problems) {
  ProcessChecks checks(places, problems);
  checks.limits(path, worker);
  checks.capabilities(path, worker);
}

}  // namespace slipway::config
