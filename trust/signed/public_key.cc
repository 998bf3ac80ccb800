// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: five types of key, each read and checked beside the others.
#include "trust/signed/public_key.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "trust/signed/openssl_handles.h"

// Above 400 lines: reading a key, naming it and checking with it share the tables of types and
// curves, and whoever reviews one of them wants the others beside it.
namespace crivet::trust {

using openssl::QuietErrors;

/// Certified is what a key has beside itself that is given in a certificate.
struct PublicKey::Certified {
  KeyId canonical_id;
  std::vector<Certificate> certificates;
};

struct PublicKey::State {
  KeyType type;
  KeyId id;
  Sha256 spki_sha256;
  std::unique_ptr<const Certified> certified;  ///< of x509 types
  // As it stands in the file: what OpenSSL makes of it takes kilobytes, and a thousand repositories
  // have thousands of keys, each of which checks a signature now and then.
  std::string spki;
};

namespace {

struct KeyTypeName {
  KeyType type;
  std::string_view name;
};
constexpr KeyTypeName kKeyTypes[] = {
    {KeyType::kEcdsa, "ecdsa"},      {KeyType::kEcdsaX509, "ecdsa-x509"}, {KeyType::kRsa, "rsa"},
    {KeyType::kRsaX509, "rsa-x509"}, {KeyType::kEd25519, "ed25519"},
};

// The curves of Go's crypto/elliptic. `header` is all of the SubjectPublicKeyInfo in DER that comes
// before the uncompressed point: a key has exactly this one encoding.
struct Curve {
  const char* name;
  std::size_t coordinate_size;
  std::string_view header;

  std::size_t point_size() const { return 1 + 2 * coordinate_size; }
};
using namespace std::string_view_literals;
constexpr Curve kCurves[] = {
    {"secp224r1", 28,
     "\x30\x4e\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x21"
     "\x03\x3a\x00"sv},
    {"prime256v1", 32,
     "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
     "\x03\x42\x00"sv},
    {"secp384r1", 48,
     "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
     "\x03\x62\x00"sv},
    {"secp521r1", 66,
     "\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"
     "\x03\x81\x86\x00"sv},
};

constexpr std::string_view kEd25519Header = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;
constexpr std::size_t kEd25519KeySize = 32;
constexpr std::size_t kEd25519SignatureSize = 64;
constexpr int kPssSaltSize = 32;

tl::unexpected<Error> Malformed(const char* detail) { return Fail(Reason::kMalformed, detail); }

std::optional<KeyType> KeyTypeOf(std::string_view name) {
  for (const KeyTypeName& known : kKeyTypes) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

// The hash of {"keytype":T,"keyval":{"private":null,"public":B64}}; nothing in it needs escaping.
KeyId IdOf(KeyType type, std::string_view public_bytes) {
  std::string object = R"({"keytype":")";
  object += NameOf(type);
  object += R"(","keyval":{"private":null,"public":")";
  object += ToBase64(AsBytes(public_bytes));
  object += R"("}})";
  return KeyId(Sha256Of(object));
}

std::string SpkiOf(EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const int size = i2d_PUBKEY(key, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

bool HasSoundRsaParameters(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < PublicKey::kMinRsaBits || bits > PublicKey::kMaxRsaBits) return false;
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, "e", &raw) != 1) return false;
  const openssl::BigNumber exponent(raw);
  // Go takes exponents of 31 bits.
  return BN_is_odd(exponent.get()) && !BN_is_one(exponent.get()) &&
         BN_num_bits(exponent.get()) <= 31;
}

const Curve* CurveOf(std::string_view spki) {
  const auto* curve = std::find_if(std::begin(kCurves), std::end(kCurves), [&](const Curve& known) {
    return spki.starts_with(known.header) &&
           spki.size() == known.header.size() + known.point_size();
  });
  return curve == std::end(kCurves) ? nullptr : curve;
}

// OpenSSL's decoder takes 150 us for a key and its encoder 80 us; with the header known there is
// nothing to decode. That the point lies on the curve is checked by the library.
openssl::Key LoadEcdsa(const Curve& curve, std::string_view spki) {
  std::string point(spki.substr(curve.header.size()));
  std::string name(curve.name);
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    return nullptr;
  }
  return openssl::Key(key);
}

