// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust/trusting_node.h"
#include "trust/decide/decide.h"
#include "trust/decide/record_room.h"

namespace crivet::trust {

inline RoleName RoleOf(std::string_view name) { return RoleName::Parse(name).value(); }

inline std::vector<RoleName> RolesOf(std::initializer_list<std::string_view> names) {
  std::vector<RoleName> roles;
  for (const std::string_view name : names) roles.push_back(RoleOf(name));
  return roles;
}

/// DecidingNode is a node with one rule, in the state that the service would bring it into: what it
/// trusts, what it has on record, how its latest refresh failed. The image is docker.io/acme/web;
/// its server has `targets` and an empty `targets/releases`.
class DecidingNode {
 public:
  DecidingNode() : id_(server.Start().id), trusting_(server.Start()) {
    rule.name = "acme";
    rule.action = Action::kVerify;
    rule.url = id_.url;
    rule.root = server.Start().pins.front();
    rule.roles = RolesOf({"targets/releases", "targets"});
    server.Delegate("targets/releases", {SigningKey::Ecdsa()});
  }

  /// Publishes what was changed and reads it.
  void PublishAndRefresh() {
    server.Publish();
    Refresh();
  }

  /// Reads what is published, as the rule wants it. Failures are part of the state.
  void Refresh() {
    trusting_.start().roles = rule.RolesRead();
    trusting_.start().pins = pins.empty() ? std::vector<RootPin>{rule.root} : pins;
    trusting_.start().now = now;
    auto failed = trusting_.RefreshFrom(server);
    failure_ = failed ? std::make_shared<const RefreshFailure>(*std::move(failed)) : nullptr;
    if (trusting_.trusted()) records = trusting_.trusted()->RecordsAfter(std::move(records));
  }

  TrustView View() const {
    return {trusting_.trusted(), std::make_shared<const Records>(records), failure_};
  }

  AppliedRule Applied() const { return {std::make_shared<const Rule>(rule), {id_}}; }

  Decision Pull(std::string_view image) const {
    return DecidePull(ImageReference::Parse(image).value(), Applied(), View(), now);
  }

  Decision Present(std::string_view image, const Sha256Digest& local) const {
    return DecidePresent(ImageReference::Parse(image).value(), local, Applied(), View(), now);
  }

  /// Pulls, and remembers what was allowed.
  Decision PullAndRemember(std::string_view image) {
    Decision decision = Pull(image);
    if (auto record = RecordOf(decision, now)) {
      records = WithRecord(std::move(records), *std::move(record));
    }
    return decision;
  }

  const std::shared_ptr<const Repository>& trusted() const { return trusting_.trusted(); }
  const std::shared_ptr<const RefreshFailure>& failure() const { return failure_; }

  SigningRepository server;
  NotaryRule rule;
  /// The pins of every rule that reads the collection; empty: this rule's alone.
  std::vector<RootPin> pins;
  Records records;
  TimePoint now = SigningRepository::kNow;

 private:
  CollectionId id_;
  TrustingNode trusting_;
  std::shared_ptr<const RefreshFailure> failure_;
};

/// The digest that a decision allows; nullopt where it refuses or pins nothing.
inline std::optional<Sha256Digest> Allowed(const Decision& decision) {
  const auto* allow = std::get_if<Allow>(&decision.verdict);
  return allow == nullptr ? std::nullopt : allow->digest;
}

/// Why a decision refuses; nullopt where it allows.
inline std::optional<Reason> Refused(const Decision& decision) {
  if (const auto* deny = std::get_if<Deny>(&decision.verdict)) return deny->reason;
  if (const auto* unavailable = std::get_if<Unavailable>(&decision.verdict)) {
    return unavailable->reason;
  }
  return std::nullopt;
}

/// What a refusal found; empty where it allows.
inline std::string Found(const Decision& decision) {
  if (const auto* deny = std::get_if<Deny>(&decision.verdict)) return deny->found;
  if (const auto* unavailable = std::get_if<Unavailable>(&decision.verdict)) {
    return unavailable->found;
  }
  return "";
}

}  // namespace crivet::trust
