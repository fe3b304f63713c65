#pragma once
// What an operator can cause is a value, never an exception: every fallible function of the project returns
// Result<T>, and the Error in it says where, what and what to do, and which exit code it means for a program.

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "config/exit_code.hpp"

namespace slipway {

/// One failure, ready to be shown: `message` reads "where: what: what to do" and never contains a secret.
struct Error {
  std::string message;
  ExitCode code = ExitCode::kInternal;
};

/// Becomes std::expected once the oldest supported compiler has it.
template <typename T>
using Result = tl::expected<T, Error>;

/// `return failure(ExitCode::kConfiguration, "slipway.yaml:3:1: ...");`
inline tl::unexpected<Error> failure(ExitCode code, std::string message) {
  return tl::unexpected<Error>(Error{std::move(message), code});
}

}  // namespace slipway
