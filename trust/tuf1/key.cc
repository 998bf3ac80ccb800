// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/key.h"

#include <optional>
#include <string>

#include "trust/signed/json_member.h"

namespace crivet::trust::tuf1 {
namespace {

using namespace std::string_view_literals;
using Algorithm = VerificationKey::Algorithm;

// What stands before the raw key in a SubjectPublicKeyInfo: the named curve, the point written out.
constexpr std::string_view kEd25519Header = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;
constexpr std::string_view kP256Header =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00\x04"sv;
constexpr std::string_view kP384Header =
    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00"
    "\x04"sv;
constexpr std::size_t kEd25519Size = 32;

tl::unexpected<Error> Unusable(const char* why) { return Fail(Reason::kMalformed, why); }

// Hex of either case.
std::optional<std::string> BytesOf(std::string_view hex) {
  std::string lower(hex);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return ::crivet::trust::FromHex(lower);
}

// Whether the text is one PEM block of a public key and nothing else: readers differ in which of
// several they take, and in what they skip.
bool IsOneBlock(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  if (pem.ends_with('\n')) pem.remove_suffix(1);
  if (pem.ends_with('\r')) pem.remove_suffix(1);
  if (!pem.starts_with(kBegin) || !pem.ends_with(kEnd)) return false;
  if (pem.size() < kBegin.size() + kEnd.size()) return false;
  pem.remove_prefix(kBegin.size());
  pem.remove_suffix(kEnd.size());
  return pem.find('-') == std::string_view::npos;
}

}  // namespace

Result<Key> Key::FromHex(std::string_view hex, const Sha256& id) {
  const std::optional<std::string> raw = BytesOf(hex);
  if (!raw || raw->size() != kEd25519Size) return Unusable("an Ed25519 key of another length");
  auto key = VerificationKey::FromSpki(std::string(kEd25519Header) + *raw);
  if (!key) return Unusable("an Ed25519 key that cannot be read");
  return Key(id, *std::move(key), {SignatureScheme::kEd25519, HashAlgorithm::kSha256});
}

Result<Key> Key::FromPem(std::string_view pem, std::string_view scheme, const Sha256& id) {
  if (!IsOneBlock(pem)) return Unusable("not one PEM block of a public key");
  auto key = VerificationKey::FromPem(pem);
  if (!key) return Unusable("not a public key of a kind that is taken");
  const std::string& spki = key->spki();
  if (scheme == "ecdsa-sha2-nistp256") {
    if (!spki.starts_with(kP256Header) || key->algorithm() != Algorithm::kP256) {
      return Unusable("not a point on P-256, written out");
    }
    return Key(id, *std::move(key), {SignatureScheme::kEcdsaDer, HashAlgorithm::kSha256});
  }
  if (scheme == "ecdsa-sha2-nistp384") {
    if (!spki.starts_with(kP384Header) || key->algorithm() != Algorithm::kP384) {
      return Unusable("not a point on P-384, written out");
    }
    return Key(id, *std::move(key), {SignatureScheme::kEcdsaDer, HashAlgorithm::kSha384});
  }
  // Two encodings of one key would count twice.
  if (key->algorithm() != Algorithm::kRsa || !key->IsInDer()) return Unusable("not an RSA key");
  return Key(id, *std::move(key), {SignatureScheme::kRsaPssAnySalt, HashAlgorithm::kSha256});
}

Result<Key> Key::Parse(JsonValue object) {
  const auto type = ReadString(object, "keytype");
  if (!type) return tl::unexpected(type.error());
  const auto scheme = ReadString(object, "scheme");
  if (!scheme) return tl::unexpected(scheme.error());
  const auto value = ReadMember(object, "keyval", JsonType::kObject);
  if (!value) return tl::unexpected(value.error());
  const auto text = ReadString(*value, "public");
  if (!text) return tl::unexpected(text.error());
  for (const auto& exact : {RefuseCaseVariants(object, {"keytype", "scheme", "keyval"}),
                            RefuseCaseVariants(*value, {"public"})}) {
    if (!exact) return tl::unexpected(exact.error());
  }
  const Sha256 id = CanonicalSha256(object);
  if (*type == "ed25519" && *scheme == "ed25519") return FromHex(*text, id);
  const bool on_a_curve =
      (*type == "ecdsa" &&
       (*scheme == "ecdsa-sha2-nistp256" || *scheme == "ecdsa-sha2-nistp384")) ||
      (*type == *scheme && (*type == "ecdsa-sha2-nistp256" || *type == "ecdsa-sha2-nistp384"));
  const bool rsa = *type == "rsa" && *scheme == "rsassa-pss-sha256";
  if (on_a_curve || rsa) return FromPem(*text, *scheme, id);
  return Unusable("a type and scheme that are not taken");
}

SignatureCheck Key::Verify(std::string_view hex, std::string_view message) const {
  const std::optional<std::string> bytes = BytesOf(hex);
  if (!bytes || bytes->empty()) return SignatureCheck::kBad;
  return key_.Verify(scheme_.scheme, scheme_.hash, *bytes, message);
}

}  // namespace crivet::trust::tuf1
