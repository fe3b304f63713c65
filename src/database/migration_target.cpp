#include "database/migration_target.hpp"

namespace slipway::database {
namespace {

class NoTarget : public MigrationTarget {
 public:
  Result<void> lock() override { return {}; }
  [[nodiscard]] int lock_descriptor() const override { return -1; }
  Result<void> check_lock() override { return {}; }
  void unlock() override {}
  Result<std::optional<std::string>> backup() override { return std::nullopt; }
  Result<void> prepare() override { return {}; }
  std::string schema_version() override { return ""; }
};

}  // namespace

std::unique_ptr<MigrationTarget> no_target() { return std::make_unique<NoTarget>(); }

std::string schema_version_query(config::MigrationTool tool) {
  switch (tool) {
    case config::MigrationTool::kAlembic:
      return "SELECT version_num FROM alembic_version ORDER BY version_num";
    case config::MigrationTool::kDjango:
      return "SELECT app || '.' || name FROM django_migrations ORDER BY id DESC LIMIT 1";
    case config::MigrationTool::kCommand:
      return "";
  }
  return "";
}

}  // namespace slipway::database
