// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;
using openssl::TextOf;
using openssl::TimeOf;

struct Certificate::State {
  std::string der;
  openssl::X509Certificate decoded;  ///< with Keep::kDecoded
  Sha256 sha256{};
  std::string common_name;
  std::string subject;
  std::string issuer;
  TimePoint not_before;
  TimePoint not_after;
  bool is_ca = false;
  bool has_weak_signature = false;
  Key key = Key::kOther;
  int key_bits = 0;
  std::string spki;
};

namespace {

tl::unexpected<Error> Malformed(std::string detail) {
  return Fail(Reason::kMalformed, std::move(detail));
}

// The DER of an OpenSSL object by its i2d function.
template <typename T, typename ToDer>
std::string DerOf(T* object, ToDer to_der) {
  unsigned char* bytes = nullptr;
  const int size = to_der(object, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string OnlyCommonName(const X509_NAME* name) {
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) return {};
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

bool SaysCa(const X509* x509) {
  using Constraints = std::unique_ptr<BASIC_CONSTRAINTS, openssl::Freed<BASIC_CONSTRAINTS_free>>;
  const Constraints constraints(static_cast<BASIC_CONSTRAINTS*>(
      X509_get_ext_d2i(x509, NID_basic_constraints, nullptr, nullptr)));
  return constraints && constraints->ca != 0;
}

// Go walks the chain in the same way: a certificate that names no usage allows every one.
bool AllowsServerAuth(X509* x509) {
  using Usages = std::unique_ptr<EXTENDED_KEY_USAGE, openssl::Freed<EXTENDED_KEY_USAGE_free>>;
  int critical = 0;
  const Usages usages(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, nullptr)));
  if (!usages) return critical == -1;  // -1: not there; else there and unreadable
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    const int usage = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), i));
    if (usage == NID_server_auth || usage == NID_anyExtendedKeyUsage) return true;
  }
  return false;
}

void FreeStack(STACK_OF(X509) * stack) { sk_X509_free(stack); }
using Stack = std::unique_ptr<STACK_OF(X509), openssl::Freed<FreeStack>>;

}  // namespace

Result<Certificate> Certificate::FromDer(std::string_view der, Keep keep) {
  const QuietErrors quiet;
  if (der.empty() || der.size() > kMaxDerSize) return Malformed("not a certificate: its size");
  auto state = std::make_shared<State>();
  openssl::X509Certificate decoded = openssl::DecodeCertificate(der);
  X509* const x509 = decoded.get();
  if (x509 == nullptr) return Malformed("not a certificate");
  state->der = DerOf(x509, i2d_X509);
  // The same certificate must not come in two encodings, nor with bytes behind it.
  if (state->der != der) return Malformed("not a certificate in DER");
  // Go's parser, and so Notary's client, refuses these as a whole; below, an extension that cannot
  // be read would look like one that is not there.
  if ((X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0) {
    return Malformed("a certificate with an extension that cannot be read");
  }
  state->sha256 = Sha256Of(der);
  state->common_name = OnlyCommonName(X509_get_subject_name(x509));
  state->subject = TextOf(X509_get_subject_name(x509));
  state->issuer = TextOf(X509_get_issuer_name(x509));
  const auto not_before = TimeOf(X509_get0_notBefore(x509));
  const auto not_after = TimeOf(X509_get0_notAfter(x509));
  if (!not_before || !not_after) return Malformed("a certificate without dates");
  state->not_before = *not_before;
  state->not_after = *not_after;
  state->is_ca = SaysCa(x509);
  state->has_weak_signature = openssl::IsWeakSignature(X509_get_signature_nid(x509));
  state->spki = DerOf(X509_get_X509_PUBKEY(x509), i2d_X509_PUBKEY);
  const EVP_PKEY* key = X509_get0_pubkey(x509);
  if (key == nullptr || state->spki.empty()) return Malformed("a certificate with an unknown key");
  state->key_bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      state->key = Key::kEcdsa;
      break;
    case EVP_PKEY_RSA:
      state->key = Key::kRsa;
      break;
    default:
      break;
  }
  if (keep == Keep::kDecoded) state->decoded = std::move(decoded);
  return Certificate(std::move(state));
}

x509_st* Certificate::Decoded() const {
  X509* const kept = state_->decoded.get();
  if (kept == nullptr) return openssl::DecodeCertificate(state_->der).release();
  return X509_up_ref(kept) == 1 ? kept : nullptr;
}

