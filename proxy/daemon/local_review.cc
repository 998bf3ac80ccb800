// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/local_review.h"

#include <algorithm>
#include <future>
#include <utility>

#include "trust/decide/decide.h"
#include "trust/decide/kind.h"

namespace crivet::proxy {
namespace {

constexpr std::chrono::milliseconds kLookUp{50};
// What is known already takes less, and needs no second: names may be many.
constexpr std::chrono::milliseconds kWasAsked{2};
constexpr std::chrono::milliseconds kNobodyAsked{10};

bool AsksRegistries(const trust::Member& member) {
  return member.kind->asks() == trust::Kind::Asks::kNames;
}

bool AsksRegistries(const trust::AppliedRule& applied) {
  const std::vector<trust::Member>& members = applied.rule->members;
  return applied.rule->action == trust::Action::kVerify &&
         std::any_of(members.begin(), members.end(),
                     [](const trust::Member& member) { return AsksRegistries(member); });
}

bool Allows(const trust::Decision& decision) {
  return std::holds_alternative<trust::Allow>(decision.verdict);
}

// Every member, for its own evidence: what another one says takes none away. Nothing where it was
// ended.
std::optional<bool> VouchesFor(const trust::AppliedRule& applied,
                               const trust::ImageReference& reference,
                               const trust::Sha256Digest& local, const LocalReviewCalls& calls) {
  std::vector<trust::Decision> members;
  for (std::size_t i = 0; i < applied.rule->members.size(); ++i) {
    auto decision = calls.ask({.reference = reference,
                               .local = local,
                               .name_here = trust::NameHere::kIsThis,
                               .credentials = std::nullopt,
                               .of_member = trust::Question::Member{applied, i}});
    if (!decision) return std::nullopt;
    members.push_back(*std::move(decision));
  }
  return Allows(trust::Combined(std::move(members)));
}

// As ImageStatus: by any digest that the name has here, under any rule that could apply.
std::optional<bool> VouchesFor(const std::vector<trust::AppliedRule>& rules,
                               const trust::ImageReference& reference, const NodeImage& image,
                               const LocalReviewCalls& calls) {
  std::vector<trust::Sha256Digest> here = {image.target};
  here.insert(here.end(), image.equals.begin(), image.equals.end());
  bool vouched = false;
  for (const trust::AppliedRule& applied : rules) {
    if (applied.rule->action == trust::Action::kAllow) vouched = true;
    if (!AsksRegistries(applied)) continue;
    for (const trust::Sha256Digest& digest : here) {
      const auto by_it = VouchesFor(applied, reference, digest, calls);
      if (!by_it) return std::nullopt;
      vouched = vouched || *by_it;
      if (*by_it) break;
    }
  }
  return vouched;
}

void Add(const NodeImage& image, const std::vector<trust::AppliedRule>& rules,
         UnverifiedLocal& unverified) {
  ++unverified.count;
  if (unverified.first.size() < UnverifiedLocal::kNamed) unverified.first.push_back(image.name);
  for (const trust::AppliedRule& applied : rules) {
    for (const trust::Member& member : applied.rule->members) {
      if (AsksRegistries(member)) unverified.trusts.insert(member.trust);
    }
  }
}

bool AsksRegistries(const trust::Policy& policy) {
  const auto& rules = policy.rules();
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) {
    return AsksRegistries(trust::AppliedRule{rule, {}});
  });
}

}  // namespace

std::optional<UnverifiedLocal> LookAtLocal(const NodeInventory& inventory,
                                           const trust::Policy& policy,
                                           const LocalReviewCalls& calls) {
  UnverifiedLocal unverified;
  for (const NodeImage& image : inventory.names) {
    const auto reference = trust::ImageReference::Parse(image.name);
    if (!reference || trust::IsImageId(image.name)) continue;
    const auto rules = policy.RulesFor(*reference, trust::TimePoint::max());
    const bool asks = std::any_of(rules.begin(), rules.end(),
                                  [](const auto& applied) { return AsksRegistries(applied); });
    if (!asks) continue;
    if (!calls.go_on()) return std::nullopt;
    const auto vouched = VouchesFor(rules, *reference, image, calls);
    if (!vouched) return std::nullopt;
    if (!*vouched) Add(image, rules, unverified);
  }
  return unverified;
}

LocalReview::LocalReview(Options options)
    : options_(std::move(options)), thread_([this] { Run(); }) {}

LocalReview::~LocalReview() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LocalReview::Again() {
  {
    const std::lock_guard lock(mutex_);
    again_ = true;
  }
  changed_.notify_all();
}

std::optional<UnverifiedLocal> LocalReview::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

bool LocalReview::Wait(Clock::duration time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopped_ || again_; });
}

void LocalReview::Run() {
  Clock::duration pause = options_.soon;
  while (true) {
    const bool passed = Wait(pause);
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      again_ = false;
    }
    // What has just been changed may be changed again in a moment.
    pause = passed && Look() ? options_.every : options_.soon;
  }
}

bool LocalReview::Look() {
  const std::shared_ptr<const trust::Policy> policy = options_.policy();
  std::optional<UnverifiedLocal> unverified = UnverifiedLocal{};
  if (AsksRegistries(*policy)) {
    const trust::Result<NodeInventory> inventory = options_.inventory();
    if (!inventory) return false;
    unverified =
        LookAtLocal(*inventory, *policy,
                    {.ask = [this](trust::Question question) { return Ask(std::move(question)); },
                     .go_on = [this] { return Wait(options_.between_names); }});
  }
  if (!unverified) return false;
  const std::lock_guard lock(mutex_);
  last_ = std::move(unverified);
  return true;
}

std::optional<trust::Decision> LocalReview::Ask(trust::Question question) {
  const auto answer = std::make_shared<std::promise<trust::Decision>>();
  std::future<trust::Decision> coming = answer->get_future();
  options_.decide(std::move(question),
                  [answer](trust::Decision decision) { answer->set_value(std::move(decision)); });
  // Whoever ends the daemon does not wait for a registry.
  while (coming.wait_for(kLookUp) != std::future_status::ready) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return std::nullopt;
  }
  return coming.get();
}

}  // namespace crivet::proxy
