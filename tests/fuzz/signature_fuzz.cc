// SPDX-License-Identifier: Apache-2.0

// What comes from a registry with a signature, read as each of its forms: manifests and indexes,
// bundles, trusted roots, payloads, envelopes. Whatever it is, it ends, and nothing is accepted
// that nobody signed.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trust/notation/image_signature.h"
#include "trust/notation/parse_envelope.h"
#include "trust/oci/manifest.h"
#include "trust/signed/timestamp_token.h"
#include "trust/sigstore/image_signature.h"

namespace {

using namespace crivet::trust;

const Sha256Digest& Image() {
  static const Sha256Digest digest{Sha256{}};
  return digest;
}

void TryBundle(std::string_view text) {
  const auto bundle = sigstore::Bundle::Parse(text);
  if (!bundle) return;
  // No key is wanted, so no signature can be good.
  const sigstore::WantedImage image{.digest = Image(), .repository = "r.example/a", .tag = {}};
  sigstore::ImageDemand demand;
  if (sigstore::VerifyBundle(*bundle, image, demand)) std::abort();
  demand.signer.who = sigstore::KeylessDemand{};
  if (sigstore::VerifyBundle(*bundle, image, demand)) std::abort();
}

void TryEnvelope(std::string_view media_type, std::string_view bytes) {
  const auto envelope = notation::ParseEnvelope(media_type, bytes);
  if (!envelope) return;
  const notation::WantedImage image{.digest = Image(), .size = 1, .media_type = "x"};
  if (notation::VerifyEnvelope(*envelope, image, {}, TimePoint{})) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TryBundle(text);
  TryEnvelope(notation::kJwsMediaType, text);
  TryEnvelope(notation::kCoseMediaType, text);
  const sigstore::WantedImage image{.digest = Image(), .repository = "r.example/a", .tag = {}};
  static_cast<void>(sigstore::ReadStatement("application/vnd.in-toto+json", text, image));
  static_cast<void>(sigstore::ReadSimpleSigning(text, image));
  static_cast<void>(sigstore::TrustedRoot::Parse(text));
  static_cast<void>(oci::Index::Parse(text));
  if (const auto manifest = oci::Manifest::Parse(text)) {
    for (const auto& layer : sigstore::LegacyLayers(*manifest)) {
      if (sigstore::VerifyLegacy(layer, "{}", image, {})) std::abort();
    }
  }
  if (const auto token = TokenOf(text)) {
    if (VerifyTimestamp(*token, "", {}, {})) std::abort();
  }
  return 0;
}
