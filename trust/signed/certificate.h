// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/base/time.h"

struct x509_st;

namespace crivet::trust {

/// Certificate is one X.509 certificate and the facts that trust in a root depends on. Nothing of
/// it is verified by parsing: neither dates nor signatures. Immutable, cheap to copy, safe to share
/// between threads.
class Certificate {
 public:
  enum class Key : std::uint8_t { kEcdsa, kRsa, kOther };
  static constexpr std::size_t kMaxDerSize = 32 * 1024;

  /// What is kept of it. Decoding takes a quarter of a millisecond, and what it makes twenty times
  /// the memory: for a certificate that is asked about now and then gone.
  enum class Keep : std::uint8_t { kBytes, kDecoded };

  /// FromDer reads exactly one certificate; kMalformed for anything else: trailing bytes, or an
  /// extension that OpenSSL knows and that cannot be read or stands there twice.
  static Result<Certificate> FromDer(std::string_view der, Keep keep = Keep::kBytes);

  const std::string& der() const;
  /// sha256 is the fingerprint: the hash of der().
  const Sha256& sha256() const;
  /// common_name is the subject's only CN in UTF-8; empty where there is none or more than one, so
  /// that no reader of another opinion is followed.
  const std::string& common_name() const;
  /// subject and issuer are for people: `CN=...,O=...`, control characters escaped.
  const std::string& subject() const;
  const std::string& issuer() const;
  TimePoint not_before() const;
  TimePoint not_after() const;
  /// is_ca is what basicConstraints says; a certificate without it is none.
  bool is_ca() const;
  /// has_weak_signature: its own signature is over SHA-1, MD5 or older.
  bool has_weak_signature() const;
  Key key() const;
  /// key_bits is the size of the modulus or the curve.
  int key_bits() const;
  /// spki is the DER of the subject's public key.
  const std::string& spki() const;
  /// Decoded is what OpenSSL makes of der(), a reference of the caller's own
  /// (openssl::X509Certificate), null where there is no memory. It may be the one that is kept: not
  /// to be changed.
  x509_st* Decoded() const;

  /// Two certificates are equal if they are the same bytes.
  friend bool operator==(const Certificate& a, const Certificate& b) { return a.der() == b.der(); }

 private:
  struct State;
  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// CertificateSet is the certificates of a PEM text in their order. May be empty when made so.
class CertificateSet {
 public:
  static constexpr std::size_t kMaxPemSize = 1024 * 1024;
  static constexpr std::size_t kMaxCertificates = 256;

  CertificateSet() = default;
  explicit CertificateSet(std::vector<Certificate> certificates)
      : certificates_(std::move(certificates)) {}

  /// Parse reads every certificate in the text; text around the blocks is ignored, as other tools
  /// do. kMalformed where there is none, a block is of another kind (a private key), is damaged, or
  /// the caps are exceeded.
  static Result<CertificateSet> Parse(std::string_view pem,
                                      std::size_t max_certificates = kMaxCertificates);

  const std::vector<Certificate>& certificates() const { return certificates_; }
  bool empty() const { return certificates_.empty(); }
  bool Contains(const Certificate& certificate) const;
  /// ToPem writes 64 columns and LF, what Go's encoder writes.
  std::string ToPem() const;

  friend bool operator==(const CertificateSet&, const CertificateSet&) = default;

 private:
  std::vector<Certificate> certificates_;
};

/// ChainsTo tells whether a chain leads from `leaf` over any of `intermediates` to one of
/// `authorities` at that time, as Go's x509.Verify does it with its default usage
/// (trust/notary/FORMAT.md#root-certificates): any CA in `authorities` may end the chain, every
/// certificate that names extended usages names serverAuth or any, no host name is compared.
/// Stricter than Go: every signature and key has at least 112 bits of security, and an authority
/// counts only if it is a CA and valid at that time.
bool ChainsTo(const Certificate& leaf, const std::vector<Certificate>& intermediates,
              const CertificateSet& authorities, TimePoint now);

}  // namespace crivet::trust
