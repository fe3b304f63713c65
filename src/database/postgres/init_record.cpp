#include "database/postgres/init_record.hpp"

#include <array>
#include <utility>

#include "database/postgres/durable_file.hpp"

namespace slipway::database::postgres {
namespace {

using enum InitStage;
constexpr std::array kStages{std::pair(kCluster, "cluster"), std::pair(kInitScripts, "init-scripts"),
                             std::pair(kDiscarding, "discarding"), std::pair(kComplete, "complete")};

}  // namespace

Result<std::optional<InitStage>> read_record(const std::string& data_dir) {
  const auto path = data_dir + "/" + kRecordName;
  if (!exists(path)) return std::nullopt;
  auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  for (const auto& [stage, name] : kStages) {
    if (*text == std::string("stage=") + name + "\n") return stage;
  }
  return failure(
      ExitCode::kClusterRefused,
      path + ": not understood: a newer Slipway wrote it, or it is damaged; if the cluster is complete, remove it");
}

Result<void> write_record(const std::string& data_dir, InitStage stage, const OsIdentity& identity) {
  for (const auto& [known, name] : kStages) {
    if (known == stage) {
      return replace_file(data_dir + "/" + kRecordName, std::string("stage=") + name + "\n", 0600, identity.uid,
                          identity.gid);
    }
  }
  return {};
}

}  // namespace slipway::database::postgres
