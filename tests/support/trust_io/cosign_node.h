// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/test_node.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust {

/// RegistriesFetcher asks one MemoryRegistry, whatever the repository; hosts whose names begin so
/// hang. Thread-safe.
class RegistriesFetcher final : public MetadataFetcher {
 public:
  static constexpr char kHanging[] = "hanging.example/";
  static constexpr char kHangingToo[] = "hanging-";

  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    const std::string& repository = request.registry->repository;
    if (repository.starts_with(kHanging) || repository.starts_with(kHangingToo)) return Hang(terms);
    const std::lock_guard lock(mutex_);
    credentials_ = terms.credentials;
    Fetched fetched = registry.Answer(request);
    const bool away = !fetched && fetched.error().kind == FetchFailure::Kind::kNetwork;
    if (terms.arrival) terms.arrival->heard = away ? Heard::kNoFirstByte : Heard::kAnswer;
    return {std::move(fetched), away ? std::nullopt : date_};
  }
  template <typename Change>
  auto With(Change change) {
    const std::lock_guard lock(mutex_);
    return change(registry);
  }
  /// What every registry says the time is, over TLS.
  void SayDate(TimePoint date) {
    const std::lock_guard lock(mutex_);
    date_ = date;
  }
  SharedCredentials credentials() {
    const std::lock_guard lock(mutex_);
    return credentials_;
  }
  int hanging() const { return hanging_; }
  std::size_t asked() {
    return With([](MemoryRegistry& held) { return held.asked(); });
  }

 private:
  // Says nothing until its time is over.
  Answer Hang(const Terms& terms) {
    ++hanging_;
    while (!terms.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kTimeout}),
            std::nullopt};
  }

  std::mutex mutex_;
  MemoryRegistry registry;
  SharedCredentials credentials_;
  std::optional<TimePoint> date_;
  std::atomic<int> hanging_{0};
};

/// CosignNode is a TestNode under a rule for what cosign signed, with an image that is signed and
/// tagged in its registry.
struct CosignNode : TestNode {
  static constexpr const char* kHanging = RegistriesFetcher::kHanging;
  static constexpr char kRepository[] = "127.0.0.1:5055/acme/web";

  CosignNode() {
    AddServer("cosign", "").kind = std::string(SigstoreKind().name());
    AddKind(&SigstoreKind());
    SetFetcher("cosign", registry);
    Use({"key-p256.pub"});
    Start();
    registry->With([](MemoryRegistry& held) {
      held.Tag("1.0", MemoryRegistry::Image());
      held.PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
    });
  }

  void Use(const std::vector<std::string>& keys) { Use(MemoryRegistry::DemandFor(keys)); }
  void Use(const SharedDemand& demand) {
    Rule rule;
    rule.name = "cosign";
    rule.images = {ImagePattern::Parse("127.0.0.1:5055/**").value(),
                   ImagePattern::Parse("hanging.example/**").value(),
                   ImagePattern::Parse("*/anywhere/**").value()};
    rule.action = Action::kVerify;
    rule.members = {{"cosign", "", &SigstoreKind(), demand}};
    SetRules(std::vector<Rule>{rule}, Rule{});
  }

  Decision Present(const std::string& reference) {
    Question question = Ask(reference);
    question.local = MemoryRegistry::Image();
    return service().DecideNow(std::move(question));
  }

  std::shared_ptr<RegistriesFetcher> registry = std::make_shared<RegistriesFetcher>();
  const std::string image = MemoryRegistry::Image().ToString();
  const std::string by_digest = std::string(kRepository) + "@" + image;
};

}  // namespace crivet::trust
