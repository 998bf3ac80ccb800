// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"
#include "trust/signed/verification_key.h"

namespace crivet::trust::sigstore {

/// ValidFor is when a key or an authority counts (trusted root, TimeRange): from its start, which
/// has to be said, to its end inclusive.
struct ValidFor {
  std::optional<TimePoint> start;
  std::optional<TimePoint> end;

  bool Covers(TimePoint time) const { return start && *start <= time && (!end || time <= *end); }
};

/// Log is a transparency log: of signatures (Rekor) or of certificates (CT).
struct Log {
  std::string host;  ///< of its base URL: the origin of its checkpoints
  std::string id;    ///< 32 bytes, as entries name it
  VerificationKey key;
  ValidFor valid_for;
};

/// Authority is a certificate authority or a timestamp authority: a chain, the root last.
struct Authority {
  std::vector<Certificate> chain;
  ValidFor valid_for;

  /// The certificate at which its paths end, and all others.
  CertificateSet Anchor() const;
  std::vector<Certificate> Known() const;
};

/// TrustedRoot is what keyless signatures hang from (sigstore protobuf-specs, TrustedRoot). Members
/// that are not known are passed over: the file is the operator's, and a newer one must not
/// freeze a node; so is a log or authority whose key is of a kind that is not known. Immutable
/// once made, safe to share between threads.
struct TrustedRoot {
  std::vector<Log> logs;
  std::vector<Log> certificate_logs;
  std::vector<Authority> certificate_authorities;
  std::vector<Authority> timestamp_authorities;

  /// Parse reads up to 4 MiB of JSON. kMalformed, with the member that is wrong.
  static SignatureResult<TrustedRoot> Parse(std::string_view json);
};

}  // namespace crivet::trust::sigstore
