// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/future_key.h"

#include <string>

#include "trust/base/bytes.h"

namespace crivet::trust {

SigningKey MlDsa65Key() {
  using namespace std::string_view_literals;
  constexpr std::size_t kPublicBytes = 1952;
  const SigningKey key = SigningKey::Ecdsa();
  // 2.16.840.1.101.3.4.3.18, no parameters, a bit string.
  std::string spki(
      "\x30\x82\x07\xb2\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x03\x82\x07\xa1\x00"sv);
  const std::size_t size = spki.size() + kPublicBytes;
  // Different keys, different bytes.
  while (spki.size() < size) {
    const Sha256 more = Sha256Of(key.public_bytes() + spki);
    spki.append(more.begin(), more.end());
  }
  spki.resize(size);
  const std::string base64 = ToBase64(AsBytes(spki));
  std::string pem = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 64) pem += base64.substr(at, 64) + '\n';
  return key.WithBundle(pem + "-----END PUBLIC KEY-----\n").CalledType("ml-dsa-65");
}

}  // namespace crivet::trust
