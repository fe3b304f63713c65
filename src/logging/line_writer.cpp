#include "logging/line_writer.hpp"

#include <algorithm>
#include <cstring>

namespace slipway::logging {

void LineWriter::copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!scratch_) scratch_ = std::make_unique<char[]>(kScratch);
    if (used_ == kScratch) flush();
    const std::size_t size = std::min(bytes.size(), kScratch - used_);
    std::memcpy(scratch_.get() + used_, bytes.data(), size);
    add(scratch_.get() + used_, size);
    used_ += size;
    bytes.remove_prefix(size);
  }
}

void LineWriter::refer(std::string_view bytes) {
  if (bytes.size() < kShort) return copy(bytes);
  add(bytes.data(), bytes.size());
}

void LineWriter::add(const char* data, std::size_t size) {
  last_ = data[size - 1];
  if (pieces_ > 0) {
    iovec& previous = list_[pieces_ - 1];
    if (static_cast<char*>(previous.iov_base) + previous.iov_len == data) {
      previous.iov_len += size;
      return;
    }
  }
  if (pieces_ == kPieces) {
    // The scratch space in use stays as it is: the piece to add may lie in it.
    output_.write(list_, pieces_);
    pieces_ = 0;
  }
  list_[pieces_++] = {const_cast<char*>(data), size};
}

void LineWriter::flush() {
  if (pieces_ > 0) output_.write(list_, pieces_);
  pieces_ = used_ = 0;
}

}  // namespace slipway::logging
