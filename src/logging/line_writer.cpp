#include "logging/line_writer.hpp"

#include <algorithm>
#include <cstring>

namespace slipway::logging {

void LineWriter::copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!scratch_) scratch_ = std::make_unique_for_overwrite<char[]>(kScratch);
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

void LineWriter::add_piece(const char* data, std::size_t size) {
  if (pieces_ == kPieces) {
    // The scratch space in use stays as it is: the piece to add may lie in it.
    sink_->write(list_, pieces_);
    pieces_ = 0;
    size_ = size;
  }
  list_[pieces_++] = {const_cast<char*>(data), size};
}

void LineWriter::flush() {
  if (pieces_ > 0) sink_->write(list_, pieces_);
  pieces_ = used_ = size_ = 0;
}

}  // namespace slipway::logging
