#include "database/postgres/scram.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <optional>
#include <string_view>
#include <vector>

namespace slipway::database::postgres {
namespace {

using Key = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

struct Parts {
  int iterations = 0;
  std::vector<unsigned char> salt;
  std::vector<unsigned char> stored_key;
};

std::optional<std::vector<unsigned char>> decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  const auto* input = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DecodeBlock(bytes.data(), input, static_cast<int>(text.size())) < 0) return std::nullopt;
  const auto padding = std::count(text.end() - 2, text.end(), '=');
  bytes.resize(bytes.size() - static_cast<std::size_t>(padding));
  return bytes;
}

std::optional<Parts> parse(std::string_view verifier) {
  constexpr std::string_view kMethod = "SCRAM-SHA-256$";
  if (!verifier.starts_with(kMethod)) return std::nullopt;
  verifier.remove_prefix(kMethod.size());
  const auto colon = verifier.find(':');
  const auto dollar = verifier.find('$');
  const auto second = verifier.find(':', dollar == std::string_view::npos ? 0 : dollar);
  if (colon == std::string_view::npos || dollar == std::string_view::npos || second == std::string_view::npos ||
      colon > dollar) {
    return std::nullopt;
  }
  Parts parts;
  const auto number = std::from_chars(verifier.data(), verifier.data() + colon, parts.iterations);
  auto salt = decode(verifier.substr(colon + 1, dollar - colon - 1));
  auto stored = decode(verifier.substr(dollar + 1, second - dollar - 1));
  if (number.ec != std::errc() || parts.iterations <= 0 || !salt || !stored) return std::nullopt;
  parts.salt = std::move(*salt);
  parts.stored_key = std::move(*stored);
  return parts;
}

bool is_plain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

bool scram_verifier_matches(const std::string& verifier, const config::Secret& password) {
  const auto parts = parse(verifier);
  const auto& text = password.reveal();
  if (!parts || !is_plain(text)) return false;
  Key salted{};
  Key client{};
  Key stored{};
  unsigned int size = 0;
  constexpr std::string_view kLabel = "Client Key";
  const bool derived =
      PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), parts->salt.data(),
                        static_cast<int>(parts->salt.size()), parts->iterations, EVP_sha256(),
                        static_cast<int>(salted.size()), salted.data()) == 1 &&
      HMAC(EVP_sha256(), salted.data(), static_cast<int>(salted.size()),
           reinterpret_cast<const unsigned char*>(kLabel.data()), kLabel.size(), client.data(), &size) != nullptr &&
      SHA256(client.data(), client.size(), stored.data()) != nullptr;
  return derived && parts->stored_key.size() == stored.size() &&
         CRYPTO_memcmp(parts->stored_key.data(), stored.data(), stored.size()) == 0;
}

}  // namespace slipway::database::postgres
