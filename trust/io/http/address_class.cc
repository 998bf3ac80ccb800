// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/address_class.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace crivet::trust {
namespace {

struct Net4 {
  std::uint32_t address;
  unsigned bits;
  AddressClass of;
};

// RFC 6890, as far as it is not for everybody.
constexpr std::array kNets4 = {
    Net4{0x00000000, 8, AddressClass::kForbidden},   // this host
    Net4{0x0a000000, 8, AddressClass::kPrivate},     // 10/8
    Net4{0x64400000, 10, AddressClass::kPrivate},    // 100.64/10
    Net4{0x7f000000, 8, AddressClass::kLoopback},    // 127/8
    Net4{0xa9fe0000, 16, AddressClass::kForbidden},  // 169.254/16
    Net4{0xac100000, 12, AddressClass::kPrivate},    // 172.16/12
    Net4{0xc0000000, 24, AddressClass::kForbidden},  // 192.0.0/24, where some clouds keep the same
    Net4{0xc0a80000, 16, AddressClass::kPrivate},    // 192.168/16
    Net4{0xc6120000, 15, AddressClass::kPrivate},    // 198.18/15, benchmarks
    Net4{0xe0000000, 3, AddressClass::kForbidden},   // multicast, reserved, broadcast
};

AddressClass ClassOf4(std::uint32_t address) {
  const auto* const net = std::find_if(kNets4.begin(), kNets4.end(), [address](const Net4& each) {
    return (address ^ each.address) >> (32 - each.bits) == 0;
  });
  return net == kNets4.end() ? AddressClass::kPublic : net->of;
}

AddressClass ClassOf6(const std::array<std::uint8_t, 16>& bytes) {
  const auto begins_with = [&bytes](std::initializer_list<std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
  };
  const auto v4_at = [&bytes](std::size_t at) {
    return ClassOf4(static_cast<std::uint32_t>(bytes[at]) << 24 |
                    static_cast<std::uint32_t>(bytes[at + 1]) << 16 |
                    static_cast<std::uint32_t>(bytes[at + 2]) << 8 |
                    static_cast<std::uint32_t>(bytes[at + 3]));
  };
  constexpr std::size_t kLast4 = 12;
  if (begins_with({0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) {
    const bool mapped = bytes[10] == 0xff && bytes[11] == 0xff;
    const bool compatible = bytes[10] == 0 && bytes[11] == 0;
    if (compatible && bytes[12] == 0 && bytes[13] == 0 && bytes[14] == 0 && bytes[15] == 1) {
      return AddressClass::kLoopback;
    }
    return mapped || compatible ? v4_at(kLast4) : AddressClass::kForbidden;
  }
  if (begins_with({0x00, 0x64, 0xff, 0x9b})) {
    // NAT64 (RFC 6052, RFC 8215). Of a prefix shorter than 96 bits a translator takes the address
    // from other bits, and the last ones say what their writer likes.
    const bool last = bytes[4] == 0 && bytes[5] <= 1 &&
                      std::all_of(bytes.begin() + 6, bytes.begin() + kLast4,
                                  [](std::uint8_t byte) { return byte == 0; });
    return last ? v4_at(kLast4) : AddressClass::kForbidden;
  }
  if (begins_with({0x20, 0x02})) return v4_at(2);                // 6to4
  if ((bytes[0] & 0xfe) == 0xfc) return AddressClass::kPrivate;  // fc00::/7
  if ((bytes[0] & 0xe0) == 0x20) return AddressClass::kPublic;   // 2000::/3
  return AddressClass::kForbidden;  // fe80::/10, fec0::/10, ff00::/8, and what nobody has been
                                    // given
}

}  // namespace

AddressClass ClassOfAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    return ClassOf4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return ClassOf6(bytes);
  }
  return AddressClass::kForbidden;
}

AddressClass ClassOfAddress(const std::string& text) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1) {
    return ClassOf4(ntohl(in.sin_addr.s_addr));
  }
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return ClassOf6(bytes);
  return AddressClass::kForbidden;
}

}  // namespace crivet::trust
