// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/node_review.h"

#include <algorithm>
#include <future>
#include <utility>

namespace crivet::proxy {
namespace {

bool IsAllow(const trust::Decision& decision) {
  return std::holds_alternative<trust::Allow>(decision.verdict);
}

bool IsAction(const trust::Decision& decision, trust::Action action) {
  return decision.applied.rule->action == action;
}

trust::Decision DecideNow(Decider& decider, trust::Question question) {
  std::promise<trust::Decision> promise;
  decider.Decide(std::move(question),
                 [&promise](trust::Decision decision) { promise.set_value(std::move(decision)); });
  return promise.get_future().get();
}

trust::Decision Judge(Decider& decider, const trust::ImageReference& reference,
                      trust::PodNamespace pod_namespace, std::optional<trust::Sha256Digest> local) {
  return DecideNow(decider,
                   {.reference = reference,
                    .pod_namespace = std::move(pod_namespace),
                    .local = local,
                    .name_here = local ? trust::NameHere::kIsThis : trust::NameHere::kUnknown,
                    .credentials = std::nullopt});
}

// As ImageStatus does it: by any digest that the name has here.
trust::Decision JudgeName(Decider& decider, const trust::ImageReference& reference,
                          const NodeImage& image) {
  auto decision = Judge(decider, reference, trust::AnyNamespace{}, image.target);
  for (const auto& digest : image.equals) {
    if (IsAllow(decision)) break;
    // The runtime makes such names itself; the other one says as much.
    const auto other = reference.digest() ? trust::ImageReference::Parse(reference.PinnedTo(digest))
                                          : trust::Result<trust::ImageReference>(reference);
    if (!other) continue;
    auto by_other = Judge(decider, *other, trust::AnyNamespace{}, digest);
    if (IsAllow(by_other)) decision = std::move(by_other);
  }
  return decision;
}

/// One container, judged as CreateContainer does it.
class ContainerReview {
 public:
  ContainerReview(const NodeInventory& inventory, const NodeContainer& container, Decider& decider)
      : container_(container), decider_(decider) {
    const auto names = inventory.names_of.find(container.image_id);
    if (names == inventory.names_of.end()) return;
    for (const std::size_t i : names->second) names_.push_back(&inventory.names[i]);
  }

  /// Nothing where it may start again.
  std::optional<WouldBeRefused> Refused() const {
    const auto written = trust::ImageReference::Parse(container_.written);
    const bool named = written && !trust::IsImageId(container_.written);
    return named ? RefusedByName(*written) : RefusedByAnyName();
  }

 private:
  // The name that the pod's author wrote alone is judged; other names of the image never help.
  std::optional<WouldBeRefused> RefusedByName(const trust::ImageReference& reference) const {
    std::optional<trust::Decision> refused;
    for (const NodeImage* name : names_) {
      auto decision = Judge(decider_, reference, container_.pod_namespace, name->target);
      if (IsAllow(decision) && (!IsAction(decision, trust::Action::kAllow) || Carries(reference))) {
        return std::nullopt;
      }
      refused = std::move(decision);
    }
    if (!refused) refused = Judge(decider_, reference, container_.pod_namespace, std::nullopt);
    if (IsAllow(*refused)) {
      refused->verdict = trust::Refusal(trust::Reason::kDigestMismatch,
                                        "the image that runs does not have this name any more");
    }
    return WouldBeRefused{container_.written, std::nullopt, container_.who, std::move(*refused)};
  }

  bool Carries(const trust::ImageReference& reference) const {
    return std::any_of(names_.begin(), names_.end(), [&](const NodeImage* name) {
      const auto parsed = trust::ImageReference::Parse(name->name);
      return parsed && parsed->Canonical() == reference.Canonical();
    });
  }

  // kubelet before 1.28: some name must satisfy its rule, none may fall under `deny`.
  std::optional<WouldBeRefused> RefusedByAnyName() const {
    std::optional<WouldBeRefused> refused;
    bool accepted = false;
    for (const NodeImage* name : names_) {
      const auto reference = trust::ImageReference::Parse(name->name);
      if (!reference) continue;
      auto decision = Judge(decider_, *reference, container_.pod_namespace, name->target);
      const bool denies = IsAction(decision, trust::Action::kDeny);
      if (IsAllow(decision)) {
        accepted = true;
        continue;
      }
      WouldBeRefused one{name->name, name->target, container_.who, std::move(decision)};
      if (denies) return one;
      if (!refused) refused = std::move(one);
    }
    if (accepted) return std::nullopt;
    if (refused) return refused;
    trust::Decision nameless;
    nameless.applied.rule = decider_.DefaultRule();
    nameless.verdict = trust::Refusal(trust::Reason::kDigestNotSigned,
                                      "the image has no name here that a rule could vouch for");
    return WouldBeRefused{container_.image_id, std::nullopt, container_.who, std::move(nameless)};
  }

  const NodeContainer& container_;
  Decider& decider_;
  std::vector<const NodeImage*> names_;
};

}  // namespace

void ReviewNode(const NodeInventory& inventory, Decider& decider, const ReviewCalls& calls) {
  for (const NodeImage& image : inventory.names) {
    if (!calls.go_on()) return;
    const auto reference = trust::ImageReference::Parse(image.name);
    if (!reference || trust::IsImageId(image.name)) continue;
    auto decision = JudgeName(decider, *reference, image);
    if (!IsAllow(decision)) calls.found({image.name, image.target, "", std::move(decision)});
  }
  for (const NodeContainer& container : inventory.containers) {
    if (!calls.go_on()) return;
    if (auto refused = ContainerReview(inventory, container, decider).Refused())
      calls.found(*refused);
  }
  const auto sandbox = trust::ImageReference::Parse(inventory.sandbox_image);
  if (!sandbox || !calls.go_on()) return;
  // What is missing or other content is pulled first, so what may be pulled counts.
  auto decision = Judge(decider, *sandbox, trust::AnyNamespace{}, std::nullopt);
  if (!IsAllow(decision)) {
    calls.found({inventory.sandbox_image, std::nullopt, "", std::move(decision), true});
  }
}

std::vector<WouldBeRefused> RefusedByRules(const NodeInventory& inventory,
                                           const trust::Policy& policy, trust::TimePoint now) {
  std::vector<WouldBeRefused> refused;
  const auto add = [&](const std::string& name, std::optional<trust::Sha256Digest> local,
                       bool sandbox) {
    const auto reference = trust::ImageReference::Parse(name);
    if (!reference || trust::IsImageId(name)) return;
    const auto rules = policy.RulesFor(*reference, now);
    const bool denied = std::all_of(rules.begin(), rules.end(), [](const auto& applied) {
      return applied.rule->action == trust::Action::kDeny;
    });
    if (rules.empty() || !denied) return;
    trust::Decision decision;
    decision.applied = rules.front();
    const bool by_default = rules.front().rule->is_default;
    decision.verdict = trust::Refusal(
        trust::Reason::kDenied, by_default ? "refused by the default" : "refused by a deny rule");
    refused.push_back({name, local, "", std::move(decision), sandbox});
  };
  for (const NodeImage& image : inventory.names) add(image.name, image.target, false);
  add(inventory.sandbox_image, std::nullopt, true);
  return refused;
}

}  // namespace crivet::proxy
