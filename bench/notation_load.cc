// SPDX-License-Identifier: Apache-2.0

// What does it cost to verify what notation signed, once its bytes are here? The first envelope of
// an authority, and the next ones, whose authorities are known; beside each the floor: nothing but
// the library's verification of the signatures that have to be, with keys that are decoded already.
// Chains of root, authority and signer, P-256 and RSA of 4096 bits. Expected: the next one <= 1 ms.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "trust/notation/image_signature.h"
#include "trust/notation/parse_envelope.h"
#include "trust/signed/certificate_usage.h"
#include "trust/signed/verification_key.h"

namespace {

using namespace crivet::trust;

std::string Read(const std::string& name) {
  std::ifstream in(std::filesystem::path(CRIVET_TEST_DATA) / "sigstore" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// One of the vectors; see tests/data/sigstore/index.jsonl.
struct Case {
  std::string envelope;
  notation::ImageDemand demand;
  notation::WantedImage image{
      .digest = Sha256Digest::Parse(
                    "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4")
                    .value(),
      .size = 417,
      .media_type = "application/vnd.oci.image.manifest.v1+json"};
  TimePoint now = ParseRfc3339("2026-11-28T20:00:00Z").value();
};

enum Which : std::int64_t { kP256, kRsa4096, kRsa4096Timed };

Case CaseOf(std::int64_t which) {
  Case one;
  const bool rsa = which != kP256;
  const std::string file = rsa ? "nota-jws-4096-ended.jws" : "nota-jws-good.jws";
  one.envelope = Read("notation/envelopes/" + file);
  one.demand.authorities =
      CertificateSet::Parse(Read(rsa ? "trust/notation/ca-more.pem" : "trust/notation/ca-acme.pem"))
          .value();
  one.demand.identities.push_back(
      notation::TrustedIdentity::Parse("x509.subject: C=CH, ST=ZH, O=Acme").value());
  if (which == kRsa4096Timed) {
    one.demand.timestamp_authorities =
        CertificateSet::Parse(Read("trust/notation/tsa-more.pem")).value();
  } else if (rsa) {
    // Before its leaf has ended.
    one.now = notation::ParseEnvelope(notation::kJwsMediaType, one.envelope)
                  .value()
                  .chain.front()
                  .not_before();
  }
  return one;
}

void Verify(const Case& one) {
  const auto envelope =
      notation::ParseEnvelope(notation::kJwsMediaType, one.envelope, one.demand.known_chains.get());
  if (!envelope || !notation::VerifyEnvelope(*envelope, one.image, one.demand, one.now)) {
    std::abort();
  }
}

void First(benchmark::State& state) {
  const Case one = CaseOf(state.range(0));
  for (auto step : state) Verify(one);
}

void Next(benchmark::State& state) {
  Case one = CaseOf(state.range(0));
  one.demand.known_chains = std::make_shared<notation::ChainMemory>();
  for (auto step : state) Verify(one);
}

// The envelope's own signature, and how many of the links of its chain.
void Floor(benchmark::State& state, std::size_t links) {
  const Case one = CaseOf(state.range(0));
  const auto envelope = notation::ParseEnvelope(notation::kJwsMediaType, one.envelope).value();
  const auto key = VerificationKey::Of(envelope.chain.front()).value();
  for (auto step : state) {
    bool good = key.Verify(envelope.signature_scheme, envelope.hash, envelope.signature,
                           envelope.covered) == SignatureCheck::kGood;
    for (std::size_t i = 0; i < links; ++i) {
      const auto& issuer = envelope.chain[std::min(i + 1, envelope.chain.size() - 1)];
      good = good && IsSignedBy(envelope.chain[i], issuer);
    }
    if (!good) std::abort();
  }
}
void FloorOfFirst(benchmark::State& state) { Floor(state, 3); }
void FloorOfNext(benchmark::State& state) { Floor(state, 1); }

BENCHMARK(First)->Arg(kP256)->Arg(kRsa4096)->Arg(kRsa4096Timed)->Unit(benchmark::kMicrosecond);
BENCHMARK(FloorOfFirst)->Arg(kP256)->Arg(kRsa4096)->Unit(benchmark::kMicrosecond);
BENCHMARK(Next)->Arg(kP256)->Arg(kRsa4096)->Arg(kRsa4096Timed)->Unit(benchmark::kMicrosecond);
BENCHMARK(FloorOfNext)->Arg(kP256)->Arg(kRsa4096)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
