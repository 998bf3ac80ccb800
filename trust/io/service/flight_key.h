// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

#include "trust/io/http/credentials.h"

namespace crivet::trust {

/// FlightKey tells refreshes apart that may run side by side: those of one repository through
/// another server's label, with other credentials (trust/RULES.md#credentials), or for another
/// name.
struct FlightKey {
  std::string trust;
  CredentialsClass credentials{};
  std::string name = {};  ///< AskedName::Key; empty: of all that the rules read
  friend auto operator<=>(const FlightKey&, const FlightKey&) = default;
};

}  // namespace crivet::trust
