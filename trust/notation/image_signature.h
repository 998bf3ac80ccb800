// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"
#include "trust/notation/chain_memory.h"
#include "trust/notation/envelope.h"
#include "trust/notation/trusted_identity.h"
#include "trust/oci/manifest.h"
#include "trust/registry_bound/signature_demand.h"
#include "trust/signed/certificate.h"
#include "trust/signed/revocation_list.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

/// WantedImage is the image that a signature has to be about.
struct WantedImage {
  Sha256Digest digest;
  std::uint64_t size = 0;
  std::string media_type;
};

/// ImageDemand is what a rule wants of an image's signature (Notary Project trust policy).
struct ImageDemand {
  CertificateSet authorities;          ///< store `ca`, for signers
  CertificateSet signing_authorities;  ///< store `signingAuthority`
  /// Store `tsa`. With one, the signer's certificate has to be proven to have been valid when it
  /// signed; without, it has to be valid now.
  CertificateSet timestamp_authorities;
  /// Lists of what was taken back, for every certificate of a chain but its root; without a value
  /// they are not looked at.
  std::optional<std::vector<RevocationList>> revocations;
  /// Of chains that these stores have accepted; null: nothing is remembered.
  std::shared_ptr<ChainMemory> known_chains = nullptr;
  enum class Timestamps : std::uint8_t { kAlways, kAfterExpiry };
  Timestamps timestamps = Timestamps::kAlways;
  std::vector<TrustedIdentity> identities;
  /// Expiry and times are looked at. kIgnore is notation's level `permissive`, which no rule has.
  enum class Ageing : std::uint8_t { kEnforce, kIgnore };
  Ageing ageing = Ageing::kEnforce;
};

/// ImageSignature is a signature that verified. `signer` is the leaf's subject. `time` is proven by
/// a timestamp or an authority; nothing where the signer alone says it.
struct ImageSignature {
  std::string signer;
  std::optional<TimePoint> time;
  std::map<std::string, std::string, std::less<>> annotations;
  /// The first that runs out of what it was accepted by.
  std::optional<registry_bound::Ageing> ageing;
};

/// VerifyEnvelope checks, in this order: the algorithm is the one that the key fixes; the chain's
/// shape and purposes; one of its certificates is in the store of the envelope's scheme; the
/// signature; the signer; the signed expiry; the time; revocation; that digest, size and media type
/// are the image's. Pure, safe from any thread.
SignatureResult<ImageSignature> VerifyEnvelope(const Envelope& envelope, const WantedImage& image,
                                               const ImageDemand& demand, TimePoint now);

/// The artifact type of notation's signatures.
inline constexpr std::string_view kArtifactType = "application/vnd.cncf.notary.signature";

/// Whether a descriptor's artifact type is that of notation's signatures.
bool IsSignatureType(std::string_view artifact_type);

/// EnvelopeLayers are the layers of a manifest in the image's repository that can hold a notation
/// signature of it: one, of a referrer of notation's type whose subject is the image.
std::vector<oci::Descriptor> EnvelopeLayers(const oci::Manifest& manifest,
                                            const Sha256Digest& image);

/// How far a check got before it refused.
int StageOf(SignatureReason reason);

/// Choose is the verdict over all signatures of an image; see sigstore's.
SignatureResult<ImageSignature> Choose(std::vector<SignatureResult<ImageSignature>> signatures);

}  // namespace crivet::trust::notation
