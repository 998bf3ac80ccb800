// SPDX-License-Identifier: Apache-2.0

// Whatever the bytes under whatever type: parsing ends, the facts can be asked, nothing that was
// never signed is good. The first line of the input is the type, the rest the decoded public bytes.

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/signed/public_key.h"

using namespace crivet::trust;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto key = PublicKey::Parse(text.substr(0, end), ToBase64(AsBytes(text.substr(end + 1))));
  if (!key) {
    Require(key.error().reason == Reason::kMalformed, "a refusal has its reason");
    return 0;
  }
  Require(NameOf(key->type()) == text.substr(0, end), "a key keeps its type");
  for (const char* method : {"ecdsa", "rsapss", "rsapkcs1v15", "eddsa"}) {
    for (const std::size_t length : {0u, 56u, 64u, 96u, 132u, 256u, 512u}) {
      Require(key->Verify(method, std::string(length, '\x5a'), "message") != SignatureCheck::kGood,
              "what was not signed is not good");
    }
  }
  const std::string gun = "docker.io/acme/web";
  const TimePoint now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24}};
  for (const ExpiryCheck expiry : {ExpiryCheck::kEnforce, ExpiryCheck::kIgnore}) {
    (void)CheckRootCertificate(*key, gun, now, expiry).has_value();
  }
  if (!key->certificates().empty()) {
    (void)ChainsTo(*key, CertificateSet(key->certificates()), now);
    for (const Certificate& certificate : key->certificates()) {
      (void)certificate.subject().size();
      Require(Certificate::FromDer(certificate.der()).has_value(), "a certificate reads as itself");
    }
  }
  return 0;
}
