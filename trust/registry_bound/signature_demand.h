// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/time.h"
#include "trust/decide/demand.h"
#include "trust/registry_bound/signature_bytes.h"
#include "trust/registry_bound/wanted_image.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::registry_bound {

/// VerifiedSignature is a signature that a demand accepts.
struct VerifiedSignature {
  std::string signer;            ///< as audit lines show it
  std::vector<TimePoint> times;  ///< of signing, proven by somebody else; earliest first
};

/// SignatureDemand is what a rule wants of signatures that lie beside an image.
class SignatureDemand : public Demand {
 public:
  /// Of all that was read for it, files included: two demands of one kind with the same one accept
  /// the same signatures.
  Sha256 fingerprint{};

  bool Equals(const Demand& other) const override {
    return fingerprint == static_cast<const SignatureDemand&>(other).fingerprint;
  }

  /// Whether it is a signature of the image that this demand accepts. The bytes may be anybody's.
  /// Pure, safe from any thread.
  virtual SignatureResult<VerifiedSignature> Verify(const SignatureBytes& signature,
                                                    const WantedImage& image) const = 0;
};

/// The demand of a rule of such a kind. Precondition: it is one.
inline const SignatureDemand& AsSignatureDemand(const Demand& demand) {
  return static_cast<const SignatureDemand&>(demand);
}

}  // namespace crivet::trust::registry_bound
