// SPDX-License-Identifier: Apache-2.0

// How long until a node knows a repository that it has on disk? Everything is verified again: JSON,
// canonical form, hashes, signatures, floors, the index of tags. Files come from memory, so that
// the disk is left out. Goals (bench/README.md): 10 000 tags in 5 ms, 100 000 in 50 ms, linear; at
// most 200 bytes a tag in memory.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <map>

#include "tests/support/trust/signing_repository.h"
#include "trust/base/bytes.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

const RoleName kReleases = RoleName::Parse("targets/releases").value();

std::string TagName(std::int64_t i) {
  // 17 characters, about what public images use: `1.25.3-alpine3.18`.
  std::string number = std::to_string(i);
  number.insert(0, 7 - number.size(), '0');
  return "1." + number.substr(0, 3) + "." + number.substr(3) + "-alpine3";
}

struct Stored {
  SigningRepository server;
  StoredFiles files;
  MetadataUpdate::Start start;

  explicit Stored(std::int64_t tags) : start(server.Start()) {
    start.limits.targets_bytes = Limits::kLargestTargetsBytes;
    server.Delegate("targets/releases", {SigningKey::Ecdsa()});
    for (std::int64_t i = 0; i < tags; ++i) {
      const std::string tag = TagName(i);
      server.Sign("targets/releases", tag, DigestOf(tag));
    }
    server.Publish();
    start = server.Start();
    start.limits.targets_bytes = Limits::kLargestTargetsBytes;
    const auto outcome = RunRefresh(start, server);
    if (!outcome) throw std::runtime_error(DetailOf(outcome));
    files.Apply(outcome->files);
    start.source = MetadataUpdate::Source::kStore;
    start.floors = outcome->repository->floors();
  }

  std::shared_ptr<const Repository> Load() {
    auto outcome =
        RunRefresh(start, [&](const MetadataRequest& request) { return files.Fetch(request); });
    if (!outcome) throw std::runtime_error(DetailOf(outcome));
    return outcome->repository;
  }
};

Stored& Of(std::int64_t tags) {
  static std::map<std::int64_t, Stored> made;
  const auto at = made.find(tags);
  return at != made.end() ? at->second : made.emplace(tags, Stored(tags)).first->second;
}

void FirstVerifiedLoad(benchmark::State& state) {
  Stored& stored = Of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(stored.Load());

  const std::size_t heap_before = mallinfo2().uordblks + mallinfo2().hblkhd;
  const auto repository = stored.Load();
  const std::size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd - heap_before;
  const auto tags = static_cast<double>(state.range(0));
  state.counters["tags/s"] =
      benchmark::Counter(tags, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes/tag"] = static_cast<double>(heap) / tags;
  state.counters["estimate/tag"] = static_cast<double>(repository->resident_bytes()) / tags;
}
BENCHMARK(FirstVerifiedLoad)
    ->Arg(100)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

// The floor of a load, which hashes a file and its canonical form: the same bytes hashed twice.
void SameBytesHashedTwice(benchmark::State& state) {
  const std::string bytes = Of(state.range(0)).server.bytes("targets/releases");
  for (auto _ : state) {
    for (int i = 0; i < 2; ++i) benchmark::DoNotOptimize(Sha256Of(bytes));
  }
}
BENCHMARK(SameBytesHashedTwice)
    ->Arg(100)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

void LookUpOneTag(benchmark::State& state) {
  const auto repository = Of(state.range(0)).Load();
  std::int64_t i = 0;
  for (auto _ : state) {
    // A large prime step: no tag is in the cache because of the one before.
    i = (i + 7'368'787) % state.range(0);
    benchmark::DoNotOptimize(repository->Lookup(kReleases, TagName(i)));
  }
}
BENCHMARK(LookUpOneTag)->Arg(100)->Arg(10'000)->Arg(1'000'000);

void FindTagsOfOneDigest(benchmark::State& state) {
  const auto repository = Of(state.range(0)).Load();
  const Sha256Digest digest = DigestOf(TagName(42));
  for (auto _ : state) {
    for (const std::string_view tag : repository->Find(kReleases)->TagsOf(digest)) {
      benchmark::DoNotOptimize(tag);
    }
  }
}
BENCHMARK(FindTagsOfOneDigest)->Arg(100)->Arg(10'000)->Arg(1'000'000);

void RefreshWhenNothingChanged(benchmark::State& state) {
  Stored& stored = Of(state.range(0));
  MetadataUpdate::Start start = stored.start;
  start.source = MetadataUpdate::Source::kServer;
  start.previous = stored.Load();
  std::size_t requests = 0;
  for (auto _ : state) {
    requests = 0;
    auto outcome = RunRefresh(start, [&](const MetadataRequest& request) {
      ++requests;
      return stored.files.Fetch(request);
    });
    benchmark::DoNotOptimize(outcome);
  }
  state.counters["requests"] = static_cast<double>(requests);
}
BENCHMARK(RefreshWhenNothingChanged)->Arg(100)->Arg(100'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace crivet::trust

BENCHMARK_MAIN();
