// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/tuf_publisher.h"
#include "tests/support/trust_io/test_node.h"
#include "trust/tuf1/tuf_demand.h"
#include "trust/tuf1/tuf_kind.h"

namespace crivet::trust {

/// TufServer serves a publisher of TUF 1.0 to a service in the same process. Thread-safe.
class TufServer final : public MetadataFetcher {
 public:
  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    if (const auto before = BeforeNext(request.path)) before();
    const std::lock_guard lock(mutex_);
    const bool away = is_away_;
    if (terms.arrival) terms.arrival->heard = away ? Heard::kNoFirstByte : Heard::kAnswer;
    if (away) {
      return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork}), std::nullopt};
    }
    return {publisher_.Serve(request.path.substr(1), request.max_bytes), std::nullopt};
  }

  template <typename Use>
  auto With(Use use) {
    const std::lock_guard lock(mutex_);
    return use(publisher_);
  }
  void SetAway(bool away) {
    const std::lock_guard lock(mutex_);
    is_away_ = away;
  }
  /// What happens once, before the next file that ends so is served.
  void Before(std::string ending, std::function<void()> happens) {
    const std::lock_guard lock(mutex_);
    before_ = {std::move(ending), std::move(happens)};
  }

 private:
  std::function<void()> BeforeNext(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (!before_.second || !path.ends_with(before_.first)) return nullptr;
    return std::exchange(before_.second, nullptr);
  }

  std::mutex mutex_;
  TufPublisher publisher_;
  bool is_away_ = false;
  std::pair<std::string, std::function<void()>> before_;
};

/// TufFleet is a node whose images of registry.acme.example are named by one repository of TUF 1.0:
/// `web` by `targets` itself, everything below `shop/` by the role `shop`.
struct TufFleet : TestNode {
  static constexpr char kTufUrl[] = "https://tuf.acme.example/metadata";
  static constexpr char kWebName[] = "registry.acme.example/web";
  static constexpr char kShopName[] = "registry.acme.example/shop/cart";

  TufFleet() {
    TrustServer& settings = AddServer("fleet", kTufUrl);
    settings.kind = std::string(TufKind().name());
    settings.auth = TrustServer::Auth::kNone;
    AddKind(&TufKind());
    SetFetcher("fleet", tuf);
    Edit([](TufPublisher& publisher) {
      publisher.Sign("targets", std::string(kWebName) + ":1.0", "web 1.0");
      publisher.Delegate("targets", "shop", {"registry.acme.example/shop/*"});
      publisher.Sign("shop", std::string(kShopName) + ":1.0", "cart 1.0");
      publisher.PublishEdition({"targets", "shop"});
    });
    Use(NewDemand());
    Start();
  }

  /// Changes the publisher; what it was asked so far is forgotten.
  void Edit(const std::function<void(TufPublisher&)>& change) {
    tuf->With([&](TufPublisher& publisher) {
      change(publisher);
      publisher.asked.clear();
    });
  }
  std::vector<std::string> TufAsked() {
    return tuf->With([](TufPublisher& publisher) { return publisher.asked; });
  }

  std::shared_ptr<tuf1::TufDemand> NewDemand(const std::string& target = "{name}:{tag}") {
    auto demand = std::make_shared<tuf1::TufDemand>(
        tuf1::TargetName::Parse(target, tuf1::TargetName::Of::kTag).value());
    demand->digest_target =
        tuf1::TargetName::Parse("{name}@{digest}", tuf1::TargetName::Of::kDigest).value();
    demand->trust =
        Pinned(tuf->With([](auto& publisher) { return publisher.files["1.root.json"]; }));
    return demand;
  }
  static std::shared_ptr<tuf1::TufTrust> Pinned(const std::string& root) {
    auto trust = std::make_shared<tuf1::TufTrust>();
    trust->pin.file = tuf1::ReadFirstRoot(root, {}).value();
    return trust;
  }
  static Rule RuleFor(const std::string& pattern, SharedDemand demand) {
    Rule rule;
    rule.name = pattern;
    rule.images = {ImagePattern::Parse(pattern).value()};
    rule.action = Action::kVerify;
    rule.members = {{"fleet", kTufUrl, &TufKind(), std::move(demand)}};
    return rule;
  }
  void Use(SharedDemand demand, Present present = Present::kVerified) {
    Rule rule = RuleFor("registry.acme.example/**", std::move(demand));
    rule.present = present;
    SetRules(std::vector<Rule>{rule}, Rule{});
  }

  /// Beside the registry, `mirror.example/acme/**` has its images, or those that `gun` says.
  void UseMirror(const std::string& gun = "registry.acme.example/**") {
    Rule mirror = RuleFor("mirror.example/acme/**", NewDemand());
    mirror.members.front().signed_as = ImagePattern::ParseMapping(gun).value();
    SetRules({RuleFor("registry.acme.example/**", NewDemand()), mirror}, Rule{});
    Start();
  }

  /// What a pull comes to: the content that is allowed, or the code of the refusal.
  std::string PullOf(const std::string& reference) { return Said(Pull(reference)); }
  /// A pull that went through, so that it is on record.
  std::string PullAndRemember(const std::string& reference) {
    const Decision decision = Pull(reference);
    service().Remember(ImageReference::Parse(reference).value(), decision);
    return Said(decision);
  }
  std::string PresentOf(const std::string& reference, const std::string& content) {
    Question question = Ask(reference);
    question.local = Sha256Digest(Sha256Of(content));
    return Said(service().DecideNow(std::move(question)));
  }
  /// Lets a refresh be due.
  void Later(std::chrono::seconds by = std::chrono::minutes(10)) { Advance(by); }

  static std::string Said(const Decision& decision) {
    const auto* allow = std::get_if<Allow>(&decision.verdict);
    if (allow == nullptr) return Outcome(decision);
    for (const char* content : {"web 1.0", "web 2.0", "cart 1.0", "cart 2.0"}) {
      if (allow->digest == Sha256Digest(Sha256Of(content))) return content;
    }
    return Outcome(decision);
  }

  std::shared_ptr<TufServer> tuf = std::make_shared<TufServer>();
  const std::string web = std::string(kWebName) + ":1.0";
  const std::string cart = std::string(kShopName) + ":1.0";
};

}  // namespace crivet::trust