openssl::Key LoadRsa(std::string_view spki) {
  const auto* at = reinterpret_cast<const unsigned char*>(spki.data());
  return openssl::Key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
}

openssl::Key LoadEd25519(std::string_view spki) {
  const auto bytes = AsBytes(spki.substr(kEd25519Header.size()));
  return openssl::Key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()));
}

Result<void> CheckEcdsaSpki(std::string_view der) {
  const Curve* const curve = CurveOf(der);
  if (curve == nullptr) {
    return Malformed("not an ECDSA key of a supported curve, in DER with its point written out");
  }
  if (der[curve->header.size()] != POINT_CONVERSION_UNCOMPRESSED) {
    return Malformed("a compressed point");
  }
  if (!LoadEcdsa(*curve, der)) return Malformed("an ECDSA key whose point is not on its curve");
  return {};
}

Result<void> CheckRsaSpki(std::string_view der) {
  const openssl::Key key = LoadRsa(der);
  if (!key) return Malformed("not a public key");
  // Two encodings of one key would be two IDs and count twice.
  if (SpkiOf(key.get()) != der) return Malformed("a public key that is not in DER");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return Malformed("a public key of another algorithm than its type says");
  }
  if (!HasSoundRsaParameters(key.get())) {
    return Malformed("an RSA key outside 2048 to 8192 bits or with a bad exponent");
  }
  return {};
}

// OpenSSL's three answers; whatever is neither yes nor no is a failure.
SignatureCheck CheckOf(int result) {
  if (result == 1) return SignatureCheck::kGood;
  return result == 0 ? SignatureCheck::kBad : SignatureCheck::kLibraryFailure;
}

// Notary's fixed-width r and s, as the DER that OpenSSL wants; empty on failure of the library.
std::string EcdsaToDer(std::string_view signature) {
  const auto bytes = AsBytes(signature);
  const int size = static_cast<int>(bytes.size() / 2);
  openssl::BigNumber r(BN_bin2bn(bytes.data(), size, nullptr));
  openssl::BigNumber s(BN_bin2bn(bytes.data() + size, size, nullptr));
  const openssl::EcdsaSignature both(ECDSA_SIG_new());
  if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return {};
  // set0 has taken them.
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(both.get(), &der);
  if (der_size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(der_size));
  OPENSSL_free(der);
  return text;
}

SignatureCheck VerifyEcdsa(std::string_view spki, std::string_view signature,
                           const Sha256& digest) {
  const Curve* const curve = CurveOf(spki);
  if (curve == nullptr) return SignatureCheck::kLibraryFailure;
  if (signature.size() != 2 * curve->coordinate_size) return SignatureCheck::kBad;
  const openssl::Key key = LoadEcdsa(*curve, spki);
  const std::string der = EcdsaToDer(signature);
  if (!key || der.empty()) return SignatureCheck::kLibraryFailure;
  const openssl::KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1) {
    return SignatureCheck::kLibraryFailure;
  }
  const auto bytes = AsBytes(der);
  return CheckOf(
      EVP_PKEY_verify(context.get(), bytes.data(), bytes.size(), digest.data(), digest.size()));
}

SignatureCheck VerifyRsa(std::string_view spki, int padding, std::string_view signature,
                         const Sha256& digest) {
  const openssl::Key key = LoadRsa(spki);
  if (!key) return SignatureCheck::kLibraryFailure;
  if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.get()))) {
    return SignatureCheck::kBad;
  }
  const openssl::KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return SignatureCheck::kLibraryFailure;
  }
  if (padding == RSA_PKCS1_PSS_PADDING &&
      (EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), kPssSaltSize) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) != 1)) {
    return SignatureCheck::kLibraryFailure;
  }
  const auto bytes = AsBytes(signature);
  return CheckOf(
      EVP_PKEY_verify(context.get(), bytes.data(), bytes.size(), digest.data(), digest.size()));
}

