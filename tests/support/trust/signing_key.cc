// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Freed<kFree>>;
using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

void Require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("cannot make a signing key: ") + what);
}

template <typename T, typename ToDer>
std::string DerOf(T* object, ToDer to_der) {
  unsigned char* bytes = nullptr;
  const int size = to_der(object, &bytes);
  Require(size > 0, "DER");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string PemOf(X509* certificate) {
  const Owned<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(out.get(), certificate) == 1, "PEM");
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  Require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

void AddRawExtension(X509* x509, const std::string& name, const std::string& bytes) {
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                        static_cast<int>(bytes.size()));
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509_EXTENSION_create_by_NID(nullptr, OBJ_sn2nid(name.c_str()), 0, value.get()));
  Require(extension && X509_add_ext(x509, extension.get(), -1) == 1, "raw extension");
}

void SetTime(ASN1_TIME* field, TimePoint time) {
  Require(ASN1_TIME_set(field, static_cast<time_t>(time.time_since_epoch().count())) != nullptr,
          "time");
}

// DER to the fixed-width r and s of Notary.
std::string FixedWidth(std::string_view der, int bits) {
  const int size = (bits + 7) / 8;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Require(signature != nullptr, "ECDSA signature");
  std::string raw(static_cast<std::size_t>(2 * size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  Require(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, size) == size &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + size, size) == size,
          "width of r and s");
  return raw;
}

}  // namespace

struct SigningKey::Handle {
  Owned<EVP_PKEY, EVP_PKEY_free> key;
  Owned<X509, X509_free> certificate;
};

SigningKey SigningKey::Ecdsa(const std::string& curve) {
  auto handle = std::make_shared<Handle>();
  handle->key.reset(EVP_EC_gen(curve.c_str()));
  Require(handle->key != nullptr, "ECDSA");
  SigningKey key;
  key.key_type_ = "ecdsa";
  key.public_bytes_ = DerOf(handle->key.get(), i2d_PUBKEY);
  key.handle_ = std::move(handle);
  return key;
}

SigningKey SigningKey::Rsa(unsigned bits) {
  auto handle = std::make_shared<Handle>();
  handle->key.reset(EVP_RSA_gen(bits));
  Require(handle->key != nullptr, "RSA");
  SigningKey key;
  key.key_type_ = "rsa";
  key.public_bytes_ = DerOf(handle->key.get(), i2d_PUBKEY);
  key.handle_ = std::move(handle);
  return key;
}

SigningKey SigningKey::Ed25519() {
  auto handle = std::make_shared<Handle>();
  handle->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  Require(handle->key != nullptr, "Ed25519");
  std::string raw(32, '\0');
  std::size_t size = raw.size();
  Require(EVP_PKEY_get_raw_public_key(handle->key.get(),
                                      reinterpret_cast<unsigned char*>(raw.data()), &size) == 1,
          "Ed25519 public key");
  SigningKey key;
  key.key_type_ = "ed25519";
  key.public_bytes_ = std::move(raw);
  key.handle_ = std::move(handle);
  return key;
}

SigningKey SigningKey::SelfSigned(const CertificateRequest& request) const {
  return WithCertificate(*this, request);
}

SigningKey SigningKey::IssuedBy(const SigningKey& authority,
                                const CertificateRequest& request) const {
  Require(authority.handle_->certificate != nullptr, "the authority has no certificate");
  return WithCertificate(authority, request);
}

