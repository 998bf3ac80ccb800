// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trust/decide/policy.h"
#include "trust/notary/notary_demand.h"
#include "trust/notary/notary_kind.h"

namespace crivet::trust {

/// NotaryRule is a rule of one Notary trust with all that it says side by side, as a configuration
/// has it.
struct NotaryRule {
  std::string name;
  bool is_default = false;
  std::vector<ImagePattern> images;
  std::vector<std::string> namespaces;
  Action action = Action::kDeny;
  Mode mode = Mode::kEnforce;

  std::string trust;
  std::string url;
  std::optional<ImagePattern> gun;
  RootPin root;
  std::vector<RoleName> roles;
  std::vector<RoleName> signers;
  Present present = Present::kVerified;
  std::chrono::seconds present_max_age{std::chrono::hours{24 * 30}};
  std::chrono::seconds grace{0};

  std::optional<TimePoint> until;
  std::string reason;

  std::shared_ptr<NotaryDemand> Demand() const {
    auto demand = std::make_shared<NotaryDemand>();
    demand->root = root;
    demand->roles = roles;
    demand->signers = signers;
    demand->grace = grace;
    return demand;
  }

  std::vector<RoleName> RolesRead() const { return Demand()->RolesRead(); }

  Member AsMember() const { return {trust, url, &NotaryKind(), Demand(), gun}; }

  operator Rule() const {  // NOLINT: a rule is what it is
    Rule rule;
    rule.name = name;
    rule.is_default = is_default;
    rule.images = images;
    rule.namespaces = namespaces;
    rule.action = action;
    rule.mode = mode;
    if (action == Action::kVerify) rule.members = {AsMember()};
    rule.present = present;
    rule.present_max_age = present_max_age;
    rule.until = until;
    rule.reason = reason;
    return rule;
  }
};

/// A Notary v1 collection.
inline CollectionId NotaryCollection(std::string url, std::string gun) {
  return {std::string(NotaryKind().name()), std::move(url), std::move(gun)};
}

}  // namespace crivet::trust
