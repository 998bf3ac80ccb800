// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/oci/manifest.h"
#include "trust/registry_bound/annotations.h"
#include "trust/signed/signature_error.h"
#include "trust/sigstore/bundle.h"
#include "trust/sigstore/claim.h"
#include "trust/sigstore/signer.h"

namespace crivet::trust::sigstore {

/// ImageDemand is what a rule wants of an image's signature.
struct ImageDemand {
  SignerDemand signer;
  registry_bound::AnnotationDemand annotations;
};

/// ImageSignature is a signature that verified: who signed, when as far as it is proven, and what
/// they added.
struct ImageSignature {
  Signer signer;
  Claim claim;
};

/// VerifyBundle tells whether the bundle is a signature of the image that the demand accepts.
SignatureResult<ImageSignature> VerifyBundle(const Bundle& bundle, const WantedImage& image,
                                             const ImageDemand& demand);

/// VerifyLegacy does so for a signature of cosign's older form: a layer of the `.sig` manifest and
/// its payload, which has to be the layer's.
SignatureResult<ImageSignature> VerifyLegacy(const oci::Descriptor& layer, std::string_view payload,
                                             const WantedImage& image, const ImageDemand& demand);

/// Which layers of a manifest in the image's repository can hold a signature. What is none is not
/// among them; that says nothing of who made it.
///   BundleLayers: of a referrer, whose subject has to be the image: what the index says that it
///   hangs from proves nothing.
///   LegacyLayers: of what stands under the `.sig` tag.
std::vector<oci::Descriptor> BundleLayers(const oci::Manifest& manifest, const Sha256Digest& image);
std::vector<oci::Descriptor> LegacyLayers(const oci::Manifest& manifest);

/// How far a check got before it refused.
int StageOf(SignatureReason reason);

/// Choose is the verdict over all signatures of an image: the first good one, whatever stands
/// beside it; else the refusal of the one that got furthest, so that the reason does not depend on
/// what strangers add; kUnsigned where there was none.
SignatureResult<ImageSignature> Choose(std::vector<SignatureResult<ImageSignature>> signatures);

}  // namespace crivet::trust::sigstore
