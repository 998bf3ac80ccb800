// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/signed/envelope.h"
#include "trust/tuf/root_link.h"
#include "trust/tuf/root_pin.h"

namespace crivet::trust {

/// RootFile is one root that verifies by itself: its own root role has signed it at its threshold,
/// with keys whose certificates carry the collection's `name`
/// (trust/notary/FORMAT.md#root-certificates). That makes it nobody's anchor yet. Dates are not
/// looked at: the older links of a chain may have expired (trust/RULES.md#roots).
class RootFile {
 public:
  /// kMalformed, kUntrustedRoot where no key of the root role has a usable certificate, else as
  /// VerifySignatures.
  static Result<RootFile> Read(std::string bytes, std::string_view name, const Limits& limits);

  const RootLink& link() const { return link_; }
  std::int64_t version() const;
  const std::string& bytes() const { return bytes_; }

  /// Whether this root is the next link after `predecessor`: its version is the next number and the
  /// predecessor's root role has signed it too, at that role's threshold.
  Result<void> CheckFollows(const RootLink& predecessor, std::string_view name) const;

 private:
  RootFile(std::string bytes, Envelope envelope, RootLink link);
  std::string bytes_;
  Envelope envelope_;
  RootLink link_;
};

/// CheckCurrent tells whether a root may be the newest at `now`: neither it nor the certificates
/// that its threshold needs have run out. kExpired, or kUntrustedRoot where a certificate has
/// become unusable for another reason.
Result<void> CheckCurrent(const RootLink& link, std::string_view name, TimePoint now);

/// Validity is a span of time; `until` is its first moment outside.
struct Validity {
  TimePoint from;
  TimePoint until;
};

/// CertificateValidity is when enough of the link's signers have certificates in date.
Validity CertificateValidity(const RootLink& link);

/// Matches tells whether a pin names this very root: one of its members fits a key that signed it,
/// or it is the pin's root file. `now` is for certificate authorities; a leaf that has run out is
/// judged at its last moment. A tofu pin matches no root by itself.
bool Matches(const RootPin& pin, const RootLink& link, TimePoint now);

/// MatchChain is where a pin first matches in a chain, oldest link first. A tofu pin matches the
/// oldest link, whatever it is.
std::optional<PinMatch> MatchChain(const RootPin& pin, const std::vector<RootLink>& chain,
                                   TimePoint now);

/// Anchored is the part of a chain that begins with the first link that any of the pins matches;
/// empty where none does.
std::vector<RootLink> Anchored(std::vector<RootLink> chain, const std::vector<RootPin>& pins,
                               TimePoint now);

}  // namespace crivet::trust
