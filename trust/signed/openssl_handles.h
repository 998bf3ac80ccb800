// SPDX-License-Identifier: Apache-2.0
#pragma once

// Included by sources that call OpenSSL alone, never by a header.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/time.h"

namespace crivet::trust::openssl {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using X509Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using X509Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using X509StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

/// What OpenSSL makes of a certificate's DER; null where it is none, or there is no memory.
inline X509Certificate DecodeCertificate(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return X509Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

/// Nothing where it is not there or cannot be read.
std::optional<TimePoint> TimeOf(const ASN1_TIME* time);

/// A name for people, control characters escaped.
std::string TextOf(const X509_NAME* name);

/// Whether a signature's algorithm is over SHA-1, MD5 or older.
bool IsWeakSignature(int algorithm);

/// QuietErrors leaves the thread's error queue as it was: what fails here is told by our results,
/// and must not show up in another library's next error.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace crivet::trust::openssl
