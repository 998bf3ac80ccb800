// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

struct sockaddr;

namespace crivet::trust {

/// AddressClass is how far away an address is. The order counts: who is asked at one of a class may
/// send on to that class and those before it, and nobody to kForbidden
/// (trust/RULES.md#asking-a-registry).
enum class AddressClass : std::uint8_t {
  kPublic,
  kPrivate,  ///< RFC 1918, RFC 6598 (100.64/10), unique local IPv6
  kLoopback,
  kForbidden,  ///< link-local, where clouds keep a machine's credentials; unspecified, multicast,
               ///< reserved; not IP at all
};

/// ClassOf an address, an IPv4 one inside IPv6 (mapped, compatible, NAT64, 6to4) as that. Pure.
AddressClass ClassOfAddress(const sockaddr& address);

/// The same of its text, without brackets or zone; kForbidden where it is none. Pure.
AddressClass ClassOfAddress(const std::string& text);

}  // namespace crivet::trust
