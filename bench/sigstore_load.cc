// SPDX-License-Identifier: Apache-2.0

// What do cosign's signatures cost? Verifying one whose bytes are here, by a key and keyless with a
// log's promise or a timestamp, beside the library's verification of one P-256 signature (goals: 1
// ms for a key, 6 ms keyless); deciding by what is kept of many images, the way a pull by digest
// does (goal: 2 us at p99); and the memory that a thousand kept signatures take.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/small_sigstore.h"
#include "trust/registry_bound/signature_set.h"
#include "trust/signed/verification_key.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_dialect.h"

namespace {

using namespace crivet::trust;
using registry_bound::SignatureBytes;
using registry_bound::SignatureSet;
using registry_bound::StoredSignature;
using sigstore::MadeKey;
using sigstore::SigstoreDemand;
using sigstore::SmallSigstore;

const TimePoint kNow = ParseRfc3339("2026-11-28T20:00:00Z").value();

std::string Read(const std::string& name) {
  std::ifstream in(std::filesystem::path(CRIVET_TEST_DATA) / "sigstore" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// One of the vectors; see tests/data/sigstore/index.jsonl.
enum Which : std::int64_t { kKey, kKeylessPromised, kKeylessTimestamped };

struct Case {
  SignatureBytes signature;
  std::unique_ptr<SigstoreDemand> demand;
  sigstore::WantedImage image;
};

Case CaseOf(std::int64_t which) {
  constexpr const char* kFiles[] = {"key-p256-good", "keyless-good", "keyless-good-tsa"};
  const auto image = ImageReference::Parse("127.0.0.1:5055/acme/web:1.0").value();
  Case one{sigstore::BundleBytes(Read("bundles/" + std::string(kFiles[which]) + ".json")),
           std::make_unique<SigstoreDemand>(),
           {.digest = Sha256Digest::Parse(
                          "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4")
                          .value(),
            .repository = image.repository(),
            .tag = image.tag()}};
  sigstore::SignerDemand& signer = one.demand->image.signer;
  if (which == kKey) {
    signer.who =
        sigstore::KeyDemand{{VerificationKey::FromPem(Read("trust/key-p256.pub")).value()}};
    return one;
  }
  signer.root = sigstore::TrustedRoot::Parse(Read("trust/trusted_root.json")).value();
  signer.logs = 1;
  sigstore::KeylessDemand keyless;
  keyless.identities.push_back(
      {sigstore::TextPattern::Literally("https://token.actions.example"),
       sigstore::TextPattern::Literally(
           "https://git.acme.example/shop/web/.ci/release.yml@refs/heads/main")});
  keyless.signed_times = which == kKeylessTimestamped ? 1 : 0;
  signer.who = keyless;
  return one;
}

void Cold(benchmark::State& state) {
  const Case one = CaseOf(state.range(0));
  for (auto step : state) {
    if (!one.demand->Verify(one.signature, one.image, kNow)) std::abort();
  }
}
BENCHMARK(Cold)
    ->Arg(kKey)
    ->Arg(kKeylessPromised)
    ->Arg(kKeylessTimestamped)
    ->Unit(benchmark::kMicrosecond);

void OneP256Signature(benchmark::State& state) {
  const MadeKey key = MadeKey::P256();
  const std::string signature = key.Sign("signed");
  const auto verifier = VerificationKey::FromPem(key.Pem()).value();
  for (auto step : state) {
    if (verifier.Verify(SignatureScheme::kEcdsaDer, HashAlgorithm::kSha256, signature, "signed") !=
        SignatureCheck::kGood) {
      std::abort();
    }
  }
}
BENCHMARK(OneP256Signature)->Unit(benchmark::kMicrosecond);

/// What a node keeps of one repository: an image a signature.
struct Kept {
  std::vector<ImageReference> references;  ///< by digest
  std::shared_ptr<SigstoreDemand> demand = std::make_shared<SigstoreDemand>();
  std::shared_ptr<const SignatureSet> set;
  double bundle_bytes = 0;
  double bytes_each = 0;  ///< of heap, the bundle's included
};

std::string SignedBundle(const SmallSigstore& instance, const MadeKey& key,
                         const Sha256Digest& image) {
  sigstore::SignedStatement it = instance.SignedWith(key);
  auto statement = nlohmann::json::parse(it.payload);
  statement["subject"][0]["digest"]["sha256"] = ToHex(image.bytes());
  it.payload = statement.dump();
  return SmallSigstore::BundleOf(it.SignedAgain(), {}).dump();
}

Kept Keep(std::int64_t images) {
  const std::string repository = "registry.acme.example/shop/web";
  const SmallSigstore instance;
  const MadeKey key = MadeKey::P256();
  Kept kept;
  sigstore::KeyDemand keys{{VerificationKey::FromPem(key.Pem()).value()}};
  kept.demand->image.signer.who = std::move(keys);
  kept.demand->fingerprint = Sha256Of("the demand");
  for (std::int64_t i = 0; i < images; ++i) {
    const Sha256Digest digest(Sha256Of("image " + std::to_string(i)));
    const std::string name = repository + "@" + digest.ToString();
    kept.references.push_back(ImageReference::Parse(name).value());
  }
  const std::size_t heap_before = mallinfo2().uordblks;
  {
    std::vector<StoredSignature> signatures;
    for (const ImageReference& reference : kept.references) {
      signatures.push_back(
          {*reference.digest(), kNow,
           sigstore::BundleBytes(SignedBundle(instance, key, *reference.digest()))});
    }
    kept.bundle_bytes = static_cast<double>(signatures.front().signature.bytes().size());
    kept.set = SignatureSet({"sigstore", "registry", repository}, sigstore::Dialect())
                   .With(std::move(signatures), {.demands = {kept.demand}});
  }
  // The first decision over each verifies it.
  for (const ImageReference& reference : kept.references) {
    const Judgement judgement = kept.set->Current(
        {.reference = reference, .demand = *kept.demand, .failure = nullptr, .now = kNow});
    if (!std::holds_alternative<Allow>(judgement.verdict)) std::abort();
  }
  kept.bytes_each =
      static_cast<double>(mallinfo2().uordblks - heap_before) / static_cast<double>(images);
  return kept;
}

void DecisionFromKept(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  static std::map<std::int64_t, Kept> worlds;
  auto at = worlds.find(state.range(0));
  if (at == worlds.end()) at = worlds.emplace(state.range(0), Keep(state.range(0))).first;
  const Kept& kept = at->second;
  std::vector<std::int64_t> taken;
  taken.reserve(1 << 20);
  std::size_t next = 0;
  for (auto step : state) {
    next = (next + 7919) % kept.references.size();
    const ImageReference& reference = kept.references[next];
    const auto begin = Clock::now();
    const Judgement judgement = kept.set->Current(
        {.reference = reference, .demand = *kept.demand, .failure = nullptr, .now = kNow});
    const auto end = Clock::now();
    if (!std::holds_alternative<Allow>(judgement.verdict)) std::abort();
    if (taken.size() < taken.capacity()) taken.push_back((end - begin).count());
  }
  std::sort(taken.begin(), taken.end());
  const auto part = [&taken](double share) {
    return static_cast<double>(
        taken[static_cast<std::size_t>(share * static_cast<double>(taken.size() - 1))]);
  };
  state.counters["p50_ns"] = part(0.50);
  state.counters["p99_ns"] = part(0.99);
  state.counters["bytes_each"] = kept.bytes_each;
  state.counters["bundle_bytes"] = kept.bundle_bytes;
}
BENCHMARK(DecisionFromKept)->Arg(1)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
