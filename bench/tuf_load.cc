// SPDX-License-Identifier: Apache-2.0

// What names in a repository of TUF 1.0 cost a daemon, the network and the disk left out: a node
// that knows nothing asks for a name, a refresh finds nothing new, a daemon that starts has what it
// stored verified again. Files come from memory. Goals (bench/README.md): 100 000 names in 2^10
// bins 5 ms cold and 1 ms warm, 10 000 names in one file 8 ms.

#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/tuf_publisher.h"
#include "trust/tuf1/tuf_demand.h"
#include "trust/tuf1/tuf_kind.h"

namespace crivet::trust {
namespace {

std::string NameOf(std::int64_t i) {
  return "registry.example/team-" + std::to_string(i % 100) + "/app-" + std::to_string(i) + ":1.0";
}

struct Published {
  TufPublisher server;
  RefreshStart start;

  // In 2^bits bins; 0: all in `targets`.
  Published(std::int64_t names, unsigned bits) {
    std::vector<std::string> roles = {"targets"};
    tuf1::Bins bins{bits, "bin"};
    if (bits > 0) server.DelegateBins("targets", bits, bins.prefix);
    for (std::int64_t i = 0; i < names; ++i) {
      const std::string name = NameOf(i);
      server.Sign(bits > 0 ? bins.RoleOf(name) : "targets", name, name);
    }
    for (std::int64_t i = 0; bits > 0 && i < names; ++i) {
      std::string role = bins.RoleOf(NameOf(i));
      if (!seen_.insert(role).second) continue;
      server[role].keys = server["targets"].keys;
      roles.push_back(std::move(role));
    }
    server.PublishEdition(roles);
    const auto trust = std::make_shared<tuf1::TufTrust>();
    trust->pin.file = tuf1::ReadFirstRoot(server.files.at("1.root.json"), {}).value();
    const auto demand = std::make_shared<tuf1::TufDemand>(
        tuf1::TargetName::Parse("{name}:{tag}", tuf1::TargetName::Of::kTag).value());
    demand->trust = trust;
    start.id = {"tuf", "https://tuf.example/metadata", "*"};
    start.demands = {demand};
    start.now = TufPublisher::kNow;
    start.limits.targets_bytes = Limits::kLargestTargetsBytes;
  }

  Committed Run(RefreshStart begin) {
    const auto refresh = TufKind().Begin(std::move(begin));
    while (const auto wanted = refresh->Wanted()) {
      refresh->Supply(server.Serve(wanted->path.substr(1), wanted->max_bytes));
    }
    RefreshOutcome outcome = refresh->Finish();
    if (!outcome) throw std::runtime_error(outcome.error().error.detail);
    return *std::move(outcome);
  }

  RefreshStart Asking(std::int64_t name) const {
    RefreshStart begin = start;
    begin.asked = AskedName{ImageReference::Parse(NameOf(name)).value()};
    return begin;
  }

 private:
  std::set<std::string> seen_;
};

Published& Of(const benchmark::State& state) {
  static std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<Published>> made;
  auto& one = made[{state.range(0), state.range(1)}];
  if (!one) {
    one = std::make_unique<Published>(state.range(0), static_cast<unsigned>(state.range(1)));
  }
  return *one;
}

void ColdLookup(benchmark::State& state) {
  Published& published = Of(state);
  for (auto _ : state) benchmark::DoNotOptimize(published.Run(published.Asking(7)));
}

void RefreshWhenNothingChanged(benchmark::State& state) {
  Published& published = Of(state);
  RefreshStart begin = published.start;
  begin.previous = published.Run(published.Asking(7)).set;
  for (auto _ : state) benchmark::DoNotOptimize(published.Run(begin));
}

void AnotherName(benchmark::State& state) {
  Published& published = Of(state);
  RefreshStart begin = published.Asking(8);
  begin.previous = published.Run(published.Asking(7)).set;
  for (auto _ : state) benchmark::DoNotOptimize(published.Run(begin));
}

void LoadFromTheStore(benchmark::State& state) {
  Published& published = Of(state);
  std::map<std::string, std::string> stored;
  for (StoredFile& file : published.Run(published.Asking(7)).files) {
    stored[file.name] = *std::move(file.bytes);
  }
  RefreshStart begin = published.start;
  begin.source = RefreshStart::Source::kStore;
  for (const auto& [name, bytes] : stored) begin.stored.push_back(name);
  for (auto _ : state) {
    const auto load = TufKind().Begin(begin);
    while (const auto wanted = load->Wanted()) {
      const auto file = stored.find(wanted->stored_as);
      if (file == stored.end()) {
        load->Supply(tl::unexpected(FetchFailure{FetchFailure::Kind::kNotFound, {}}));
      } else {
        load->Supply(FetchedFile(file->second));
      }
    }
    if (!load->Finish()) throw std::runtime_error("what was stored does not verify");
  }
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({10'000, 0})->Args({100'000, 10})->Unit(benchmark::kMillisecond);
}
BENCHMARK(ColdLookup)->Apply(Sizes);
BENCHMARK(RefreshWhenNothingChanged)->Apply(Sizes);
BENCHMARK(AnotherName)->Apply(Sizes);
BENCHMARK(LoadFromTheStore)->Apply(Sizes)->Args({100, 0})->Args({1'000, 0})->Args({100'000, 0});

}  // namespace
}  // namespace crivet::trust

BENCHMARK_MAIN();
