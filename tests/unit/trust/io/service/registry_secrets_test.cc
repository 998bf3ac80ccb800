// SPDX-License-Identifier: Apache-2.0

// What pods' pull secrets open in an image's registry, and what none of them lends another: the
// pairs of trust_service_credentials_test.cc for kinds whose signatures lie beside images.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust_io/cosign_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kName = CosignNode::kRepository;

// Lets one user in, and remembers who came.
class PrivateRegistry final : public MetadataFetcher {
 public:
  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    const std::lock_guard lock(mutex_);
    if (terms.arrival) terms.arrival->heard = Heard::kAnswer;
    const std::string user = terms.credentials ? terms.credentials->username : "";
    asked_.push_back(user);
    if (user != wanted_) {
      return {tl::unexpected(
                  FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kCredentialsRefused}),
              std::nullopt};
    }
    return {registry_.Answer(request), std::nullopt};
  }
  void Require(const std::string& user) {
    const std::lock_guard lock(mutex_);
    wanted_ = user;
  }
  std::vector<std::string> TakeAsked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }
  MemoryRegistry& held() { return registry_; }

 private:
  std::mutex mutex_;
  MemoryRegistry registry_;
  std::string wanted_ = "alice";
  std::vector<std::string> asked_;
};

struct PrivateNode : CosignNode {
  PrivateNode() {
    SetFetcher("cosign", secretive);
    secretive->held().Tag("1.0", MemoryRegistry::Image());
    secretive->held().PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
    Start();
  }
  std::string PullAs(const std::string& user, const std::string& what) {
    return Outcome(service().DecideNow(user.empty() ? Ask(what) : AskAs(what, user)));
  }
  bool NobodyWasAsked() const { return secretive->TakeAsked().empty(); }

  std::shared_ptr<PrivateRegistry> secretive = std::make_shared<PrivateRegistry>();
  const std::string tag = kName + ":1.0";
};

BOOST_FIXTURE_TEST_SUITE(RegistrySecretsTest, PrivateNode)

BOOST_AUTO_TEST_CASE(AWrongSecret_IsRefusedByName_AndNotAskedAgainForHalfAMinute) {
  const Decision decision = service().DecideNow(AskAs(tag, "mallory"));
  BOOST_TEST(Outcome(decision) == "unreachable");
  BOOST_TEST(Found(decision).find("credentials-refused") != std::string::npos);
  secretive->TakeAsked();
  Advance(29s);
  BOOST_TEST(PullAs("mallory", tag) == "unreachable");
  BOOST_TEST(NobodyWasAsked());
  Advance(1s);
  BOOST_TEST(PullAs("mallory", tag) == "unreachable");
  BOOST_TEST(!NobodyWasAsked());
}

BOOST_AUTO_TEST_CASE(AWrongSecret_RefusesNobodyElse) {
  BOOST_TEST(PullAs("mallory", tag) == "unreachable");
  BOOST_TEST(PullAs("alice", tag) == image);
  secretive->TakeAsked();
  // What is verified serves all who name its digest: the runtime's own pull needs their secret.
  BOOST_TEST(PullAs("mallory", by_digest) == image);
  BOOST_TEST(PullAs("", by_digest) == image);
  BOOST_TEST(NobodyWasAsked());
}

// Which digest a private tag is, is told to nobody whom the registry does not tell it.
BOOST_AUTO_TEST_CASE(WhatATagIs_IsAskedWithEachPodsOwnSecret) {
  BOOST_TEST(PullAs("alice", tag) == image);
  secretive->TakeAsked();
  BOOST_TEST(PullAs("mallory", tag) == "unreachable");
  BOOST_TEST(secretive->TakeAsked() == std::vector<std::string>{"mallory"},
             boost::test_tools::per_element());
}

// The first refused, the second let in: as kubelet tries them, one after the other.
BOOST_AUTO_TEST_CASE(SeveralSecretsInTurn_RefuseInTheSameWords) {
  const auto words = [&](const std::string& user) {
    return Found(service().DecideNow(AskAs(tag, user)));
  };
  const std::string first = words("mallory");
  BOOST_TEST(first == words("eve"));
  BOOST_TEST(first == words("mallory"));
  BOOST_TEST(PullAs("alice", tag) == image);
}

