// SPDX-License-Identifier: Apache-2.0

// What many nodes ask of one trust server or image registry. Each node is the daemon's own
// TrustService with a state folder; their clock is virtual, and the requests that they decide to
// make are real ones, made by a bounded number of clients and answered by the real server. Run by
// bench/fleet; prints a line of JSON for each stretch of time.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/fleet_upstream.h"
#include "tests/support/trust_io/simulated_fleet.h"
#include "tests/support/trust_io/virtual_time.h"
#include "trust/notary/notary_kind.h"
#include "trust/sigstore/sigstore_kind.h"
#include "trust/tuf1/tuf_kind.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
namespace fs = std::filesystem;
using Phases = SimulatedFleet::Options::Phases;

constexpr seconds kInterval = FleetUpstream::kInterval;
constexpr seconds kLifetime{24h * 14};  // of a timestamp of Notary's
// The server is told of the expiry so much before it, so that nobody asks in between.
constexpr seconds kLead{1};

/// Scenario is one fleet from its start to its end.
class Scenario {
 public:
  struct Setup {
    std::string name;
    TimePoint begin;
    std::size_t nodes = 0;
    Phases phases = Phases::kOwn;
    enum class Stored { kNothing, kFromBefore } stored = Stored::kFromBefore;
  };

  Scenario(const FleetArguments& arguments, const FleetUpstream& upstream, Setup setup)
      : arguments_(arguments),
        setup_(std::move(setup)),
        time_(setup_.begin, arguments.clients),
        log_(std::make_shared<RequestLog>(time_, upstream.fetcher())) {
    const fs::path state = fs::path(arguments.state) / "run";
    const bool stored = setup_.stored == Setup::Stored::kFromBefore;
    fs::remove_all(state);
    fs::create_directories(state);
    for (std::size_t i = 0; stored && i < setup_.nodes; ++i) {
      const std::string node = std::to_string(i);
      fs::copy(fs::path(arguments.state) / "before" / node, state / node,
               fs::copy_options::recursive);
    }
    for (const auto& entry : fs::recursive_directory_iterator(state)) {
      if (entry.is_directory()) fs::permissions(entry, fs::perms::owner_all);
    }
    SimulatedFleet::Options options;
    options.nodes = setup_.nodes;
    options.kinds = {&NotaryKind(), &TufKind(), &SigstoreKind()};
    options.servers = {upstream.settings()};
    options.policy = upstream.MakePolicy();
    options.fetcher = log_;
    if (upstream.is_registry()) {
      options.of_node = [this](std::shared_ptr<MetadataFetcher> asked) {
        return std::make_shared<NodeOfRegistry>(time_, std::move(asked));
      };
    }
    options.state_dir = state.string() + "/";
    options.phases = setup_.phases;
    fleet_ = std::make_unique<SimulatedFleet>(time_, std::move(options));
    fleet_->StartAll();
  }

  VirtualTime& time() { return time_; }
  SimulatedFleet& fleet() { return *fleet_; }
  /// By tag.
  void PullEach(seconds every, seconds stretch) {
    UseEach({.reference = arguments_.image}, every, stretch);
  }
  void UseEach(SimulatedFleet::Use use, seconds every, seconds stretch) {
    // What is pulled of a registry that does not answer cannot be had, so that kubelet comes again.
    if (arguments_.kind == "registry") use.refused = SimulatedFleet::Use::Refused::kTriedAgain;
    fleet_->UseEach(use, every, now() + stretch);
  }
  void SetInterval(seconds interval) {
    interval_ = interval;
    fleet_->SetInterval(interval);
  }
  void RunUntil(TimePoint wall) { time_.Run(wall - time_.wall()); }

  /// Lets time pass and says what was asked meanwhile.
  void Stretch(const std::string& name, seconds length) {
    const auto machine = std::chrono::steady_clock::now();
    const seconds begin = now();
    const TimePoint from = time_.wall();
    const std::size_t failed = log_->failed();
    time_.Run(length);
    const std::vector<std::size_t> by_second = log_->Since(begin);
    const RequestRate rate = RateOf(by_second);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - machine;
    std::vector<std::size_t> by_ten((by_second.size() + 9) / 10);
    for (std::size_t i = 0; i < by_second.size(); ++i) by_ten[i / 10] += by_second[i];
    const nlohmann::json line = {{"server", arguments_.kind},
                                 {"scenario", setup_.name},
                                 {"stretch", name},
                                 {"phases", setup_.phases == Phases::kOwn ? "own" : "one"},
                                 {"nodes", setup_.nodes},
                                 {"seconds", length.count()},
                                 {"interval", interval_.count()},
                                 {"average", rate.average},
                                 {"peak", rate.peak},
                                 {"peak_of_ten", rate.peak_of_ten},
                                 {"failed", log_->failed() - failed},
                                 {"allowed", fleet_->allowed()},
                                 {"refused", fleet_->refused()},
                                 {"verified", fleet_->VerifiedSince(from)},
                                 {"expired", fleet_->Expired()},
                                 {"ms_an_answer", log_->ms_an_answer()},
                                 {"machine_seconds", took.count()},
                                 {"by_ten", by_ten}};
    std::puts(line.dump().c_str());
    std::fflush(stdout);
  }

