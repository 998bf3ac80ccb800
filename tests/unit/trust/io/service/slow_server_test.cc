// SPDX-License-Identifier: Apache-2.0

// What a slow server costs the pulls of a node: `timeout` once, and not once for each name and
// secret. Over real connections, each server slow in its own way.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust_io/fault_server.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "tests/support/trust_io/test_node.h"
#include "trust/io/service/trust_service.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;
using Exchange = FaultServer::Exchange;

constexpr std::chrono::milliseconds kTimeout{500};
const std::string kHead = "HTTP/1.1 200 OK\r\n";

/// A node whose rule for v.example/** asks one server.
class SlowNode {
 public:
  explicit SlowNode(FaultServer::Answer answer) : server_(std::move(answer)) {
    TrustServer settings;
    settings.label = "acme";
    settings.kind = std::string(NotaryKind().name());
    settings.url = server_.Url();
    settings.auth = TrustServer::Auth::kFromPull;
    settings.timeout = kTimeout;
    NotaryRule rule;
    rule.name = "v";
    rule.images = {ImagePattern::Parse("v.example/**").value()};
    rule.action = Action::kVerify;
    rule.trust = "acme";
    rule.url = settings.url;
    rule.roles = {RoleName::Targets()};
    rule.root.tofu = true;
    NotaryRule fallback;
    fallback.is_default = true;
    TrustService::Options options;
    options.kinds = {&NotaryKind()};
    options.state_dir = folder_ / "state";
    options.servers = {settings};
    options.policy = std::make_shared<const Policy>(Policy::Create({rule}, fallback).value());
    options.refreshing = TrustService::Refreshing::kOnlyWhenAsked;
    service_ = TrustService::Create(std::move(options)).value();
  }

  std::string Pull(const std::string& name, const std::string& secret = "",
                   Question::Reach reach = Question::Reach::kRefresh) {
    Question question = secret.empty() ? TestNode::Ask("v.example/" + name)
                                       : TestNode::AskAs("v.example/" + name, secret);
    question.reach = reach;
    const Decision decision = service_->DecideNow(std::move(question));
    return Outcome(decision) + ' ' + Found(decision);
  }

  std::size_t asked() const { return server_.requests().size(); }

 private:
  FaultServer server_;
  TemporaryFolder folder_;
  std::unique_ptr<TrustService> service_;
};

void Hang(Exchange& exchange) { exchange.UntilClientGoes(); }

void Drip(Exchange& exchange) {
  exchange.Send(kHead + "Content-Length: 1000\r\n\r\n");
  while (exchange.StaysFor(20ms) && exchange.Send("x")) continue;
}

bool IsTimeout(const std::string& said) {
  return said.starts_with("unreachable ") && said.ends_with("cannot be reached (timeout)");
}

/// How long it took since it was made.
class Watch {
 public:
  std::chrono::milliseconds Took() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - began_);
  }

 private:
  const Steady::time_point began_ = Steady::now();
};

constexpr auto kOnce = kTimeout + 1s;

BOOST_AUTO_TEST_SUITE(SlowServerTest)

BOOST_AUTO_TEST_CASE(Hanging_EachNewName_WaitsNoMore) {
  SlowNode node(Hang);
  const Watch watch;
  for (int i = 0; i < 6; ++i) {
    const std::string said = node.Pull("tenant/r" + std::to_string(i) + ":1");
    BOOST_TEST(IsTimeout(said), said);
  }
  BOOST_TEST(watch.Took().count() < std::chrono::milliseconds(kOnce).count());
}

BOOST_AUTO_TEST_CASE(HangingOrDripping_SixSecretsOfOnePull_WaitTogether) {
  for (const FaultServer::Answer& answer : {FaultServer::Answer(Hang), FaultServer::Answer(Drip)}) {
    SlowNode node(answer);
    const Watch watch;
    for (int i = 0; i < 6; ++i) {
      const std::string said = node.Pull("tenant/web:1", "secret" + std::to_string(i));
      BOOST_TEST(IsTimeout(said), said);
    }
    BOOST_TEST(watch.Took().count() < std::chrono::milliseconds(kOnce).count());
  }
}

BOOST_AUTO_TEST_CASE(Dripping_AForcedQuestion_WaitsNoLongerThanTheTimeout) {
  SlowNode node(Drip);
  const Watch watch;
  const std::string said = node.Pull("tenant/web:1", "", Question::Reach::kForce);
  BOOST_TEST(IsTimeout(said), said);
  BOOST_TEST(watch.Took().count() < std::chrono::milliseconds(kOnce).count());
}

// A drip says nothing of the server's other repositories.
BOOST_AUTO_TEST_CASE(Dripping_OneRepository_HoldsBackNoOther) {
  SlowNode node([](Exchange& exchange) {
    if (exchange.request().target.find("/slow") != std::string::npos) return Drip(exchange);
    exchange.Reply(404, "");
  });
  for (const char* name : {"tenant/slow1:1", "tenant/slow2:1"}) {
    BOOST_TEST(IsTimeout(node.Pull(name)));
  }
  BOOST_TEST(node.Pull("tenant/web:1").starts_with("no-trust-data"));
}

