// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "trust/base/reason.h"

namespace crivet::trust {

/// Error is why a value could not be made. `reason` is the contract (tests, metrics, policy act on
/// it); `detail` is for people, may change, and holds nothing secret.
struct Error {
  Reason reason;
  std::string detail;
  friend bool operator==(const Error&, const Error&) = default;
};

/// Result is a value or the Error that kept it from existing. No exception crosses our functions.
template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> Fail(Reason reason, std::string detail) {
  return tl::unexpected<Error>(Error{reason, std::move(detail)});
}

}  // namespace crivet::trust