SignatureCheck VerifyEd25519(std::string_view spki, std::string_view signature,
                             std::string_view message) {
  if (signature.size() != kEd25519SignatureSize) return SignatureCheck::kBad;
  const openssl::Key key = LoadEd25519(spki);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  if (!key || !context ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) {
    return SignatureCheck::kLibraryFailure;
  }
  const auto signature_bytes = AsBytes(signature);
  const auto bytes = AsBytes(message);
  return CheckOf(EVP_DigestVerify(context.get(), signature_bytes.data(), signature_bytes.size(),
                                  bytes.data(), bytes.size()));
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Certificate checks that Notary makes of leaf and intermediates alike. Null where they pass.
const char* WeaknessOf(const Certificate& certificate) {
  if (certificate.not_after() < certificate.not_before())
    return "its dates are the wrong way round";
  if (certificate.has_weak_signature()) return "its signature is over SHA-1 or weaker";
  if (certificate.key() == Certificate::Key::kRsa &&
      certificate.key_bits() < PublicKey::kMinRsaBits) {
    return "its RSA key is too short";
  }
  return nullptr;
}

bool IsInDate(const Certificate& certificate, TimePoint now) {
  // One day of slack for clocks that run behind the signer's.
  return certificate.not_before() <= now + std::chrono::days{1} && now <= certificate.not_after();
}

}  // namespace

Result<KeyId> KeyId::Parse(std::string_view hex) {
  const auto bytes = Sha256FromHex(hex);
  if (!bytes) return Malformed("not a key ID of 64 lower-case hex digits");
  return KeyId(*bytes);
}

std::string_view NameOf(KeyType type) {
  for (const KeyTypeName& known : kKeyTypes) {
    if (known.type == type) return known.name;
  }
  return {};
}

std::string SignedBytes::bytes() const {
  if (const auto* value = std::get_if<JsonValue>(&bytes_)) return Canonical(*value);
  return std::string(std::get<std::string_view>(bytes_));
}

Result<PublicKey> PublicKey::Parse(std::string_view key_type, std::string_view base64_public) {
  const QuietErrors quiet;
  const auto type = KeyTypeOf(key_type);
  if (!type) return Malformed("an unknown type of key");
  if (base64_public.size() > kMaxPublicSize) return Malformed("a public key that is too large");
  const auto decoded = FromBase64(base64_public);
  if (!decoded) return Malformed("a public key that is not base64");

  const KeyId id = IdOf(*type, *decoded);
  std::vector<Certificate> certificates;
  std::string spki = *decoded;
  KeyType plain_type = *type;
  switch (*type) {
    case KeyType::kEcdsa:
    case KeyType::kRsa:
      break;
    case KeyType::kEcdsaX509:
    case KeyType::kRsaX509: {
      auto bundle = CertificateSet::Parse(*decoded, kMaxBundle);
      if (!bundle) return tl::unexpected(bundle.error());
      certificates = bundle->certificates();
      spki = certificates.front().spki();
      plain_type = *type == KeyType::kEcdsaX509 ? KeyType::kEcdsa : KeyType::kRsa;
      break;
    }
    case KeyType::kEd25519: {
      if (decoded->size() != kEd25519KeySize) return Malformed("an Ed25519 key has 32 bytes");
      std::string der = std::string(kEd25519Header) + *decoded;
      if (!LoadEd25519(der)) return Malformed("not an Ed25519 key");
      const Sha256 spki_sha256 = Sha256Of(der);
      return PublicKey(
          std::make_shared<const State>(State{*type, id, spki_sha256, nullptr, std::move(der)}));
    }
  }
  const auto sound = plain_type == KeyType::kEcdsa ? CheckEcdsaSpki(spki) : CheckRsaSpki(spki);
  if (!sound) return tl::unexpected(sound.error());
  std::unique_ptr<const Certified> certified;
  if (!certificates.empty()) {
    certified = std::make_unique<const Certified>(
        Certified{IdOf(plain_type, spki), std::move(certificates)});
  }
  const Sha256 spki_sha256 = Sha256Of(spki);
  return PublicKey(std::make_shared<const State>(
      State{*type, id, spki_sha256, std::move(certified), std::move(spki)}));
}