 private:
  seconds now() const { return std::chrono::floor<seconds>(time_.passed()); }

  const FleetArguments& arguments_;
  const Setup setup_;
  seconds interval_ = kInterval;
  VirtualTime time_;
  std::shared_ptr<RequestLog> log_;
  std::unique_ptr<SimulatedFleet> fleet_;
};

/// Every scenario by its name.
class Scenarios {
 public:
  Scenarios(const FleetArguments& arguments, FleetUpstream& upstream)
      : arguments_(arguments), upstream_(upstream) {}

  void Run(const std::string& name) {
    static const std::map<std::string, std::function<void(Scenarios&)>> all = {
        {"first-start", [](Scenarios& s) { s.FirstStart(); }},
        {"together", [](Scenarios& s) { s.Together(Phases::kOwn); }},
        {"together-one-phase", [](Scenarios& s) { s.Together(Phases::kOne); }},
        {"together-pulled", [](Scenarios& s) { s.TogetherPulled(); }},
        {"busy", [](Scenarios& s) { s.Busy(); }},
        {"idle", [](Scenarios& s) { s.Idle(); }},
        {"outage", [](Scenarios& s) { s.Outage(Phases::kOwn); }},
        {"outage-one-phase", [](Scenarios& s) { s.Outage(Phases::kOne); }},
        {"outage-by-digest", [](Scenarios& s) { s.OutageByDigest(); }},
        {"outage-started", [](Scenarios& s) { s.OutageStarted(); }},
        {"expiry-busy", [](Scenarios& s) { s.ExpiryInUse(Phases::kOwn); }},
        {"expiry-busy-one-phase", [](Scenarios& s) { s.ExpiryInUse(Phases::kOne); }},
        {"expiry-idle", [](Scenarios& s) { s.ExpiryIdle(); }}};
    const auto found = all.find(name);
    if (found == all.end()) throw std::runtime_error("there is no scenario " + name);
    found->second(*this);
  }

 private:
  Scenario::Setup Of(std::string name, Phases phases = Phases::kOwn) const {
    // Not before what is stored was verified.
    const TimePoint begin = std::max(MachineTime(), stored_at_);
    const std::size_t nodes =
        phases == Phases::kOwn ? arguments_.nodes : std::min<std::size_t>(arguments_.nodes, 1000);
    return {std::move(name), begin, nodes, phases};
  }

  std::string ByDigest() const {
    return ImageReference::Parse(arguments_.image).value().repository() + "@" + arguments_.digest;
  }
  // A container of an image that is here.
  SimulatedFleet::Use Started() const {
    return {.reference = arguments_.image, .here = Sha256Digest::Parse(arguments_.digest).value()};
  }

  // Nothing is known; within a minute a pod comes up on each.
  void FirstStart() {
    Scenario::Setup setup = Of("first start");
    setup.stored = Scenario::Setup::Stored::kNothing;
    Scenario run(arguments_, upstream_, setup);
    run.PullEach(60s, 60s);
    run.Stretch("the first minute", 60s);
    run.Stretch("ten minutes after it", 10min);
    stored_at_ = run.time().wall();
    run.fleet().StopAll();
    const fs::path state = arguments_.state;
    fs::remove_all(state / "before");
    fs::rename(state / "run", state / "before");
  }

  // A power cut: all of them come back at one moment, with what they have stored.
  void Together(Phases phases) {
    Scenario run(arguments_, upstream_, Of("together", phases));
    if (upstream_.is_registry()) run.UseEach(Started(), 60s, 60s);
    run.Stretch("the first ten minutes", 10min);
  }

  // The same of pods that pull whatever is there.
  void TogetherPulled() {
    Scenario run(arguments_, upstream_, Of("together, all pull"));
    run.PullEach(60s, 60s);
    run.Stretch("the first ten minutes", 10min);
  }

  void Busy() {
    // Of a registry nothing is refreshed, at no interval.
    const std::vector<seconds> intervals = upstream_.is_registry()
                                               ? std::vector<seconds>{kInterval}
                                               : std::vector<seconds>{1min, kInterval, 15min};
    for (const seconds interval : intervals) {
      Scenario run(arguments_, upstream_, Of("busy"));
      run.SetInterval(interval);
      run.time().Run(interval);
      run.PullEach(10min, 2 * interval);
      run.Stretch("two intervals", 2 * interval);
    }
  }