BOOST_AUTO_TEST_CASE(AWrongSecret_DoesNotCountAgainstTheRepository) {
  BOOST_TEST(PullAs("alice", tag) == image);
  BOOST_TEST(PullAs("mallory", tag) == "unreachable");
  const RepositoryStatus status = StatusOf(kName);
  BOOST_TEST(!status.last_failure);
  BOOST_TEST(!status.no_credentials);
}

// What is here and was never verified is asked about in the background with what a pull left.
BOOST_AUTO_TEST_CASE(ASecretThatWorked_ServesTheLookAtWhatIsHere_UntilItIsRefused) {
  BOOST_TEST(PullAs("alice", tag) == image);
  secretive->TakeAsked();
  Question question = Ask(kName + "@" + Sha256Digest(Sha256Of("another")).ToString());
  question.local = question.reference.digest();
  BOOST_TEST(Outcome(service().DecideNow(question)) == "unsigned");
  const auto asked = secretive->TakeAsked();
  BOOST_TEST(!asked.empty());
  BOOST_TEST(std::all_of(asked.begin(), asked.end(),
                         [](const std::string& user) { return user == "alice"; }));

  secretive->Require("bob");
  Advance(31s);
  BOOST_TEST(Outcome(service().DecideNow(question)) == "unreachable");
  BOOST_TEST(StatusOf(kName).no_credentials);
  secretive->TakeAsked();
  Advance(31s);
  BOOST_TEST(Outcome(service().DecideNow(question)) == "unreachable");
  for (const std::string& user : secretive->TakeAsked()) BOOST_TEST(user == "");
  BOOST_TEST(PullAs("bob", tag) == image);
  BOOST_TEST(!StatusOf(kName).no_credentials);
}

BOOST_AUTO_TEST_CASE(ARestart_ForgetsSecrets_AndWhatWasVerifiedStands) {
  BOOST_TEST(PullAs("alice", tag) == image);
  Start();
  secretive->TakeAsked();
  BOOST_TEST(PullAs("", tag) == "unreachable");
  BOOST_TEST(secretive->TakeAsked() == std::vector<std::string>{""},
             boost::test_tools::per_element());
  BOOST_TEST(PullAs("", by_digest) == image);
  BOOST_TEST(Outcome(Present(by_digest)) == image);
}

// One repository, two namespaces, a key each.
BOOST_AUTO_TEST_CASE(WhatOneNamespacesKeyVerified_IsNothingToAnothers) {
  const auto rule = [](const std::string& name, const std::string& key) {
    Rule one;
    one.name = name;
    one.images = {ImagePattern::Parse("127.0.0.1:5055/**").value()};
    one.namespaces = {name};
    one.action = Action::kVerify;
    one.members = {{"cosign", "", &SigstoreKind(), MemoryRegistry::DemandFor({key})}};
    return one;
  };
  SetRules(std::vector<Rule>{rule("prod", "key-ed25519.pub"), rule("dev", "key-p256.pub")}, Rule{});
  Reconfigure();
  const auto ask = [&](const std::string& pod_namespace, bool of_what_is_here) {
    Question question = AskAs(by_digest, "alice");
    question.pod_namespace = pod_namespace;
    if (of_what_is_here) question.local = MemoryRegistry::Image();
    return Outcome(service().DecideNow(std::move(question)));
  };
  BOOST_TEST(ask("dev", false) == image);
  BOOST_TEST(ask("dev", true) == image);
  for (const bool of_what_is_here : {false, true}) {
    BOOST_TEST(ask("prod", of_what_is_here) != image);
    BOOST_TEST(ask("nobody's", of_what_is_here) == "denied");
  }
  // Nor after a start, out of the store.
  Start();
  BOOST_TEST(ask("dev", true) == image);
  BOOST_TEST(ask("prod", true) != image);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
