// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/collection.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/wall_clock.h"
#include "trust/kinds.h"

namespace crivet::proxy::cli {
namespace {

/// The rule that would verify the image if none allowed or denied it: break glass does not change
/// whose image it is.
trust::AppliedRule VerifyingRule(const trust::Policy& policy,
                                 const trust::ImageReference& reference,
                                 const trust::PodNamespace& where) {
  auto applied = policy.RuleFor(reference, where, Now());
  if (applied.rule->action == trust::Action::kVerify) return applied;
  std::vector<trust::Rule> verifying;
  trust::Rule fallback;
  for (const auto& rule : policy.rules()) {
    if (rule->is_default) {
      fallback = *rule;
    } else if (rule->action == trust::Action::kVerify) {
      verifying.push_back(*rule);
    }
  }
  const auto without = trust::Policy::Create(std::move(verifying), std::move(fallback));
  return without ? without->RuleFor(reference, where, Now()) : applied;
}

}  // namespace

trust::Result<Collection> FindCollection(const Config& config, const std::string& image,
                                         const std::string& pod_namespace,
                                         const std::string& label) {
  const auto reference = trust::ImageReference::Parse(image);
  if (!reference) return tl::unexpected(reference.error());
  const trust::PodNamespace where = pod_namespace.empty()
                                        ? trust::PodNamespace(trust::NoNamespace{})
                                        : trust::PodNamespace(pod_namespace);
  const auto applied = VerifyingRule(*config.policy, *reference, where);
  for (std::size_t i = 0; i < applied.collections.size(); ++i) {
    const trust::Member& member = applied.rule->members[i];
    if (applied.collections[i] && (label.empty() || member.trust == label)) {
      return Collection{*applied.collections[i], member.kind, member.trust, applied.rule,
                        applied.NameFor(i, *reference)};
    }
  }
  const auto& servers = config.servers;
  auto server = servers.end();
  if (!label.empty()) {
    server = std::find_if(servers.begin(), servers.end(),
                          [&](const auto& one) { return one.label == label; });
    if (server == servers.end()) {
      return trust::Fail(trust::Reason::kNoTrustData, fmt::format("there is no [trust.{}]", label));
    }
  } else if (servers.size() == 1) {
    server = servers.begin();
  } else {
    return trust::Fail(trust::Reason::kNoTrustData,
                       fmt::format("no rule verifies {}, and there are {} [trust.*] sections: say "
                                   "which with --trust",
                                   image, servers.size()));
  }
  return CollectionOn(*server, *reference);
}

trust::Result<Collection> CollectionOn(const trust::TrustServer& server,
                                       const trust::ImageReference& reference) {
  const trust::Kind* const kind = trust::FindKind(trust::AllKinds(), server.kind);
  auto name = kind->CollectionFor(reference.repository());
  if (!name) {
    return trust::Fail(
        trust::Reason::kNoTrustData,
        fmt::format("{} cannot be the name of a collection", reference.repository()));
  }
  return Collection{kind->IdOf(server.url, *std::move(name)), kind, server.label, nullptr,
                    reference};
}

}  // namespace crivet::proxy::cli