SigningKey SigningKey::WithCertificate(const SigningKey& authority,
                                       const CertificateRequest& request) const {
  auto handle = std::make_shared<Handle>();
  EVP_PKEY_up_ref(handle_->key.get());
  handle->key.reset(handle_->key.get());
  handle->certificate.reset(X509_new());
  X509* const x509 = handle->certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  unsigned char serial[8] = {};
  RAND_bytes(serial, sizeof serial);
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3f) | 0x40);  // positive, minimal
  const Owned<BIGNUM, BN_free> number(BN_bin2bn(serial, sizeof serial, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509));
  SetTime(X509_getm_notBefore(x509), request.not_before);
  SetTime(X509_getm_notAfter(x509), request.not_after);
  for (const std::string& name : request.common_names) {
    Require(X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(name.data()),
                                       static_cast<int>(name.size()), -1, 0) == 1,
            "common name");
  }
  const bool self_signed = authority.handle_ == handle_;
  X509_set_issuer_name(
      x509, X509_get_subject_name(self_signed ? x509 : authority.handle_->certificate.get()));
  X509_set_pubkey(x509, handle->key.get());
  if (request.role == CertificateRequest::Role::kAuthority) {
    AddExtension(x509, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(x509, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    AddExtension(x509, NID_key_usage, "critical,digitalSignature");
  }
  std::string usages;
  for (const std::string& usage : request.extended_usages) {
    usages += (usages.empty() ? "" : ",") + usage;
  }
  if (!usages.empty()) AddExtension(x509, NID_ext_key_usage, usages);
  for (const auto& [name, bytes] : request.raw_extensions) AddRawExtension(x509, name, bytes);
  Require(X509_sign(x509, authority.handle_->key.get(),
                    EVP_get_digestbyname(request.digest.c_str())) > 0,
          "certificate");

  SigningKey key;
  key.key_type_ =
      EVP_PKEY_get_base_id(handle->key.get()) == EVP_PKEY_RSA ? "rsa-x509" : "ecdsa-x509";
  key.certificate_pem_ = PemOf(x509);
  key.public_bytes_ = key.certificate_pem_;
  key.handle_ = std::move(handle);
  return key;
}

SigningKey SigningKey::WithBundle(std::string pem) const {
  SigningKey key = *this;
  key.public_bytes_ = std::move(pem);
  return key;
}

SigningKey SigningKey::CalledType(std::string key_type) const {
  SigningKey key = *this;
  key.key_type_ = std::move(key_type);
  return key;
}

std::string SigningKey::base64_public() const { return ToBase64(AsBytes(public_bytes_)); }

std::string SigningKey::id() const { return ToHex(Sha256Of(KeyJson())); }

PublicKey SigningKey::Parsed() const {
  auto parsed = PublicKey::Parse(key_type_, base64_public());
  if (!parsed)
    throw std::runtime_error("a key of the fixture is refused: " + parsed.error().detail);
  return *std::move(parsed);
}

std::string SigningKey::method() const {
  switch (EVP_PKEY_get_base_id(handle_->key.get())) {
    case EVP_PKEY_EC:
      return "ecdsa";
    case EVP_PKEY_RSA:
      return "rsapss";
    default:
      return "eddsa";
  }
}

std::string SigningKey::Sign(std::string_view message, const std::string& method,
                             int pss_salt) const {
  EVP_PKEY* const key = handle_->key.get();
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  Require(EVP_DigestSignInit(context.get(), &parameters, method == "eddsa" ? nullptr : EVP_sha256(),
                             nullptr, key) == 1,
          "signature");
  if (method == "rsapss") {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, pss_salt);
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) == 1, "size");
  std::string signature(size, '\0');
  Require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         bytes, message.size()) == 1,
          "signing");
  signature.resize(size);
  return method == "ecdsa" ? FixedWidth(signature, EVP_PKEY_get_bits(key)) : signature;
}

std::string SigningKey::KeyJson() const {
  return R"({"keytype":")" + key_type_ + R"(","keyval":{"private":null,"public":")" +
         base64_public() + R"("}})";
}

std::string SigningKey::SignatureJson(std::string_view message) const {
  return R"({"keyid":")" + id() + R"(","method":")" + method() + R"(","sig":")" +
         ToBase64(AsBytes(Sign(message))) + R"("})";
}

}  // namespace crivet::trust
