// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/trust/made_sigstore.h"
#include "trust/sigstore/image_signature.h"

namespace crivet::trust::sigstore {

/// SignedStatement is an image's statement with its signature, by a key or under a certificate.
struct SignedStatement {
  std::string payload;
  std::string signature;
  MadeKey key;
  std::string certificate = {};  ///< DER; empty: the key signs as itself

  /// What the signature covers: the envelope's pre-authentication encoding.
  std::string Covered() const;
  std::string SignerPem() const;
  /// Another signature by the same key over the same bytes: ECDSA never gives one twice.
  SignedStatement SignedAgain() const;
};

// What a log says of it, one a kind of entry (`spec` of the entry's body).
nlohmann::json HashOfIt(const SignedStatement& it);       ///< hashedrekord 0.0.1
nlohmann::json EnvelopeOfIt(const SignedStatement& it);   ///< dsse 0.0.1
nlohmann::json StatementOfIt(const SignedStatement& it);  ///< intoto 0.0.2
nlohmann::json DigestOfIt(const SignedStatement& it);     ///< hashedrekord 0.0.2

/// SmallSigstore is an instance with one service of each sort, and what it trusts: `trusted`, to be
/// changed by a test. All that it makes is made at `signed_at`; certificates live ten minutes.
struct SmallSigstore {
  SmallSigstore();

  TimePoint signed_at;
  MadeLog certificate_log;
  MadeLog log;    ///< first generation: promises and proofs
  MadeLog tiles;  ///< second generation: proofs alone
  MadeCertificate authority;
  MadeCertificate intermediate;
  MadeCertificate stamping_authority;
  MadeCertificate stamper;
  nlohmann::json trusted;

  /// What a leaf says; `promises` are those of certificate logs.
  CertificateWish LeafWish() const;
  MadeCertificate Leaf() const;
  SignedStatement SignedUnder(const MadeCertificate& leaf,
                              const std::string& predicate_of = "") const;
  SignedStatement SignedWith(const MadeKey& key) const;

  nlohmann::json LogEntry(const SignedStatement& it) const;    ///< of `log`, dsse 0.0.1
  nlohmann::json TilesEntry(const SignedStatement& it) const;  ///< of `tiles`
  std::string Timestamp(const SignedStatement& it) const;

  /// A bundle 0.3.
  static nlohmann::json BundleOf(const SignedStatement& it,
                                 const std::vector<nlohmann::json>& entries,
                                 const std::vector<std::string>& timestamps = {});

  /// `good`, or the code of the reason, under the identity of LeafWish and one log; or that key.
  std::string Verdict(const nlohmann::json& bundle) const;
  std::string VerdictFor(const MadeKey& key, const nlohmann::json& bundle) const;
  std::string VerdictOf(const ImageDemand& demand, const nlohmann::json& bundle) const;
  ImageDemand IdentityDemand() const;
};

}  // namespace crivet::trust::sigstore