  // An hour without a decision makes them idle; with a long interval it costs little.
  static void LetIdle(Scenario& run) {
    run.SetInterval(1h);
    run.time().Run(65min);
    run.SetInterval(kInterval);
  }

  void Idle() {
    Scenario run(arguments_, upstream_, Of("idle"));
    LetIdle(run);
    run.Stretch("six hours", 6h);
  }

  void Outage(Phases phases) { Outage("outage", phases, {.reference = arguments_.image}); }
  void OutageByDigest() { Outage("outage, by digest", Phases::kOwn, {.reference = ByDigest()}); }
  void OutageStarted() { Outage("outage, images here", Phases::kOwn, Started()); }

  void Outage(const std::string& name, Phases phases, const SimulatedFleet::Use& use) {
    Scenario run(arguments_, upstream_, Of(name, phases));
    run.time().Run(kInterval);
    run.UseEach(use, 10min, 85min);
    run.Stretch("before", 10min);
    upstream_.Do("away");
    run.Stretch("away for an hour", 1h);
    upstream_.Do("back");
    run.Stretch("after its end", 15min);
  }

  // Of what the server has now. Notary's next one ends a lifetime after the machine's own time:
  // that has to be some minutes later.
  TimePoint Expiry() {
    Scenario::Setup setup = Of("a look");
    setup.nodes = 1;
    Scenario look(arguments_, upstream_, setup);
    look.time().Run(kInterval);
    const std::optional<TimePoint> expiry = look.fleet().FirstExpiry();
    if (!expiry) throw std::runtime_error("the node has no set");
    const seconds old = MachineTime() - (*expiry - kLifetime);
    if (!upstream_.is_tuf() && old < 340s) std::this_thread::sleep_for(340s - old);
    return *expiry;
  }

  void ExpiryInUse(Phases phases) {
    const TimePoint expiry = Expiry();
    Scenario::Setup setup = Of("expiry in use", phases);
    setup.begin = expiry - 15min - kLead;
    Scenario run(arguments_, upstream_, setup);
    run.time().Run(kInterval);
    run.PullEach(10min, 15min);
    run.Stretch("ten minutes before", 10min);
    Renew(expiry);
    run.Stretch("five minutes after", 5min + kLead);
  }

  void ExpiryIdle() {
    const TimePoint expiry = Expiry();
    Scenario::Setup setup = Of("expiry idle");
    setup.begin = expiry - 3h - kLead;
    Scenario run(arguments_, upstream_, setup);
    LetIdle(run);
    run.RunUntil(expiry - 1h - kLead);
    if (upstream_.is_tuf()) Renew(expiry);  // this one renews an hour before
    run.Stretch("the hour before", 1h);
    if (!upstream_.is_tuf()) Renew(expiry);
    run.Stretch("five minutes after", 5min + kLead);
  }

  void Renew(TimePoint expiry) {
    upstream_.is_tuf() ? upstream_.Publish(expiry + 24h * 14) : upstream_.Do("expire");
  }

  const FleetArguments& arguments_;
  FleetUpstream& upstream_;
  TimePoint stored_at_;
};

FleetArguments Read(int argc, char** argv) {
  FleetArguments read;
  CLI::App app("A fleet of nodes, and one trust server or registry");
  app.add_option("--kind", read.kind)->check(CLI::IsMember({"notary", "tuf", "registry"}));
  app.add_option("--url", read.url);
  app.add_option("--ca", read.ca);
  app.add_option("--root", read.root);
  app.add_option("--publish", read.publish);
  app.add_option("--hosts", read.hosts);
  app.add_option("--key", read.key);
  app.add_option("--image", read.image)->required();
  app.add_option("--digest", read.digest);
  app.add_option("--state", read.state)->required();
  app.add_option("--hook", read.hook)->required();
  app.add_option("--nodes", read.nodes);
  app.add_option("--clients", read.clients);
  app.add_option("scenarios", read.scenarios)->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return read;
}

}  // namespace
}  // namespace crivet::trust

int main(int argc, char** argv) {
  const crivet::trust::FleetArguments arguments = crivet::trust::Read(argc, argv);
  try {
    crivet::trust::FleetUpstream upstream(arguments);
    crivet::trust::Scenarios scenarios(arguments, upstream);
    for (const std::string& name : arguments.scenarios) scenarios.Run(name);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fleet_load: %s\n", error.what());
    return 70;
  }
  return 0;
}
