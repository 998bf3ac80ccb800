// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/revocation_list.h"

#include <openssl/pem.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;

using Name = std::unique_ptr<X509_NAME, openssl::Freed<X509_NAME_free>>;

struct RevocationList::State {
  static constexpr std::size_t kMostRemembered = 16;

  std::string der;
  Name name;
  Sha256 sha256{};
  std::string issuer;
  TimePoint this_update;
  TimePoint next_update;
  std::set<std::string> serials;  ///< the content of each INTEGER
  // Whether authorities made it, by their certificates: a list may have a hundred thousand entries,
  // and each image asks.
  mutable std::mutex mutex;
  mutable std::map<Sha256, bool> made_by;
};

namespace {

using List = std::unique_ptr<X509_CRL, openssl::Freed<X509_CRL_free>>;

tl::unexpected<SignatureError> Malformed(std::string detail) {
  return RefuseSignature(SignatureReason::kMalformed, "revocation list: " + std::move(detail));
}

List FromDer(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  List list(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  const bool whole = at == reinterpret_cast<const unsigned char*>(der.data()) + der.size();
  return whole ? std::move(list) : nullptr;
}

List Decoded(std::string_view bytes) {
  if (bytes.find("-----BEGIN") == std::string_view::npos) return FromDer(bytes);
  const openssl::Bio in(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  return in ? List(PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)) : nullptr;
}

std::string DerOf(X509_CRL* list) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_CRL(list, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string SerialOf(const ASN1_INTEGER* serial) {
  std::string text(1, ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? '-' : '+');
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial));
  return text.append(bytes, static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

bool HasCritical(const STACK_OF(X509_EXTENSION) * extensions) {
  for (int i = 0; i < X509v3_get_ext_count(extensions); ++i) {
    if (X509_EXTENSION_get_critical(X509v3_get_ext(extensions, i)) != 0) return true;
  }
  return false;
}

}  // namespace

SignatureResult<RevocationList> RevocationList::Parse(std::string_view bytes) {
  const QuietErrors quiet;
  if (bytes.empty() || bytes.size() > kMaxSize) return Malformed("its size");
  const List list = Decoded(bytes);
  if (!list) return Malformed("neither PEM nor DER of one");
  if (openssl::IsWeakSignature(X509_CRL_get_signature_nid(list.get()))) {
    return Malformed("a signature over SHA-1 or weaker");
  }
  const auto begins = openssl::TimeOf(X509_CRL_get0_lastUpdate(list.get()));
  const auto ends = openssl::TimeOf(X509_CRL_get0_nextUpdate(list.get()));
  if (!begins || !ends) return Malformed("one without the time of the next");
  if (HasCritical(X509_CRL_get0_extensions(list.get()))) {
    return Malformed("a critical extension: it may be a part of a list");
  }
  // Both have to be critical; an authority may have got that wrong.
  for (const int partial : {NID_delta_crl, NID_issuing_distribution_point}) {
    if (X509_CRL_get_ext_by_NID(list.get(), partial, -1) >= 0) {
      return Malformed("a part of a list, or one for several authorities");
    }
  }
  auto state = std::make_shared<State>();
  STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(list.get());
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    const X509_REVOKED* const entry = sk_X509_REVOKED_value(revoked, i);
    if (HasCritical(X509_REVOKED_get0_extensions(entry)) ||
        X509_REVOKED_get_ext_by_NID(entry, NID_certificate_issuer, -1) >= 0) {
      return Malformed("an entry with a critical extension: it may be of another authority");
    }
    state->serials.insert(SerialOf(X509_REVOKED_get0_serialNumber(entry)));
  }
  state->der = DerOf(list.get());
  state->sha256 = Sha256Of(state->der);
  state->name = Name(X509_NAME_dup(X509_CRL_get_issuer(list.get())));
  if (!state->name) return Malformed("no memory for it");
  state->issuer = openssl::TextOf(state->name.get());
  state->this_update = *begins;
  state->next_update = *ends;
  return RevocationList(std::move(state));
}

bool RevocationList::IsOf(const Certificate& authority) const {
  {
    const std::lock_guard lock(state_->mutex);
    const auto known = state_->made_by.find(authority.sha256());
    if (known != state_->made_by.end()) return known->second;
  }
  const QuietErrors quiet;
  const openssl::X509Certificate x509(authority.Decoded());
  if (!x509 || X509_NAME_cmp(state_->name.get(), X509_get_subject_name(x509.get())) != 0 ||
      (X509_get_key_usage(x509.get()) & KU_CRL_SIGN) == 0) {
    return false;
  }
  EVP_PKEY* const key = X509_get0_pubkey(x509.get());
  const List list = FromDer(state_->der);
  if (key == nullptr || !list) return false;
  const bool made_it = X509_CRL_verify(list.get(), key) == 1;
  const std::lock_guard lock(state_->mutex);
  if (state_->made_by.size() < State::kMostRemembered) {
    state_->made_by.emplace(authority.sha256(), made_it);
  }
  return made_it;
}

bool RevocationList::Has(const Certificate& certificate) const {
  const QuietErrors quiet;
  const openssl::X509Certificate x509(certificate.Decoded());
  // What cannot be read now was read before: there is no memory, and no doubt in its favour.
  return !x509 || state_->serials.contains(SerialOf(X509_get0_serialNumber(x509.get())));
}

TimePoint RevocationList::this_update() const { return state_->this_update; }
TimePoint RevocationList::next_update() const { return state_->next_update; }
const std::string& RevocationList::issuer() const { return state_->issuer; }
const Sha256& RevocationList::sha256() const { return state_->sha256; }

}  // namespace crivet::trust