KeyType PublicKey::type() const { return state_->type; }
const KeyId& PublicKey::id() const { return state_->id; }
const KeyId& PublicKey::canonical_id() const {
  return state_->certified ? state_->certified->canonical_id : state_->id;
}
const Sha256& PublicKey::spki_sha256() const { return state_->spki_sha256; }
const std::vector<Certificate>& PublicKey::certificates() const {
  static const std::vector<Certificate> kNone;
  return state_->certified ? state_->certified->certificates : kNone;
}

SignatureCheck PublicKey::Verify(std::string_view method, std::string_view signature,
                                 const SignedBytes& message) const {
  const QuietErrors quiet;
  const std::string lower = LowerCase(method);
  const std::string& spki = state_->spki;
  // The key's type chooses, the method may only agree: a verifier picked by the method alone is
  // CVE-2015-9258.
  switch (state_->type) {
    case KeyType::kEcdsa:
    case KeyType::kEcdsaX509:
      if (lower != "ecdsa") return SignatureCheck::kBad;
      return VerifyEcdsa(spki, signature, message.sha256());
    case KeyType::kRsa:
    case KeyType::kRsaX509:
      if (lower == "rsapss") {
        return VerifyRsa(spki, RSA_PKCS1_PSS_PADDING, signature, message.sha256());
      }
      if (lower == "rsapkcs1v15") {
        return VerifyRsa(spki, RSA_PKCS1_PADDING, signature, message.sha256());
      }
      return SignatureCheck::kBad;
    case KeyType::kEd25519:
      if (lower != "eddsa") return SignatureCheck::kBad;
      return VerifyEd25519(spki, signature, message.bytes());
  }
  return SignatureCheck::kBad;
}

bool CommonNameMatches(std::string_view common_name, std::string_view name) {
  if (common_name == name) return true;
  if (!common_name.ends_with('*')) return false;
  const auto last = common_name.find_last_not_of('*');
  return name.starts_with(common_name.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

Result<void> CheckRootCertificate(const PublicKey& key, std::string_view name, TimePoint now,
                                  ExpiryCheck expiry) {
  const auto untrusted = [](const char* why) {
    return Fail(Reason::kUntrustedRoot, std::string("root certificate: ") + why);
  };
  const std::vector<Certificate>& bundle = key.certificates();
  if (bundle.empty()) return untrusted("a root key without a certificate");
  const Certificate& leaf = bundle.front();
  const bool only_first_is_leaf =
      !leaf.is_ca() &&
      std::all_of(bundle.begin() + 1, bundle.end(), [](const auto& c) { return c.is_ca(); });
  if (!only_first_is_leaf) return untrusted("not one leaf with its authorities behind it");
  if (!CommonNameMatches(leaf.common_name(), name))
    return untrusted("its name is of another image");
  if (const char* weakness = WeaknessOf(leaf)) return untrusted(weakness);

  std::vector<Certificate> usable{leaf};
  std::copy_if(bundle.begin() + 1, bundle.end(), std::back_inserter(usable), [&](const auto& c) {
    return expiry == ExpiryCheck::kIgnore || (WeaknessOf(c) == nullptr && IsInDate(c, now));
  });
  if (IdOf(key.type(), CertificateSet(std::move(usable)).ToPem()) != key.id()) {
    return untrusted("its bundle encoded anew is another key");
  }
  if (expiry == ExpiryCheck::kEnforce && !IsInDate(leaf, now)) {
    return Fail(Reason::kExpired, "root certificate: valid from " +
                                      FormatRfc3339(leaf.not_before()) + " to " +
                                      FormatRfc3339(leaf.not_after()));
  }
  return {};
}

bool ChainsTo(const PublicKey& key, const CertificateSet& authorities, TimePoint now) {
  const std::vector<Certificate>& bundle = key.certificates();
  if (bundle.empty()) return false;
  return ChainsTo(bundle.front(), {bundle.begin() + 1, bundle.end()}, authorities, now);
}

}  // namespace crivet::trust

std::size_t std::hash<crivet::trust::KeyId>::operator()(
    const crivet::trust::KeyId& id) const noexcept {
  // The bytes are a hash already.
  std::size_t value = 0;
  std::memcpy(&value, id.bytes().data(), sizeof value);
  return value;
}
