#include "logging/redaction.hpp"

#include <algorithm>

namespace slipway::logging {
namespace {

std::string percent_encode(std::string_view text, const char* digits) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (plain || kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4U];
      encoded += digits[byte & 15U];
    }
  }
  return encoded;
}

}  // namespace

Redaction::Redaction(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < 2) continue;
    needles_.push_back(secret);
    needles_.push_back(percent_encode(secret, "0123456789ABCDEF"));
    needles_.push_back(percent_encode(secret, "0123456789abcdef"));
  }
  std::sort(needles_.begin(), needles_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  needles_.erase(std::unique(needles_.begin(), needles_.end()), needles_.end());
}

std::string Redaction::apply(std::string_view text) const {
  // One pass, so that what was put in is not searched again.
  std::string result;
  while (!text.empty()) {
    const auto found = std::find_if(needles_.begin(), needles_.end(),
                                    [&](const std::string& needle) { return text.starts_with(needle); });
    result += found == needles_.end() ? text.substr(0, 1) : std::string_view("***");
    text.remove_prefix(found == needles_.end() ? 1 : found->size());
  }
  return result;
}

}  // namespace slipway::logging
