#include "database/line_relay.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace slipway::database {
namespace {

constexpr std::size_t kBeginning = 1024UL * 1024;
constexpr std::size_t kLastLines = 20;
constexpr std::size_t kLongestLine = 64UL * 1024;
constexpr std::size_t kLongestKept = 1000;

}  // namespace

void LineRelay::pass_on(std::string_view bytes) const {
  while (target_ >= 0 && !bytes.empty()) {
    const ssize_t put = ::write(target_, bytes.data(), bytes.size());
    if (put > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      pollfd writable{target_, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;  // Nobody reads any more; the migration matters more than its words.
    }
  }
}

void LineRelay::take_line(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  last_lines_.emplace_back(line.substr(0, kLongestKept));
  if (last_lines_.size() > kLastLines) last_lines_.pop_front();
}

void LineRelay::feed(std::string_view bytes) {
  beginning_.append(bytes.substr(0, kBeginning - std::min(kBeginning, beginning_.size())));
  pending_.append(bytes);
  std::size_t end = pending_.rfind('\n');
  if (end == std::string::npos && pending_.size() < kLongestLine) return;
  end = end == std::string::npos ? pending_.size() : end + 1;
  const std::string_view lines = std::string_view(pending_).substr(0, end);
  pass_on(lines);
  for (std::size_t start = 0; start < lines.size();) {
    const auto newline = std::min(lines.find('\n', start), lines.size());
    take_line(lines.substr(start, newline - start));
    start = newline + 1;
  }
  pending_.erase(0, end);
}

void LineRelay::finish() {
  if (pending_.empty()) return;
  feed("\n");
}

}  // namespace slipway::database
