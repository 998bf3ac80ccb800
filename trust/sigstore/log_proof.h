// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/covered_bytes.h"
#include "trust/signed/signature_error.h"
#include "trust/sigstore/bundle.h"
#include "trust/sigstore/trusted_root.h"

namespace crivet::trust::sigstore {

/// LoggedSignature is the signature that an entry of a log has to be about. Views: live no longer
/// than what they were made of.
struct LoggedSignature {
  std::string_view signature;
  CoveredBytes covered;
  std::optional<std::string_view> payload;   ///< of a DSSE envelope
  const Certificate* certificate = nullptr;  ///< the signer's, or
  const VerificationKey* key = nullptr;      ///< the signer's
};

/// NeedsProof says whether a log's signed promise alone will do: bundles of version 0.1, and what
/// cosign wrote before there were bundles, have nothing else, or a proof without a checkpoint,
/// which is then as if it were not there.
enum class NeedsProof : std::uint8_t { kPromiseSuffices, kProof };

/// LogWitness is a log that vouches for having an entry, by the number that it signed. `time` is
/// the log's signed word on when; logs of the second kind (Rekor tiles) give none.
struct LogWitness {
  const Log* log;
  std::uint64_t index;
  std::optional<TimePoint> time;
};

/// VerifyLogEntry checks an entry against the logs of `root`: the log is known; its promise, where
/// there is one, covers body, time, log and index (Rekor's SignedEntryTimestamp); the inclusion
/// proof leads to the root of a checkpoint that the log signed, of the same tree; the entry is
/// about this very signature, its signer and the bytes that it covers; the time lies within the
/// log's own. kTransparencyLog otherwise. The witness points into `root`.
SignatureResult<LogWitness> VerifyLogEntry(const LogEntry& entry, NeedsProof needs,
                                           const TrustedRoot& root, const LoggedSignature& logged);

}  // namespace crivet::trust::sigstore
