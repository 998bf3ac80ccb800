// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/demand.h"
#include "trust/registry_bound/signature_bytes.h"
#include "trust/registry_bound/tag_time.h"
#include "trust/registry_bound/wanted_image.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::registry_bound {

/// Ageing is until when a signature holds, that second included, and why it is refused after it.
struct Ageing {
  TimePoint until;
  SignatureError then;
};

/// VerifiedSignature is a signature that a demand accepts.
struct VerifiedSignature {
  std::string signer;                 ///< as audit lines show it
  std::vector<TimePoint> times;       ///< of signing, proven by somebody else; earliest first
  std::optional<Ageing> ageing = {};  ///< unset: nothing of it runs out
};

/// WithinMaxAge is a verified signature of which the rule wants to know how old it is: it counts
/// for `max_age` after the newest time that is proven for it, or for ever where that is zero.
SignatureResult<VerifiedSignature> WithinMaxAge(VerifiedSignature verified,
                                                std::chrono::seconds max_age, TimePoint at);

/// SignatureDemand is what a rule wants of signatures that lie beside an image.
class SignatureDemand : public Demand {
 public:
  /// Of all that was read for it, files included: two demands of one kind with the same one accept
  /// the same signatures.
  Sha256 fingerprint{};
  TagOrder tag_order = TagOrder::kWarn;
  /// The repository in which signatures lie, where that is not the image's own; else empty.
  std::string source;

  bool Equals(const Demand& other) const override {
    return fingerprint == static_cast<const SignatureDemand&>(other).fingerprint;
  }

  /// Whether it is a signature of the image that this demand accepts, at that time. The bytes may
  /// be anybody's. Pure, safe from any thread.
  virtual SignatureResult<VerifiedSignature> Verify(const SignatureBytes& signature,
                                                    const WantedImage& image,
                                                    TimePoint at) const = 0;
  /// Why no signature that is new to the node can be verified at that time, whatever it says;
  /// nothing: it can. What was verified earlier counts all the same.
  virtual std::optional<Error> NothingNew(TimePoint /*now*/) const { return std::nullopt; }
  bool LacksFile(TimePoint now) const override { return NothingNew(now).has_value(); }

  /// Whether somebody else than the signer can prove when a signature was made.
  virtual bool ProvesTimes() const { return false; }
  /// Whether the time may change what Verify says.
  virtual bool ages() const { return false; }
  /// When the certificates end that it counts on, for who has to replace them.
  virtual std::vector<TimePoint> Ends() const { return {}; }
};

/// Whether a tag that was at what was signed at `before` goes back by becoming what was signed at
/// `now`; nothing: nobody proves when. Where the rule refuses that, a proof which is missing counts
/// as older than all (trust/registry_bound/RULES.md#order-of-tags).
bool IsBehind(std::optional<TimePoint> now, TimePoint before, const SignatureDemand& demand);

/// The demand of a rule of such a kind. Precondition: it is one.
inline const SignatureDemand& AsSignatureDemand(const Demand& demand) {
  return static_cast<const SignatureDemand&>(demand);
}

}  // namespace crivet::trust::registry_bound
