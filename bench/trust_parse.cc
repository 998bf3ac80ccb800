// SPDX-License-Identifier: Apache-2.0

// What does each step of trusting a targets file cost, and is it linear in the number of tags?
// Steps: read strictly, write the canonical form, hash it, read every digest out; and one key, one
// signature. Expected for 10 000 tags (1 MB): each below 2 ms. trust_load.cc measures the whole.
// Tags are 17 characters long, as measured in trust/notary/FORMAT.md#sizes.

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/trust/signing_key.h"
#include "trust/base/bytes.h"
#include "trust/signed/json.h"
#include "trust/signed/public_key.h"

namespace {

using namespace crivet::trust;

constexpr JsonLimits kLimits{.max_bytes = 128 * 1024 * 1024};

struct TargetsFile {
  std::string text;
  PublicKey key;
};

TargetsFile MakeTargets(std::int64_t tags) {
  std::string entries;
  for (std::int64_t i = 0; i < tags; ++i) {
    const std::string number = std::to_string(100'000'000 + i);
    const Sha256 digest = Sha256Of(number);
    if (i != 0) entries += ',';
    entries += R"("release-)" + number + R"(":{"hashes":{"sha256":")" + ToBase64(digest) +
               R"("},"length":1234})";
  }
  const std::string body = R"({"_type":"Targets","delegations":{"keys":{},"roles":[]},)"
                           R"("expires":"2029-11-23T11:49:42.993982524Z","targets":{)" +
                           entries + R"(},"version":7})";
  const auto signer = SigningKey::Ecdsa();
  return {R"({"signed":)" + body + R"(,"signatures":[)" + signer.SignatureJson(body) + "]}",
          signer.Parsed()};
}

// Making a file takes longer than measuring it.
const TargetsFile& TargetsOf(std::int64_t tags) {
  static std::map<std::int64_t, TargetsFile> files;
  auto at = files.find(tags);
  if (at == files.end()) at = files.emplace(tags, MakeTargets(tags)).first;
  return at->second;
}

void Report(benchmark::State& state) {
  state.SetComplexityN(state.range(0));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(TargetsOf(state.range(0)).text.size()));
}

void Read(benchmark::State& state) {
  const std::string& text = TargetsOf(state.range(0)).text;
  for (auto _ : state) benchmark::DoNotOptimize(JsonDocument::Parse(text, kLimits));
  Report(state);
}

void WriteCanonical(benchmark::State& state) {
  const auto document = JsonDocument::Parse(TargetsOf(state.range(0)).text, kLimits).value();
  const JsonValue body = document.root().Find("signed").value();
  for (auto _ : state) benchmark::DoNotOptimize(Canonical(body));
  Report(state);
}

void HashCanonical(benchmark::State& state) {
  const auto document = JsonDocument::Parse(TargetsOf(state.range(0)).text, kLimits).value();
  const JsonValue body = document.root().Find("signed").value();
  for (auto _ : state) benchmark::DoNotOptimize(CanonicalSha256(body));
  Report(state);
}

void Hash(benchmark::State& state) {
  const std::string& text = TargetsOf(state.range(0)).text;
  for (auto _ : state) benchmark::DoNotOptimize(Sha256Of(text));
  Report(state);
}

void ReadDigests(benchmark::State& state) {
  const auto document = JsonDocument::Parse(TargetsOf(state.range(0)).text, kLimits).value();
  const JsonMembers targets = document.root().Find("signed")->Find("targets")->AsObject().value();
  for (auto _ : state) {
    std::vector<std::pair<std::string_view, Sha256>> digests;
    for (const auto& [tag, target] : targets) {
      const auto hash = target.Find("hashes")->Find("sha256")->AsString().value();
      digests.emplace_back(tag, Sha256FromBase64(hash).value());
    }
    benchmark::DoNotOptimize(digests.data());
  }
  Report(state);
}

void VerifyEcdsa(benchmark::State& state) {
  const auto signer = SigningKey::Ecdsa();
  const PublicKey key = signer.Parsed();
  const std::string signature = signer.Sign("message");
  const SignedBytes message("message");
  for (auto _ : state) benchmark::DoNotOptimize(key.Verify("ecdsa", signature, message));
}

void ParseCertificateKey(benchmark::State& state) {
  const auto signer = SigningKey::Ecdsa().SelfSigned({.common_names = {"docker.io/acme/web"}});
  const std::string base64 = signer.base64_public();
  for (auto _ : state) benchmark::DoNotOptimize(PublicKey::Parse("ecdsa-x509", base64));
}

#define BY_TAGS(name) \
  BENCHMARK(name)->Arg(100)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond)

BY_TAGS(Read);
BY_TAGS(WriteCanonical);
BY_TAGS(HashCanonical);
BY_TAGS(Hash);
BY_TAGS(ReadDigests);
BENCHMARK(VerifyEcdsa)->Unit(benchmark::kMicrosecond);
BENCHMARK(ParseCertificateKey)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