// A stranger makes up two names that the server is slow for: it answers others, and they get on.
BOOST_AUTO_TEST_CASE(Hanging_ForTwoNamesOfAStranger_OthersGetOn) {
  SlowNode node([](Exchange& exchange) {
    if (exchange.request().target.find("/slow") != std::string::npos) return Hang(exchange);
    exchange.Reply(404, "");
  });
  BOOST_TEST(node.Pull("tenant/web:1").starts_with("no-trust-data"));
  for (const char* name : {"tenant/slow1:1", "tenant/slow2:1"}) {
    BOOST_TEST(IsTimeout(node.Pull(name)));
  }
  // Whoever is held back finds out that the server is there, and the next try is answered.
  const Watch watch;
  while (!node.Pull("tenant/other:1").starts_with("no-trust-data") && watch.Took() < 10s) {
    std::this_thread::sleep_for(20ms);
  }
  BOOST_TEST(watch.Took().count() < 5000);
  BOOST_TEST(node.Pull("tenant/third:1").starts_with("no-trust-data"));
}

/// A server that knows nothing, and whose token server is silent for alice as long as `silent`.
FaultServer::Answer WantsTokens(const std::atomic<bool>& silent) {
  return [&silent](Exchange& exchange) {
    const FaultServer::Request& request = exchange.request();
    if (request.target.starts_with("/token")) {
      const bool alice = request.target.find("account=alice") != std::string::npos;
      return alice && silent ? Hang(exchange) : exchange.Reply(200, R"({"token":"t"})");
    }
    if (request.Header("authorization") == "Bearer t") return exchange.Reply(404, "");
    exchange.Reply(401, "",
                   "WWW-Authenticate: Bearer realm=\"http://" + request.Header("host") +
                       "/token\",service=\"s\"\r\n");
  };
}

BOOST_AUTO_TEST_CASE(HangingTokenServer_EachNewName_WaitsNoMore_WithThatSecret) {
  const std::atomic<bool> silent{true};
  SlowNode node(WantsTokens(silent));
  const Watch watch;
  for (int i = 0; i < 6; ++i) {
    const std::string said = node.Pull("tenant/r" + std::to_string(i) + ":1", "alice");
    BOOST_TEST(IsTimeout(said), said);
  }
  BOOST_TEST(watch.Took().count() < std::chrono::milliseconds(kOnce).count());
  BOOST_TEST(node.Pull("tenant/other:1", "bob").starts_with("no-trust-data"));
}

BOOST_AUTO_TEST_CASE(HangingTokenServer_ThatAnswersAgain_IsAskedAgain) {
  std::atomic<bool> silent{true};
  SlowNode node(WantsTokens(silent));
  BOOST_TEST(IsTimeout(node.Pull("tenant/one:1", "alice")));
  silent = false;
  const Watch watch;
  while (!node.Pull("tenant/other:1", "alice").starts_with("no-trust-data") && watch.Took() < 10s) {
    std::this_thread::sleep_for(20ms);
  }
  BOOST_TEST(watch.Took().count() < 5000);
}

/// Serves a signed collection; its targets file is large and comes in `pieces` a tenth of a second
/// apart.
struct LargeCollection {
  SigningRepository repository{"v.example/tenant/web"};
  std::mutex mutex;
  LargeCollection() {
    for (int i = 0; i < 2000; ++i) {
      repository.Sign("targets", "tag-" + std::to_string(i), DigestOf("image"));
    }
    repository.Sign("targets", "1", DigestOf("image"));
    repository.SetExpiry("timestamp", SigningRepository::kNow + std::chrono::hours{24 * 3650});
    repository.Publish();
  }
  void Answer(Exchange& exchange, std::size_t pieces) {
    const std::string& target = exchange.request().target;
    const std::string file = target.substr(target.rfind('/') + 1);
    std::string bytes;
    {
      const std::lock_guard lock(mutex);
      const Fetched fetched = repository.Fetch({file, 1 << 20, std::nullopt});
      if (!fetched) return exchange.Reply(404, "");
      bytes = fetched->bytes;
    }
    if (!file.starts_with("targets")) return exchange.Reply(200, bytes);
    exchange.Send(kHead + "Content-Length: " + std::to_string(bytes.size()) + "\r\n\r\n");
    const std::size_t step = bytes.size() / pieces + 1;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      if (!exchange.Send(bytes.substr(at, step)) || !exchange.StaysFor(100ms)) return;
    }
  }
};

BOOST_AUTO_TEST_CASE(LargeFileThatFlows_GoesOn_AndTheNextPullJoins) {
  LargeCollection collection;
  SlowNode node([&](Exchange& exchange) { collection.Answer(exchange, 30); });
  const Watch watch;
  const std::string first = node.Pull("tenant/web:1");
  BOOST_TEST(IsTimeout(first), first);
  BOOST_TEST(watch.Took().count() < std::chrono::milliseconds(kOnce).count());
  std::this_thread::sleep_for(1100ms);  // no more of that pull's secrets
  std::string said;
  for (int i = 0; i < 5 && !said.starts_with("sha256:"); ++i) {
    said = node.Pull("tenant/web:1");
    if (IsTimeout(said)) std::this_thread::sleep_for(1100ms);
  }
  BOOST_TEST(said.starts_with(DigestOf("image").ToString()), said);
  BOOST_TEST(node.asked() < 8U);  // one download
}

// What `crivet warm` does: it asks again as long as the refresh goes on.
BOOST_AUTO_TEST_CASE(LargeFileThatFlows_AForcedQuestionJoins) {
  LargeCollection collection;
  SlowNode node([&](Exchange& exchange) { collection.Answer(exchange, 20); });
  std::string said;
  for (int i = 0; i < 10 && !said.starts_with("sha256:"); ++i) {
    said = node.Pull("tenant/web:1", "", Question::Reach::kForce);
  }
  BOOST_TEST(said.starts_with(DigestOf("image").ToString()), said);
  BOOST_TEST(node.asked() < 8U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
