// SPDX-License-Identifier: Apache-2.0

// Signatures that lie in another repository than their image, and signatures that bear another
// name: where they are looked for, and who gets a pod's credentials.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/test_node.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust {
namespace {

const std::string kHome = "127.0.0.1:5055/acme/web";
const std::string kMirror = "mirror.example/acme/web";

/// Registries with a repository each, and who was asked as whom.
class Repositories final : public MetadataFetcher {
 public:
  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    std::unique_lock lock(mutex_);
    const std::string& repository = request.registry->repository;
    if (repository == silent_) {
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return silent_.empty(); });
    }
    asked_.push_back({repository, request.registry->what, terms.credentials != nullptr});
    if (terms.arrival) terms.arrival->heard = Heard::kAnswer;
    return {held_[repository].Answer(request), std::nullopt};
  }
  template <typename Change>
  void At(const std::string& repository, Change change) {
    const std::lock_guard lock(mutex_);
    change(held_[repository]);
  }

  /// Whoever asks that one waits from now on.
  void FallSilentAt(const std::string& repository) {
    const std::lock_guard lock(mutex_);
    silent_ = repository;
  }
  void AwaitWaiting(std::size_t askers) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= askers; });
  }
  void AnswerAgain() {
    const std::lock_guard lock(mutex_);
    silent_.clear();
    changed_.notify_all();
  }

  struct Asked {
    std::string repository;
    RegistryRequest::What what;
    bool with_secret;
  };
  std::vector<Asked> TakeAsked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string silent_;
  std::size_t waiting_ = 0;
  std::map<std::string, MemoryRegistry> held_;
  std::vector<Asked> asked_;
};

struct SourceNode : TestNode {
  SourceNode() {
    TrustServer& settings = AddServer("cosign", "");
    settings.kind = std::string(SigstoreKind().name());
    settings.auth = TrustServer::Auth::kFromPull;
    AddKind(&SigstoreKind());
    SetFetcher("cosign", registries);
    for (const std::string& repository : {kHome, kMirror}) {
      registries->At(repository,
                     [](MemoryRegistry& held) { held.Tag("1.0", MemoryRegistry::Image()); });
    }
  }

  static SharedDemand DemandWith(const std::string& source) {
    auto demand = std::make_shared<sigstore::SigstoreDemand>();
    const auto keys = MemoryRegistry::DemandFor({"key-p256.pub"});
    demand->image.signer.who = sigstore::AsSigstore(*keys).image.signer.who;
    demand->fingerprint = sigstore::AsSigstore(*keys).fingerprint;
    demand->source = source;
    return demand;
  }
  static Rule RuleFor(const std::string& images, const std::string& source) {
    Rule rule;
    rule.name = images;
    rule.images = {ImagePattern::Parse(images).value()};
    rule.action = Action::kVerify;
    rule.members = {{"cosign", "", &SigstoreKind(), DemandWith(source)}};
    return rule;
  }
  void Use(std::vector<Rule> rules) {
    SetRules(std::move(rules), Rule{});
    Start();
  }
  void PutBundleAt(const std::string& repository) {
    registries->At(repository, [](MemoryRegistry& held) {
      held.PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
    });
  }
  std::string PullAs(const std::string& reference) {
    return Outcome(service().DecideNow(AskAs(reference, "pod")));
  }

  std::shared_ptr<Repositories> registries = std::make_shared<Repositories>();
  const std::string image = MemoryRegistry::Image().ToString();
};

BOOST_FIXTURE_TEST_SUITE(SignatureSourceTest, SourceNode)

BOOST_AUTO_TEST_CASE(WithASource_SignaturesAreLookedForThereAlone_AndTheTagAtTheImage) {
  const std::string source = "127.0.0.1:5055/acme/signatures";
  Use({RuleFor("127.0.0.1:5055/**", source)});
  PutBundleAt(kHome);
  BOOST_TEST(PullAs(kHome + ":1.0") == "unsigned");
  for (const auto& asked : registries->TakeAsked()) {
    const bool tag = asked.what == RegistryRequest::What::kResolve;
    BOOST_TEST(asked.repository == (tag ? kHome : source));
  }
  Advance(std::chrono::seconds(31));
  PutBundleAt(source);
  BOOST_TEST(PullAs(kHome + ":1.0") == image);
  registries->TakeAsked();
  BOOST_TEST(PullAs(kHome + "@" + image) == image);
  BOOST_TEST(registries->TakeAsked().empty());
}

