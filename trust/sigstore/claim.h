// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trust/registry_bound/annotations.h"
#include "trust/registry_bound/wanted_image.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::sigstore {

using WantedImage = registry_bound::WantedImage;

/// Claim is what a signature says of an image beyond its digest: texts that the signer added.
struct Claim {
  registry_bound::Annotations annotations;
};

/// ReadStatement reads the payload of an image signature in a DSSE envelope: an in-toto statement
/// (v1 or v0.1) with cosign's predicate for signatures, one of whose subjects is the image.
/// kNotAnImageSignature for another predicate: an attestation (SBOM, provenance) by the right key
/// says something of an image, not that it may run. kDigestMismatch, kMalformed.
SignatureResult<Claim> ReadStatement(std::string_view payload_type, std::string_view payload,
                                     const WantedImage& image);

/// ReadSimpleSigning reads the payload of a signature of the older form (containers/image,
/// "atomic container signature", as cosign writes it). `critical` is a closed set. kIdentity where
/// it names another repository, tag or digest reference, kDigestMismatch, kMalformed.
SignatureResult<Claim> ReadSimpleSigning(std::string_view payload, const WantedImage& image);

}  // namespace crivet::trust::sigstore
