// SPDX-License-Identifier: Apache-2.0

// How long does a decision on a warm tag take, from the reference to the verdict with its evidence?
// Expected: at most 2 us at p99, whether the repository has 100 or 100 000 tags, with 50 rules to
// choose among, on 1 thread and on 64 (no lock is held). The clock read around each decision is
// part of the figure, about 25 ns. Decisions walk through the tags, so that caches are as cold as
// on a node; the reference itself is warm, for it has just come in. A thread that is put to sleep
// in a decision counts too: on fewer cores than threads the tail of 64 is the scheduler's, and the
// rate says more.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/signing_repository.h"
#include "trust/decide/decide.h"

namespace {

using namespace crivet::trust;

constexpr std::int64_t kRules = 50;
constexpr std::size_t kReferences = 4096;

RoleName Role(const char* name) { return RoleName::Parse(name).value(); }

/// World is what a node holds in memory: rules, one verified repository, its records.
struct World {
  Policy policy;
  TrustView view;
  std::vector<ImageReference> by_tag;
  std::vector<ImageReference> by_digest;
};

Rule VerifyRule(const std::string& pattern, const RootPin& pin) {
  NotaryRule rule;
  rule.name = pattern;
  rule.images = {ImagePattern::Parse(pattern).value()};
  rule.action = Action::kVerify;
  rule.url = "https://notary.acme.example";
  rule.root = pin;
  rule.roles = {Role("targets/releases"), Role("targets")};
  return rule;
}

std::unique_ptr<World> MakeWorld(std::int64_t tags) {
  SigningRepository server("registry.acme.example/shop/web");
  server.Delegate("targets/releases", {SigningKey::Ecdsa()});
  std::vector<ImageReference> by_tag;
  std::vector<ImageReference> by_digest;
  // Every n-th tag is asked for, so that the references stay few and the index is walked whole.
  const std::int64_t step =
      std::max<std::int64_t>(1, tags / static_cast<std::int64_t>(kReferences));
  for (std::int64_t i = 0; i < tags; ++i) {
    const std::string tag = "release-" + std::to_string(100'000'000 + i);
    const Sha256Digest digest = DigestOf(tag);
    server.Sign("targets/releases", tag, digest);
    if (i % step != 0) continue;
    by_tag.push_back(ImageReference::Parse(server.gun() + ":" + tag).value());
    by_digest.push_back(ImageReference::Parse(by_tag.back().PinnedTo(digest)).value());
  }
  server.Publish();
  MetadataUpdate::Start start = server.Start();
  start.limits.targets_bytes = Limits::kLargestTargetsBytes;
  const RootPin pin = start.pins.front();
  auto committed = RunRefresh(std::move(start), server);

  // The image's own rule is the last that is looked at.
  std::vector<Rule> rules;
  for (std::int64_t i = 1; i < kRules; ++i) {
    rules.push_back(VerifyRule("registry.acme.example/team" + std::to_string(i) + "/**", pin));
  }
  rules.push_back(VerifyRule("registry.acme.example/**", pin));
  return std::make_unique<World>(
      World{Policy::Create(std::move(rules), Rule{}).value(),
            TrustView{committed.value().repository, std::make_shared<const Records>(), nullptr},
            std::move(by_tag), std::move(by_digest)});
}

// Signing takes longer than measuring; the first thread makes a world, the others wait for it.
const World& WorldOf(std::int64_t tags) {
  static std::map<std::int64_t, std::unique_ptr<World>> worlds;
  auto at = worlds.find(tags);
  if (at == worlds.end()) at = worlds.emplace(tags, MakeWorld(tags)).first;
  return *at->second;
}

class WarmDecision : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State& state) override {
    if (state.thread_index() == 0) world_ = &WorldOf(state.range(0));
  }

 protected:
  template <typename Decide>
  void Measure(benchmark::State& state, const std::vector<ImageReference> World::*asked,
               Decide decide) {
    using Clock = std::chrono::steady_clock;
    std::vector<std::int64_t> taken;
    taken.reserve(1 << 20);
    std::size_t next = static_cast<std::size_t>(state.thread_index()) * 7919;
    bool all_allowed = true;
    for (auto _ : state) {
      const std::vector<ImageReference>& references = world_->*asked;
      const ImageReference reference = references[next++ % references.size()];
      const auto begin = Clock::now();
      const Decision decision = decide(*world_, reference);
      const auto end = Clock::now();
      all_allowed = all_allowed && std::holds_alternative<Allow>(decision.verdict);
      if (taken.size() < taken.capacity()) taken.push_back((end - begin).count());
    }
    if (!all_allowed) state.SkipWithError("a signed tag was refused");
    if (taken.empty()) return;
    std::sort(taken.begin(), taken.end());
    const auto at = [&taken](double part) {
      return static_cast<double>(
          taken[static_cast<std::size_t>(part * static_cast<double>(taken.size() - 1))]);
    };
    const auto average = benchmark::Counter::kAvgThreads;
    state.counters["p50_ns"] = benchmark::Counter(at(0.50), average);
    state.counters["p99_ns"] = benchmark::Counter(at(0.99), average);
    state.counters["p999_ns"] = benchmark::Counter(at(0.999), average);
    state.SetItemsProcessed(state.iterations());
  }

  static Decision Pull(const World& world, const ImageReference& reference) {
    const TimePoint now = SigningRepository::kNow;
    return DecidePull(reference, world.policy.RuleFor(reference, NoNamespace{}, now), world.view,
                      now);
  }

 private:
  const World* world_ = nullptr;
};

BENCHMARK_DEFINE_F(WarmDecision, Tag)(benchmark::State& state) {
  Measure(state, &World::by_tag, Pull);
}
BENCHMARK_DEFINE_F(WarmDecision, Digest)(benchmark::State& state) {
  Measure(state, &World::by_digest, Pull);
}

BENCHMARK_REGISTER_F(WarmDecision, Tag)
    ->Arg(100)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Threads(1)
    ->Threads(64)
    ->UseRealTime();
BENCHMARK_REGISTER_F(WarmDecision, Digest)->Arg(100)->Arg(100'000)->Threads(1)->UseRealTime();

void ChooseRule(benchmark::State& state) {
  const World& world = WorldOf(100);
  std::size_t next = 0;
  for (auto _ : state) {
    const ImageReference& reference = world.by_tag[next++ % world.by_tag.size()];
    benchmark::DoNotOptimize(
        world.policy.RuleFor(reference, NoNamespace{}, SigningRepository::kNow));
  }
}
BENCHMARK(ChooseRule);

}  // namespace

BENCHMARK_MAIN();
