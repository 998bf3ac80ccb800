// SPDX-License-Identifier: Apache-2.0

// Whatever a registry, or whoever writes the files that a trust names, has for a trust of kind
// notation, read as each of its forms: envelopes under real stores, revocation lists, certificates,
// identities, what the store keeps. It ends, and no envelope and no list is believed whose bytes
// nobody signed.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/notation/image_signature.h"
#include "trust/notation/notation_dialect.h"
#include "trust/notation/parse_envelope.h"
#include "trust/notation/trusted_identity.h"

namespace {

using namespace crivet::trust;

const std::filesystem::path kData = std::filesystem::path(CRIVET_TEST_DATA) / "sigstore";

std::string Read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string_view TypeOf(const std::filesystem::path& file) {
  return file.extension() == ".cose" ? notation::kCoseMediaType : notation::kJwsMediaType;
}

// What the vectors' signers signed: nobody else has their keys.
const std::set<std::string>& Signed() {
  static const std::set<std::string> all = [] {
    std::set<std::string> covered;
    for (const auto& file : std::filesystem::directory_iterator(kData / "notation/envelopes")) {
      const auto envelope = notation::ParseEnvelope(TypeOf(file.path()), Read(file.path()));
      if (envelope) covered.insert(envelope->covered);
    }
    return covered;
  }();
  return all;
}

CertificateSet Store(const char* name) { return CertificateSet::Parse(Read(kData / name)).value(); }

const notation::ImageDemand& Demand() {
  static const notation::ImageDemand demand = [] {
    notation::ImageDemand with;
    with.authorities = Store("trust/notation/ca-acme.pem");
    with.signing_authorities = Store("trust/notation/signingAuthority-acme.pem");
    with.timestamp_authorities = Store("trust/notation/tsa-acme.pem");
    with.timestamps = notation::ImageDemand::Timestamps::kAfterExpiry;
    with.identities.push_back(notation::TrustedIdentity::Parse("*").value());
    with.known_chains = std::make_shared<notation::ChainMemory>();
    return with;
  }();
  return demand;
}

void TryEnvelope(std::string_view media_type, std::string_view bytes) {
  static const TimePoint now = ParseRfc3339("2026-11-28T20:00:00Z").value();
  static const notation::WantedImage image{
      .digest = Sha256Digest::Parse(
                    "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4")
                    .value(),
      .size = 417,
      .media_type = "application/vnd.oci.image.manifest.v1+json"};
  const auto envelope = notation::ParseEnvelope(media_type, bytes, Demand().known_chains.get());
  if (!envelope) return;
  Require(envelope->chain.size() <= notation::Envelope::kMaxChain, "a chain has a cap");
  if (!notation::VerifyEnvelope(*envelope, image, Demand(), now)) return;
  Require(Signed().contains(envelope->covered), "what is believed was signed");
  // Without what was remembered it is the same.
  notation::ImageDemand afresh = Demand();
  afresh.known_chains = nullptr;
  const auto again = notation::ParseEnvelope(media_type, bytes);
  Require(again && notation::VerifyEnvelope(*again, image, afresh, now),
          "memory makes nothing good");
}

void TryList(std::string_view text) {
  static const CertificateSet authorities = Store("notation/revocation/ca.pem");
  static const std::set<Sha256> lists = [] {
    std::set<Sha256> all;
    for (const auto& file : std::filesystem::directory_iterator(kData / "notation/revocation")) {
      if (const auto list = RevocationList::Parse(Read(file.path()))) all.insert(list->sha256());
    }
    return all;
  }();
  const auto list = RevocationList::Parse(text);
  if (!list) return;
  for (const Certificate& authority : authorities.certificates()) {
    Require(!list->IsOf(authority) || lists.contains(list->sha256()), "a list's authority made it");
  }
}

void TryStored(const char* form, std::string_view text) {
  const auto laid = notation::LaidEnvelope::Of({form, std::string(text)});
  if (!laid) return;
  const auto again = notation::LaidEnvelope::Of(laid->AsBytes());
  Require(again && again->envelope == laid->envelope && again->image.size == laid->image.size &&
              again->image.media_type == laid->image.media_type,
          "what is stored is read as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TryEnvelope(notation::kJwsMediaType, text);
  TryEnvelope(notation::kCoseMediaType, text);
  TryList(text);
  static_cast<void>(CertificateSet::Parse(text));
  if (const auto identity = notation::TrustedIdentity::Parse(text)) {
    static_cast<void>(identity->Accepts({{"C", "CH"}, {"ST", "ZH"}, {"O", "Acme"}}));
  }
  for (const char* form : {"jws", "cose"}) TryStored(form, text);
  return 0;
}