const std::string& Certificate::der() const { return state_->der; }
const Sha256& Certificate::sha256() const { return state_->sha256; }
const std::string& Certificate::common_name() const { return state_->common_name; }
const std::string& Certificate::subject() const { return state_->subject; }
const std::string& Certificate::issuer() const { return state_->issuer; }
TimePoint Certificate::not_before() const { return state_->not_before; }
TimePoint Certificate::not_after() const { return state_->not_after; }
bool Certificate::is_ca() const { return state_->is_ca; }
bool Certificate::has_weak_signature() const { return state_->has_weak_signature; }
Certificate::Key Certificate::key() const { return state_->key; }
int Certificate::key_bits() const { return state_->key_bits; }
const std::string& Certificate::spki() const { return state_->spki; }

Result<CertificateSet> CertificateSet::Parse(std::string_view pem, std::size_t max_certificates) {
  const QuietErrors quiet;
  if (pem.size() > kMaxPemSize) return Malformed("too large for a file of certificates");
  const openssl::Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!in) return Malformed("no memory for the certificates");
  std::vector<Certificate> certificates;
  while (true) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* bytes = nullptr;
    long size = 0;
    if (PEM_read_bio(in.get(), &name, &header, &bytes, &size) != 1) {
      // The end of the text looks like any other failure but for its code.
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      return Malformed("a damaged PEM block");
    }
    const std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    const bool is_certificate = std::string_view(name) == "CERTIFICATE" && *header == '\0';
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
    if (!is_certificate) return Malformed("a PEM block that is not a certificate");
    if (certificates.size() == max_certificates) return Malformed("too many certificates");
    auto certificate = Certificate::FromDer(der);
    if (!certificate) return tl::unexpected(certificate.error());
    certificates.push_back(*std::move(certificate));
  }
  if (certificates.empty()) return Malformed("no certificate in PEM");
  return CertificateSet(std::move(certificates));
}

bool CertificateSet::Contains(const Certificate& certificate) const {
  return std::find(certificates_.begin(), certificates_.end(), certificate) != certificates_.end();
}

std::string CertificateSet::ToPem() const {
  constexpr std::size_t kColumns = 64;
  std::string pem;
  for (const Certificate& certificate : certificates_) {
    pem += "-----BEGIN CERTIFICATE-----\n";
    const std::string base64 = ToBase64(AsBytes(certificate.der()));
    for (std::size_t i = 0; i < base64.size(); i += kColumns) {
      pem.append(base64, i, kColumns).append("\n");
    }
    pem += "-----END CERTIFICATE-----\n";
  }
  return pem;
}

bool ChainsTo(const Certificate& leaf, const std::vector<Certificate>& intermediates,
              const CertificateSet& authorities, TimePoint now) {
  // 112 bits: no SHA-1, no RSA below 2048.
  constexpr int kSecurityLevel = 2;
  const QuietErrors quiet;
  std::vector<openssl::X509Certificate> owned;  // lives longer than what refers to it
  const openssl::X509Store store(X509_STORE_new());
  const openssl::X509StoreContext context(X509_STORE_CTX_new());
  const Stack untrusted(sk_X509_new_null());
  if (!store || !context || !untrusted) return false;
  const auto decode = [&owned](const Certificate& certificate) {
    return owned.emplace_back(certificate.Decoded()).get();
  };
  for (const Certificate& authority : authorities.certificates()) {
    const bool valid = authority.not_before() <= now && now <= authority.not_after();
    if (!authority.is_ca() || !valid) continue;
    X509* const x509 = decode(authority);
    if (x509 == nullptr || X509_STORE_add_cert(store.get(), x509) != 1) return false;
  }
  for (const Certificate& intermediate : intermediates) {
    X509* const x509 = decode(intermediate);
    if (x509 == nullptr || sk_X509_push(untrusted.get(), x509) <= 0) return false;
  }
  X509* const first = decode(leaf);
  if (first == nullptr ||
      X509_STORE_CTX_init(context.get(), store.get(), first, untrusted.get()) != 1) {
    return false;
  }
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, now.time_since_epoch().count());
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  // Go ends a chain at any certificate of the pool, self-signed or not.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_verify_cert(context.get()) != 1) return false;
  STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (!AllowsServerAuth(sk_X509_value(chain, i))) return false;
  }
  return true;
}

}  // namespace crivet::trust