BOOST_AUTO_TEST_CASE(APodsSecret_GoesToTheSourceOnTheImagesRegistry_AndToNoOther) {
  for (const auto& [source, with_secret] :
       std::map<std::string, bool>{{"127.0.0.1:5055/acme/signatures", true},
                                   {"127.0.0.1/acme/signatures", false},
                                   {"signatures.example/acme/web", false}}) {
    Use({RuleFor("127.0.0.1:5055/**", source)});
    PutBundleAt(source);
    BOOST_TEST(PullAs(kHome + ":1.0") == image);
    const auto all = registries->TakeAsked();
    BOOST_TEST(all.size() > 1U);
    for (const auto& asked : all) {
      BOOST_TEST_CONTEXT(asked.repository << " under " << source) {
        BOOST_TEST(asked.with_secret == (asked.repository == kHome || with_secret));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(WhatASourceHolds_IsNoEvidenceForARuleThatLooksElsewhere) {
  const std::string source = "127.0.0.1:5055/acme/signatures";
  Rule tenant = RuleFor("127.0.0.1:5055/**", source);
  tenant.name = "tenant";
  tenant.namespaces = {"tenant"};
  Use({tenant, RuleFor("127.0.0.1:5055/**", "")});
  PutBundleAt(source);
  Question of_tenant = Ask(kHome + ":1.0");
  of_tenant.pod_namespace = std::string("tenant");
  BOOST_TEST(Outcome(service().DecideNow(of_tenant)) == image);
  BOOST_TEST(PullAs(kHome + ":1.0") == "unsigned");
  BOOST_TEST(PullAs(kHome + "@" + image) == "unsigned");
}

// trust/RULES.md#asking-a-registry
BOOST_AUTO_TEST_CASE(ASourceThatIsSilent_HoldsUpNobody_WhoseSignaturesLieBesideTheirImages) {
  // Of eight threads, for two trusts.
  constexpr std::size_t kShare = 4;
  const std::string stranger = "stranger.example/signatures";
  Use({RuleFor("127.0.0.1:5055/acme/*", ""), RuleFor("127.0.0.1:5055/lent/*", stranger)});
  PutBundleAt(kHome);
  registries->FallSilentAt(stranger);
  for (std::size_t n = 0; n < 2 * kShare; ++n) {
    const std::string lent = "127.0.0.1:5055/lent/" + std::to_string(n) + "@" + image;
    service().Decide(Ask(lent), [](const Decision&) {});
  }
  registries->AwaitWaiting(kShare);
  BOOST_TEST(PullAs(kHome + ":1.0") == image);
  registries->AnswerAgain();
}

BOOST_AUTO_TEST_CASE(SignedAs_TakesTheOtherName_AndLooksWhereTheImageIs) {
  registries->At(kMirror, [](MemoryRegistry& held) { held.PutLegacy("ss-key-good"); });
  Use({RuleFor("mirror.example/**", "")});
  BOOST_TEST(PullAs(kMirror + ":1.0") == "identity");
  Rule mapped = RuleFor("mirror.example/**", "");
  mapped.members.front().signed_as = ImagePattern::ParseMapping("127.0.0.1:5055/**").value();
  Use({mapped});
  registries->TakeAsked();
  BOOST_TEST(PullAs(kMirror + ":1.0") == image);
  for (const auto& asked : registries->TakeAsked()) {
    BOOST_TEST(asked.repository == kMirror);
    BOOST_TEST(asked.with_secret);
  }
  Question present = Ask(kMirror + "@" + image);
  present.local = MemoryRegistry::Image();
  BOOST_TEST(Outcome(service().DecideNow(present)) == image);
  Start();
  BOOST_TEST(Outcome(service().DecideNow(present)) == image);
}

BOOST_AUTO_TEST_CASE(SignedAs_OfOneNamespace_IsNothingToAnother) {
  registries->At(kMirror, [](MemoryRegistry& held) { held.PutLegacy("ss-key-good"); });
  Rule mapped = RuleFor("mirror.example/**", "");
  mapped.members.front().signed_as = ImagePattern::ParseMapping("127.0.0.1:5055/**").value();
  mapped.name = "tenant";
  mapped.namespaces = {"tenant"};
  Use({mapped, RuleFor("mirror.example/**", "")});
  Question of_tenant = Ask(kMirror + ":1.0");
  of_tenant.pod_namespace = std::string("tenant");
  BOOST_TEST(Outcome(service().DecideNow(of_tenant)) == image);
  BOOST_TEST(PullAs(kMirror + ":1.0") == "identity");
  BOOST_TEST(Outcome(service().DecideNow(of_tenant)) == image);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
