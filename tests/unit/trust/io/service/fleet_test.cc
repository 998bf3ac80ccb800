// SPDX-License-Identifier: Apache-2.0

// A hundred nodes on a virtual clock, each with the service as it is in the daemon: what one server
// is asked by all of them. bench/fleet does the same with ten thousand and real servers.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust_io/memory_disk.h"
#include "tests/support/trust_io/simulated_fleet.h"
#include "tests/support/trust_io/virtual_time.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr char kUrl[] = "https://notary.acme.example";
constexpr char kWeb[] = "registry.acme.example/shop/web";
constexpr std::size_t kNodes = 100;

/// A server that, as Notary does, renews a timestamp when it is asked after that has run out.
class RenewingServer final : public MetadataFetcher {
 public:
  explicit RenewingServer(const VirtualTime& time) : time_(time) {
    web_.Sign("targets", "1.0", DigestOf("web 1.0"));
    for (const char* role : {"targets", "snapshot"}) web_.SetExpiry(role, time.wall() + 24h * 900);
    Renew();
  }

  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    const std::lock_guard lock(mutex_);
    if (terms.arrival) terms.arrival->heard = away_ ? Heard::kNoConnection : Heard::kAnswer;
    if (away_) return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork}), std::nullopt};
    const std::string& file = request.file_names.front();
    if (file == "timestamp.json" && time_.wall() >= expires_) Renew();
    return {web_.Fetch({file, request.max_bytes, request.sha256}), std::nullopt};
  }

  void SetAway(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }
  TimePoint expires() const { return expires_; }
  const SigningRepository& web() const { return web_; }

 private:
  void Renew() {
    expires_ = time_.wall() + 24h * 14;
    web_.SetExpiry("timestamp", expires_);
    web_.Publish();
  }

  const VirtualTime& time_;
  std::mutex mutex_;
  SigningRepository web_{kWeb};
  TimePoint expires_;
  bool away_ = false;
};

struct Fleet {
  explicit Fleet(SimulatedFleet::Options::Phases phases = SimulatedFleet::Options::Phases::kOwn) {
    NotaryRule rule;
    rule.name = kWeb;
    rule.images = {ImagePattern::Parse(kWeb).value()};
    rule.action = Action::kVerify;
    rule.trust = "acme";
    rule.url = kUrl;
    rule.roles = {RoleName::Targets()};
    rule.root.key_ids = {server->web().keys("root").front().Parsed().canonical_id()};
    Rule fallback;
    fallback.name = "default";
    fallback.is_default = true;
    TrustServer settings;
    settings.label = "acme";
    settings.kind = std::string(NotaryKind().name());
    settings.url = kUrl;
    SimulatedFleet::Options options;
    options.nodes = kNodes;
    options.kinds = {&NotaryKind()};
    options.servers = {settings};
    options.policy =
        std::make_shared<const Policy>(Policy::Create({rule}, std::move(fallback)).value());
    options.fetcher = asked;
    options.state_dir = "node-";
    options.files = &disk;
    options.phases = phases;
    nodes = std::make_unique<SimulatedFleet>(time, std::move(options));
    // Each has pulled once; a moment later everybody starts anew, at one moment.
    nodes->StartAll();
    nodes->PullEach(image, 60s, 60s);
    time.Run(60s);
    nodes->StopAll();
    nodes->StartAll();
  }

  RequestRate During(std::chrono::seconds stretch) {
    const seconds begin = std::chrono::floor<seconds>(time.passed());
    time.Run(stretch);
    return RateOf(asked->Since(begin));
  }
  void PullEvery(seconds every, seconds stretch) {
    nodes->PullEach(image, every, std::chrono::floor<seconds>(time.passed()) + stretch);
  }

  const std::string image = std::string(kWeb) + ":1.0";
  VirtualTime time{SigningRepository::kNow, 0};
  std::shared_ptr<RenewingServer> server = std::make_shared<RenewingServer>(time);
  std::shared_ptr<RequestLog> asked = std::make_shared<RequestLog>(time, server);
  MemoryDisk disk;
  std::unique_ptr<SimulatedFleet> nodes;
};

// Once an interval, less a twentieth: 100 nodes every 285 s.
constexpr double kInUse = 100.0 / 285;

}  // namespace

BOOST_AUTO_TEST_SUITE(FleetTest)

BOOST_AUTO_TEST_CASE(StartedTogether_SpreadOverTheInterval) {
  Fleet fleet;
  const RequestRate first = fleet.During(285s);
  BOOST_TEST(first.average < kInUse * 1.1);
  BOOST_TEST(first.average > kInUse * 0.9);
  BOOST_TEST(first.peak_of_ten < 5 * kInUse);
  BOOST_TEST(fleet.nodes->VerifiedSince(fleet.time.wall() - 290s) == kNodes);
}

// What the phase is for, and that this test would see it go.
BOOST_AUTO_TEST_CASE(WithoutPhases_AllAskInOneSecond) {
  Fleet fleet(SimulatedFleet::Options::Phases::kOne);
  BOOST_TEST(fleet.During(300s).peak >= kNodes);
}

BOOST_AUTO_TEST_CASE(Idle_FarBelowOneRequestASecondOfAThousandNodes) {
  Fleet fleet;
  fleet.nodes->SetInterval(1h);
  fleet.During(65min);
  const RequestRate idle = fleet.During(6h);
  BOOST_TEST(idle.average * (1000.0 / kNodes) < 0.1);
  BOOST_TEST(idle.average > 0);
  BOOST_TEST(idle.peak_of_ten <= 0.5);
}

BOOST_AUTO_TEST_CASE(OutageOfAnHour_ItsEndIsNoStorm_AndPullsAreAnsweredThroughout) {
  Fleet fleet;
  fleet.PullEvery(10min, 100min);
  fleet.During(10min);
  fleet.server->SetAway(true);
  fleet.During(1h);
  fleet.server->SetAway(false);
  const TimePoint back = fleet.time.wall();
  const RequestRate after = fleet.During(10min);
  BOOST_TEST(after.peak_of_ten < 5 * kInUse);
  BOOST_TEST(fleet.nodes->VerifiedSince(back) == kNodes);
  BOOST_TEST(fleet.nodes->refused() == 0u);
  BOOST_TEST(fleet.nodes->allowed() > 5 * kNodes);
}

BOOST_AUTO_TEST_CASE(OneExpiry_IsNoStorm_AndOverSoon) {
  Fleet fleet;
  fleet.nodes->StopAll();
  fleet.time.Run(fleet.server->expires() - fleet.time.wall() - 10min);
  fleet.nodes->StartAll();
  fleet.PullEvery(10min, 20min);
  fleet.During(10min);
  const RequestRate after = fleet.During(125s);
  BOOST_TEST(fleet.nodes->Expired() == 0u);
  BOOST_TEST(after.peak_of_ten < 5 * kInUse * 3);  // timestamp, snapshot and targets are new
  BOOST_TEST(fleet.nodes->refused() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
