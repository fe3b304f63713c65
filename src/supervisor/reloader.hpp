#pragma once
// Another configuration, or another number of replicas, for a container that runs. Reads and checks it (in a child
// process), refuses it whole if anything is wrong or cannot be changed while the container runs, and hands the new plan
// to the engine; the Setup changes at the moment that plan comes into force, not before. One at a time.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "control/handler.hpp"
#include "engine/engine.hpp"
#include "supervisor/configuration_reader.hpp"
#include "supervisor/reporter.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class Reloader {
 public:
  /// Applies an event and returns why it was refused, if it was. May call in_force() before it returns.
  using Apply = std::function<std::optional<std::string>(engine::Event)>;

  /// All references must outlive this. `changed` is called when a report is there.
  Reloader(boost::asio::io_context& context, host::ChildTable& children, Setup& setup, const engine::Engine& engine,
           Reporter& reporter, Apply apply, std::function<void()> changed);

  /// See control::Handler.
  std::uint64_t reload(bool dry_run);
  std::uint64_t scale(const std::string& worker, unsigned replicas);
  [[nodiscard]] std::optional<control::ReplanReport> report(std::uint64_t ticket) const;

  /// The engine has switched: `plan` is in force. The Setup is the new one when this returns.
  void in_force(const engine::Plan& plan);
  /// Call after events: a reload may have been abandoned.
  void look();

 private:
  [[nodiscard]] std::uint64_t begin(const char* what);
  void on_read(Result<config::FileTranscript> transcript);
  [[nodiscard]] Result<Setup> load(const config::FileTranscript& transcript) const;
  [[nodiscard]] Result<void> take_exports(Setup& next, const config::FileTranscript& transcript) const;
  void plan(Setup next);
  void keep_built_in(engine::Plan& plan) const;
  void describe(const engine::Plan& plan);
  void apply();
  void refuse(const std::string& error);
  void finish();

  Setup* setup_;
  const engine::Engine* engine_;
  Reporter* reporter_;
  ConfigurationReader reader_;
  Apply apply_;
  std::function<void()> changed_;

  bool busy_ = false;
  bool dry_run_ = false;
  bool handed_in_ = false;  ///< the engine has the new plan
  const char* what_ = "";
  std::uint64_t ticket_ = 0;  ///< the latest given out
  std::uint64_t current_ = 0;
  std::optional<Setup> next_;
  control::ReplanReport report_;
  std::deque<std::pair<std::uint64_t, control::ReplanReport>> reports_;  ///< the latest few
};

}  // namespace slipway::supervisor
