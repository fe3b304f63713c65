#include "programs/personalities/personality.hpp"

#include <string_view>

#include "host/descriptor.hpp"
#include "host/signals.hpp"
#include "programs/personalities/dumb_init.hpp"
#include "programs/personalities/tini.hpp"

namespace slipway::program {

std::optional<int> run_personality(int argc, char** argv) {
  std::string_view name = argc > 0 ? argv[0] : "";
  name.remove_prefix(name.rfind('/') + 1);
  const bool tini = name == "tini";
  if (!tini && name != "dumb-init") return std::nullopt;
  const host::SignalState inherited = host::current_signal_state();
  // Before anything else: what PID 1 is sent until then is lost.
  host::Signals::hold(tini ? tini_signals() : dumb_init_signals());
  host::fill_standard_descriptors();
  return tini ? run_tini(argc, argv, inherited) : run_dumb_init(argc, argv);
}

}  // namespace slipway::program
