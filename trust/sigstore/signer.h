// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/covered_bytes.h"
#include "trust/signed/signature_error.h"
#include "trust/sigstore/bundle.h"
#include "trust/sigstore/identity.h"
#include "trust/sigstore/log_proof.h"
#include "trust/sigstore/trusted_root.h"

namespace crivet::trust::sigstore {

/// KeyDemand accepts a signature by any of these keys.
struct KeyDemand {
  std::vector<VerificationKey> keys;
};

/// KeylessDemand accepts a signature of any of these identities, with a certificate that hangs from
/// `root`, lived when it was used, and is known to that many certificate transparency logs.
struct KeylessDemand {
  std::vector<WantedIdentity> identities;
  std::size_t certificate_logs = 1;
  /// How many have to say when it was signed, of either sort: a log by its promise, an authority by
  /// a timestamp. One that says it twice is one.
  std::size_t times = 1;
  /// How many of them have to be authorities (RFC 3161).
  std::size_t signed_times = 0;
};

/// SignerDemand is who may sign.
struct SignerDemand {
  std::variant<KeyDemand, KeylessDemand> who;
  /// Transparency logs that have to have the signature, distinct ones.
  std::size_t logs = 0;
  /// What keyless signatures, logs and timestamps hang from. May be empty for keys without a log.
  TrustedRoot root;
};

/// SignatureToCheck is a signature of either form with what came along. Views: live no longer than
/// what they were made of.
struct SignatureToCheck {
  const Certificate* certificate = nullptr;  ///< none: signed with a key
  std::string_view signature;
  CoveredBytes covered;
  std::optional<std::string_view> payload;  ///< of a DSSE envelope
  const std::vector<LogEntry>* log_entries = nullptr;
  NeedsProof needs_proof = NeedsProof::kProof;
  const std::vector<std::string>* timestamps = nullptr;
};

/// Signer is who signed, as far as it is proven. `name` is what audit lines show: the key's
/// fingerprint, or subject and issuer.
struct Signer {
  std::string name;
  std::vector<TimePoint> times;  ///< trusted ones, earliest first
};

/// VerifySigner is the order of sigstore's client specification: log entries, timestamps, times,
/// the certificate's path at each of them, its transparency logs, the signature, who it is. The
/// present time has no part in it. Pure, safe from any thread.
SignatureResult<Signer> VerifySigner(const SignatureToCheck& signature, const SignerDemand& demand);

}  // namespace crivet::trust::sigstore
