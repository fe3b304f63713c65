#include "programs/personalities/print.hpp"

#include <algorithm>
#include <climits>
#include <poll.h>
#include <unistd.h>

namespace slipway::program {
namespace {

void write_while_possible(int descriptor, std::string_view text, int patience) {
  pollfd ready{descriptor, POLLOUT, 0};
  // A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)).
  while (!text.empty() && ::poll(&ready, 1, patience) > 0) {
    const ssize_t written = ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void print(int descriptor, std::string_view text) { write_while_possible(descriptor, text, 0); }

void print_patiently(int descriptor, std::string_view text) { write_while_possible(descriptor, text, 1000); }

}  // namespace slipway::program
