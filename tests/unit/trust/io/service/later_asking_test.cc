// SPDX-License-Identifier: Apache-2.0

// After an Allow the other members of the rule are asked. Nobody waits for that, and it must cost
// nobody a wait.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust_io/test_node.h"
#include "trust/io/service/service_threads.h"
#include "trust/io/service/worker_lanes.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

/// HoldingServer keeps those waiting who ask for certain repositories.
class HoldingServer final : public MetadataFetcher {
 public:
  explicit HoldingServer(std::shared_ptr<MetadataFetcher> below) : below_(std::move(below)) {}

  void Hold(const std::string& gun) {
    const std::lock_guard lock(mutex_);
    holds_.insert(gun);
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    holds_.clear();
    changed_.notify_all();
  }
  /// How many wait.
  std::size_t held() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }
  bool HasHeld(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return held_ >= count; });
  }
  void ForgetAsked() {
    const std::lock_guard lock(mutex_);
    asked_.clear();
  }
  /// Whether somebody asks for it within that time.
  bool IsAsked(const std::string& gun, std::chrono::milliseconds within) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return asked_.contains(gun); });
  }

  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    {
      std::unique_lock lock(mutex_);
      asked_.insert(request.scope);
      changed_.notify_all();
      if (holds_.contains(request.scope)) {
        ++held_;
        const auto until = std::chrono::steady_clock::now() + terms.patience;
        changed_.wait_until(lock, terms.stop, until,
                            [&] { return !holds_.contains(request.scope); });
        --held_;
      }
    }
    return below_->Fetch(request, terms);
  }

 private:
  const std::shared_ptr<MetadataFetcher> below_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> holds_;
  std::set<std::string> asked_;
  std::size_t held_ = 0;
};

/// TestersTime passes when the test says so; the work is done by threads of its own.
class TestersTime {
 public:
  using Time = Timetable::Clock::time_point;

  std::unique_ptr<ServiceThreads> Threads() { return std::make_unique<Own>(state_); }

  void Pass(std::chrono::seconds time) {
    std::vector<Timetable::Task> due;
    {
      const std::lock_guard lock(state_->mutex);
      state_->now += time;
      while (!state_->planned.empty() && state_->planned.begin()->first.when <= state_->now) {
        due.push_back(std::move(state_->planned.begin()->second));
        state_->planned.erase(state_->planned.begin());
      }
    }
    for (const Timetable::Task& task : due) task();
  }

 private:
  struct State {
    std::mutex mutex;
    Time now{1000s};
    std::map<Timetable::Ticket, Timetable::Task> planned;
    std::uint64_t last_number = 0;
  };
  class Own final : public ServiceThreads {
   public:
    explicit Own(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Time Now() const override {
      const std::lock_guard lock(state_->mutex);
      return state_->now;
    }
    Timetable::Ticket At(Time when, Timetable::Task task) override {
      const std::lock_guard lock(state_->mutex);
      const Timetable::Ticket ticket{when, ++state_->last_number};
      state_->planned.emplace(ticket, std::move(task));
      return ticket;
    }
    void Drop(const Timetable::Ticket& ticket) override {
      const std::lock_guard lock(state_->mutex);
      state_->planned.erase(ticket);
    }
    void SetQuota(std::size_t threads) override { lanes_.SetQuota(threads); }
    void Submit(const std::string& lane, WorkerLanes::Task task) override {
      lanes_.Submit(lane, std::move(task));
    }
    void SubmitToOneOfMany(const std::string& lane, WorkerLanes::Task task) override {
      lanes_.SubmitToOneOfMany(lane, std::move(task));
    }
    void Stop() override {
      lanes_.Stop();
      const std::lock_guard lock(state_->mutex);
      state_->planned.clear();
    }

   private:
    const std::shared_ptr<State> state_;
    WorkerLanes lanes_;
  };

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A node with rules of two Notaries, and with so many servers that each has one thread.
struct OtherNotary : TestNode {
  OtherNotary() {
    AddServer("other", "https://other.example");
    for (int i = 0; i < 6; ++i) {
      AddServer("idle" + std::to_string(i), "https://idle" + std::to_string(i) + ".example");
    }
    for (const char* label : {"acme", "other"}) {
      SetFetcher(label, Holding(label));
      for (int i = 0; i < kRepositories; ++i) {
        Server(label).With(Name(i), [&](SigningRepository& images) {
          images.Sign("targets", "1.0", DigestOf("image 1.0"));
          images.Sign("targets", label, DigestOf("image of one"));
          images.Publish();
        });
      }
    }
    std::vector<Rule> rules;
    for (int i = 0; i < kRepositories; ++i) {
      Rule rule = VerifyRule(Name(i), Name(i));
      const Rule second = VerifyRule(Name(i), Name(i), "other");
      rule.members.push_back(second.members.front());
      rule.combine = Combine::kAnyOf;
      rules.push_back(std::move(rule));
    }
    SetRules(std::move(rules), Rule{});
  }
  ~OtherNotary() {
    for (auto& [label, server] : holding) server->Release();
    Stop();
  }

  std::shared_ptr<HoldingServer> Holding(const std::string& label) {
    std::shared_ptr<HoldingServer>& server = holding[label];
    if (!server) {
      server = std::make_shared<HoldingServer>(
          std::shared_ptr<MetadataFetcher>(std::shared_ptr<void>(), &Server(label)));
    }
    return server;
  }
  HoldingServer& acme() { return *holding.at("acme"); }
  HoldingServer& other() { return *holding.at("other"); }

  static std::string Name(int i) { return "registry.acme.example/shop/r" + std::to_string(i); }

  /// The first is known to allow all but one, so that a pull of those asks nobody; the other one
  /// was not to be asked then.
  void Begin() {
    Start();
    Server("other").Require("nobody");
    for (int i = 0; i < kUnknown; ++i) Pulled(i);
    Server("other").Require("");
    Advance(31s);
    Server("other").ForgetAsked();
    other().ForgetAsked();
  }
  /// A pull that the first allows.
  Decision Pulled(int i) {
    const Decision decision = Pull(Name(i) + ":1.0");
    BOOST_REQUIRE(Outcome(decision) == DigestOf("image 1.0").ToString());
    BOOST_REQUIRE(decision.member == 0U);
    return decision;
  }
  /// The runtime has it, so that the other one is to be asked.
  void Remember(int i, const Decision& decision) {
    service().Remember(Ask(Name(i) + ":1.0").reference, decision);
  }
  void PullAndRemember(int i) { Remember(i, Pulled(i)); }
  /// A pull that waits at the first, for what nobody has asked there yet.
  std::future<Decision> PullThatWaits() {
    const std::string name = Name(kUnknown);
    acme().Hold(name);
    const auto promise = std::make_shared<std::promise<Decision>>();
    service().Decide(Ask(name + ":1.0"), [promise](Decision d) { promise->set_value(d); });
    BOOST_REQUIRE(acme().HasHeld(1));
    return promise->get_future();
  }

  static constexpr int kRepositories = 6;
  static constexpr int kUnknown = kRepositories - 1;
  std::map<std::string, std::shared_ptr<HoldingServer>> holding;
};

BOOST_FIXTURE_TEST_SUITE(LaterAskingTest, OtherNotary)

BOOST_AUTO_TEST_CASE(ManyAreAskedLater_APullThatNeedsTheirServer_GoesFirst) {
  Begin();
  for (int i = 0; i < kUnknown; ++i) {
    other().Hold(Name(i));
    PullAndRemember(i);
  }
  BOOST_REQUIRE(other().HasHeld(1));
  // Signed by the other one alone.
  BOOST_TEST(Outcome(Pull(Name(kUnknown) + ":other")) == DigestOf("image of one").ToString());
  BOOST_TEST(other().held() == 1U);
}

BOOST_AUTO_TEST_CASE(APullThatAsksWhatIsQueuedForLater_WaitsForNoTurn) {
  Begin();
  other().Hold(Name(0));
  PullAndRemember(0);
  BOOST_REQUIRE(other().HasHeld(1));
  PullAndRemember(1);
  BOOST_TEST(Outcome(Pull(Name(1) + ":other")) == DigestOf("image of one").ToString());
  BOOST_TEST(other().held() == 1U);
}

BOOST_AUTO_TEST_CASE(WhileAPullWaits_NobodyIsAskedLater_AndAtItsEndTheyAre) {
  Begin();
  auto pull = PullThatWaits();
  PullAndRemember(1);
  BOOST_TEST(!other().IsAsked(Name(1), 100ms));
  acme().Release();
  BOOST_TEST(Outcome(pull.get()) == DigestOf("image 1.0").ToString());
  BOOST_TEST(other().IsAsked(Name(1), 10s));
}

BOOST_AUTO_TEST_CASE(WhereAPullAlwaysWaits_TheyAreAskedInTheEnd) {
  TestersTime time;
  SetThreads([&time] { return time.Threads(); });
  Settings().timeout = 60s;
  Begin();
  auto pull = PullThatWaits();
  PullAndRemember(1);
  time.Pass(29s);
  BOOST_TEST(!other().IsAsked(Name(1), 100ms));
  time.Pass(1s);
  BOOST_TEST(other().IsAsked(Name(1), 10s));
  BOOST_TEST(acme().held() == 1U);
  acme().Release();
  pull.get();
  Stop();
}

BOOST_AUTO_TEST_CASE(TheServiceEnds_WhileSomeAreAskedAndSomeWait) {
  Begin();
  for (int i = 0; i < kUnknown; ++i) {
    other().Hold(Name(i));
    PullAndRemember(i);
  }
  BOOST_REQUIRE(other().HasHeld(1));
  const auto began = std::chrono::steady_clock::now();
  Stop();
  BOOST_TEST((std::chrono::steady_clock::now() - began < 3s));
  BOOST_TEST(other().held() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
