// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/watch/reason_with_cause.h"
#include "trust/base/fetch_cause.h"
#include "trust/tuf/entry_fault.h"
#include "trust/tuf/metadata.h"

namespace crivet::proxy::cli {
namespace {

using nlohmann::json;

// A key ID is told from others by its first digits; all of it is in the JSON.
std::string Short(const trust::KeyId& id) { return id.ToString().substr(0, 12); }

std::string ShortList(const std::vector<trust::KeyId>& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : ", ") + Short(id);
  return text.empty() ? "nobody" : text;
}

std::string_view WordOf(const trust::Decision& decision) {
  if (std::holds_alternative<trust::Allow>(decision.verdict)) return "allow";
  return std::holds_alternative<trust::Deny>(decision.verdict) ? "deny" : "unavailable";
}

struct Refused {
  trust::Reason reason;
  std::string found;
};

std::optional<Refused> RefusalOf(const trust::Decision& decision) {
  if (const auto* deny = std::get_if<trust::Deny>(&decision.verdict)) {
    return Refused{deny->reason, deny->found};
  }
  if (const auto* away = std::get_if<trust::Unavailable>(&decision.verdict)) {
    return Refused{away->reason, away->found};
  }
  return std::nullopt;
}

std::string_view WordOf(trust::Action action) {
  switch (action) {
    case trust::Action::kVerify:
      return "verify";
    case trust::Action::kAllow:
      return "allow";
    case trust::Action::kDeny:
      return "deny";
  }
  return "deny";
}

std::string RuleLine(const trust::AppliedRule& applied) {
  const trust::Rule& rule = *applied.rule;
  std::string line = rule.is_default ? "[default]" : fmt::format("\"{}\"", rule.name);
  line += fmt::format(": {}", WordOf(rule.action));
  if (!rule.trust.empty()) line += fmt::format(" with [trust.{}]", rule.trust);
  line += rule.mode == trust::Mode::kEnforce ? ", enforced" : ", in audit mode: nothing is refused";
  if (rule.until) line += fmt::format(", until {}", trust::FormatRfc3339(*rule.until));
  if (!rule.reason.empty()) line += fmt::format(" ({})", rule.reason);
  return line;
}

std::string ChainLine(const trust::Repository& repository, const trust::RootPin& pin,
                      trust::TimePoint now) {
  const auto& chain = repository.chain();
  std::string line = fmt::format("version {}", chain.front().root->version());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    line += fmt::format(" -> {}", chain[i].root->version());
  }
  const auto match = repository.Match(pin, now);
  if (!match) return line + "; no pin of the rule matches any of them";
  line += fmt::format("; the pin matches version {}", chain[match->link].root->version());
  if (!match->newest) line += ", which leads to the newest";
  return line;
}

bool IsDelegated(const trust::RoleEvidence& role) { return role.threshold > 0; }

// The roles that could have been meant: those that the role's parent delegates to.
std::string DelegatedBeside(const trust::RoleName& role, const trust::Repository& repository) {
  const auto parent = trust::RoleName::Parse(role.text().substr(0, role.text().rfind('/')));
  const trust::Targets* targets = parent ? repository.Find(*parent) : nullptr;
  std::string names;
  if (targets == nullptr) return names;
  for (const trust::Delegation& delegation : targets->delegations()) {
    names += (names.empty() ? "" : ", ") + delegation.name.text();
  }
  return names;
}

std::string RoleLine(const trust::RoleEvidence& role, const trust::TrustView& view,
                     trust::TimePoint now) {
  if (role.version == 0 && !IsDelegated(role) && view.repository) {
    const std::string others = DelegatedBeside(role.role, *view.repository);
    return "no such delegation; there " + (others.empty() ? "is none" : "are " + others);
  }
  if (role.version == 0) return "nothing is signed by it";
  return fmt::format("version {}, {} {}, signed by {} ({} needed)", role.version,
                     role.expires <= now ? "EXPIRED" : "expires",
                     trust::FormatRfc3339(role.expires), ShortList(role.signed_by), role.threshold);
}

std::string FailureText(const trust::RefreshFailure& failure) {
  std::string text = ReasonWithCause(trust::CodeOf(failure.error.reason),
                                     failure.cause ? trust::WordOf(*failure.cause) : "");
  if (!failure.role.empty()) text += " at " + failure.role;
  if (!failure.error.detail.empty()) text += ": " + failure.error.detail;
  if (failure.why) text += ": " + trust::Explained(*failure.why);
  return text;
}

// Whether what is malformed is the entry of the tag alone, as signed by the publisher.
bool NamesUnusableEntry(const Explained& explained) {
  const auto reference = trust::ImageReference::Parse(explained.canonical);
  if (!explained.view.repository || !reference || !reference->tag()) return false;
  const auto& roles = explained.decision.applied.rule->roles;
  return std::any_of(roles.begin(), roles.end(), [&](const trust::RoleName& role) {
    return trust::FaultOf(*explained.view.repository, role, *reference->tag()).has_value();
  });
}

// Roles of the rule that nobody delegates to. Many publishers have no targets/releases, which is
// read unless the rule says otherwise: it counts only where no other role could list the tag.
std::string UndelegatedRoles(const Explained& explained) {
  const trust::Rule& rule = *explained.decision.applied.rule;
  const auto& roles = explained.decision.evidence.roles;
  const bool some_can_list = std::any_of(roles.begin(), roles.end(), [&](const auto& role) {
    return IsDelegated(role) &&
           std::find(rule.roles.begin(), rule.roles.end(), role.role) != rule.roles.end();
  });
  std::string names;
  for (const auto& role : roles) {
    if (IsDelegated(role) || (role.role.text() == "targets/releases" && some_can_list)) continue;
    names += (names.empty() ? "" : ", ") + role.role.text();
  }
  return names;
}

std::string NextStepFor(trust::Reason reason, const Explained& explained) {
  const std::string& image = explained.image;
  const bool by_roles = reason == trust::Reason::kTagNotSigned ||
                        reason == trust::Reason::kDigestNotSigned ||
                        reason == trust::Reason::kSignersDisagree;
  if (const std::string unknown = by_roles ? UndelegatedRoles(explained) : ""; !unknown.empty()) {
    return fmt::format("look at the rule's roles and signers: nobody delegates to {}", unknown);
  }
  switch (reason) {
    case trust::Reason::kTagNotSigned:
      return fmt::format("have the publisher sign the tag: docker trust sign {}", image);
    case trust::Reason::kDigestNotSigned:
      return "sign a tag that stays at this digest: only digests of signed tags may be pulled";
    case trust::Reason::kDigestMismatch:
      return "the tag has moved on: write the digest that is signed now, or the tag alone";
    case trust::Reason::kSignersDisagree:
      return "the rule's signers must sign the tag for the same digest";
    case trust::Reason::kDenied:
      return "add a [[rule]] for this name, or use an image that a rule covers";
    case trust::Reason::kNotAReference:
      return "write a name such as registry.example/team/app:1.2";
    case trust::Reason::kUntrustedRoot:
      return fmt::format("compare \"crivet pin {}\" with the rule's root", image);
    case trust::Reason::kRollback:
      return fmt::format("if the publisher began anew, and says so: crivet forget {}", image);
    case trust::Reason::kMalformed:
      if (NamesUnusableEntry(explained)) {
        return fmt::format("have the publisher sign this tag again: docker trust sign {}", image);
      }
      [[fallthrough]];
    case trust::Reason::kSignature:
    case trust::Reason::kThreshold:
    case trust::Reason::kHash:
      return "what the server gives does not verify: ask whoever runs it before anything else";
    case trust::Reason::kWithdrawn:
      return "the publisher took the tag back: use a tag that is signed";
    case trust::Reason::kExpired:
      return "see why the server is not reached or does not renew; the rule's grace bridges a gap";
    case trust::Reason::kNoTrustData:
      if (explained.view.failure && explained.view.failure->not_found) {
        return fmt::format("nobody has signed anything under this name: docker trust sign {}",
                           image);
      }
      return "nothing is known yet: reach the server once, or use crivet import";
    case trust::Reason::kUnreachable:
      if (explained.view.failure && explained.view.failure->why) {
        return trust::RemedyFor(*explained.view.failure->why);
      }
      return "see that the server can be reached from this node, and with which credentials";
    case trust::Reason::kState:
      return "see that the state folder takes writes and has room";
    case trust::Reason::kClock:
      return "set the clock";
  }
  return {};
}

// Whether a newer set could say otherwise: where it cannot be had, that is what needs doing first.
bool RestsOnTheSet(trust::Reason reason) {
  return reason == trust::Reason::kTagNotSigned || reason == trust::Reason::kDigestNotSigned ||
         reason == trust::Reason::kDigestMismatch || reason == trust::Reason::kSignersDisagree ||
         reason == trust::Reason::kWithdrawn || reason == trust::Reason::kExpired;
}

json RolesAsJson(const trust::Evidence& evidence) {
  json roles = json::array();
  for (const auto& role : evidence.roles) {
    json keys = json::array();
    for (const auto& id : role.signed_by) keys.push_back(id.ToString());
    const bool vouches = std::find(evidence.vouching.begin(), evidence.vouching.end(), role.role) !=
                         evidence.vouching.end();
    json one = {{"role", role.role.text()},
                {"version", role.version},
                {"signed_by", std::move(keys)},
                {"threshold", role.threshold},
                {"vouches", vouches}};
    if (role.version > 0) one["expires"] = trust::FormatRfc3339(role.expires);
    roles.push_back(std::move(one));
  }
  return roles;
}

json CauseAsJson(const trust::FetchCause& cause) {
  json out = {{"explanation", trust::Explained(cause)},
              {"host", cause.host},
              {"status", cause.status},
              {"said", cause.said}};
  if (cause.retry_after) out["retry_after_s"] = cause.retry_after->count();
  return out;
}

json ChainAsJson(const trust::Repository& repository) {
  json chain = json::array();
  for (const auto& link : repository.chain()) {
    json signers = json::array();
    for (const auto& id : link.signers) signers.push_back(id.ToString());
    chain.push_back({{"version", link.root->version()},
                     {"expires", trust::FormatRfc3339(link.root->expires())},
                     {"signed_by", std::move(signers)}});
  }
  return chain;
}

// The version of the first root that a key signed and so anchors, by one key ID of the pin.
std::optional<std::int64_t> AnchoredBy(const trust::KeyId& id, const trust::Repository& repository,
                                       trust::TimePoint now) {
  trust::RootPin one;
  one.key_ids = {id};
  const auto match = repository.Match(one, now);
  if (!match) return std::nullopt;
  return repository.chain()[match->link].root->version();
}

std::vector<std::string> PinLines(const trust::Repository& repository, const trust::RootPin& pin,
                                  trust::TimePoint now) {
  std::vector<std::string> lines;
  for (const trust::KeyId& id : pin.key_ids) {
    const auto version = AnchoredBy(id, repository, now);
    lines.push_back(id.ToString() +
                    (version ? fmt::format(" (root {})", *version) : " (no root is signed by it)"));
  }
  return lines;
}

json PinnedAsJson(const trust::Repository& repository, const trust::RootPin& pin,
                  trust::TimePoint now) {
  json pinned = json::array();
  for (const trust::KeyId& id : pin.key_ids) {
    const auto version = AnchoredBy(id, repository, now);
    pinned.push_back(
        {{"key_id", id.ToString()}, {"root", version ? json(*version) : json(nullptr)}});
  }
  return pinned;
}

}  // namespace

Exit ExitOf(const trust::Decision& decision) {
  if (std::holds_alternative<trust::Allow>(decision.verdict)) return Exit::kDone;
  return std::holds_alternative<trust::Deny>(decision.verdict) ? Exit::kDenied : Exit::kUnavailable;
}

std::string PinnedName(const Explained& explained) {
  const auto* allow = std::get_if<trust::Allow>(&explained.decision.verdict);
  if (allow == nullptr) return {};
  const auto reference = trust::ImageReference::Parse(explained.canonical);
  return reference && allow->digest ? reference->PinnedTo(*allow->digest) : explained.canonical;
}

std::string NextStep(const Explained& explained) {
  const auto refused = RefusalOf(explained.decision);
  const auto& failure = explained.view.failure;
  if (failure && (!refused || RestsOnTheSet(refused->reason))) {
    return NextStepFor(failure->error.reason, explained);
  }
  if (refused) return NextStepFor(refused->reason, explained);
  if (const auto& newer = explained.decision.evidence.newer_root_key) {
    return fmt::format("the pin is no longer the newest root's: add key ID {}", newer->ToString());
  }
  return {};
}

std::vector<std::string> ExplainToPeople(const Explained& explained, trust::TimePoint now) {
  std::vector<std::string> lines = {explained.image};
  const auto add = [&](std::string_view label, std::string_view text) {
    lines.push_back(fmt::format("  {:<18} {}", label, text));
  };
  const trust::Decision& decision = explained.decision;
  if (!explained.canonical.empty()) add("name", explained.canonical);
  if (!explained.pod_namespace.empty()) add("namespace", explained.pod_namespace);
  add("rule", RuleLine(decision.applied));
  if (const auto& id = decision.applied.repository) {
    add("collection", fmt::format("{} at {}", id->gun.text(), id->url));
  }
  if (explained.view.repository) {
    add("roots", ChainLine(*explained.view.repository, decision.applied.rule->root, now));
    for (const std::string& line :
         PinLines(*explained.view.repository, decision.applied.rule->root, now)) {
      add("pinned", line);
    }
  }
  for (const auto& role : decision.evidence.roles)
    add(role.role.text(), RoleLine(role, explained.view, now));
  if (const auto& at = decision.evidence.verified_at) add("verified", trust::FormatRfc3339(*at));
  if (explained.view.failure)
    add("last refresh", "FAILED: " + FailureText(*explained.view.failure));
  if (decision.evidence.from_record) {
    add("record", "stands on what this node verified earlier for this tag");
  }
  if (const auto refused = RefusalOf(decision)) {
    const bool denied = ExitOf(decision) == Exit::kDenied;
    add("verdict", fmt::format("{}: {} [{}]", denied ? "DENIED" : "UNAVAILABLE", refused->found,
                               trust::CodeOf(refused->reason)));
  } else {
    add("verdict", "ALLOWED: " + PinnedName(explained));
  }
  if (const std::string next = NextStep(explained); !next.empty()) add("what now", next);
  if (!explained.held_id.empty()) {
    add("on this node", fmt::format("an image that its name does not reach, for it is refused; to "
                                    "remove it: crictl rmi {}",
                                    explained.held_id));
  }
  return lines;
}

std::string ExplainAsJson(const Explained& explained, trust::TimePoint now) {
  const trust::Decision& decision = explained.decision;
  const trust::Rule& rule = *decision.applied.rule;
  json out = {{"schema", "crivet.verify/1"},
              {"image", explained.image},
              {"canonical", explained.canonical},
              {"namespace", explained.pod_namespace},
              {"verdict", WordOf(decision)},
              {"digest", ""},
              {"reason", ""},
              {"rule", rule.name},
              {"mode", rule.mode == trust::Mode::kEnforce ? "enforce" : "audit"},
              {"message", ""},
              {"next", NextStep(explained)},
              {"held_id", explained.held_id},
              {"from_record", decision.evidence.from_record},
              {"roles", RolesAsJson(decision.evidence)},
              {"chain", json::array()},
              {"pinned", json::array()}};
  if (const auto* allow = std::get_if<trust::Allow>(&decision.verdict)) {
    if (allow->digest) out["digest"] = allow->digest->ToString();
  }
  if (const auto refused = RefusalOf(decision)) {
    out["reason"] = trust::CodeOf(refused->reason);
    out["message"] = trust::RefusalMessage(
        decision, explained.canonical.empty() ? explained.image : explained.canonical);
  }
  if (const auto& id = decision.applied.repository) {
    out["server"] = id->url;
    out["gun"] = id->gun.text();
  }
  if (explained.view.repository) {
    out["chain"] = ChainAsJson(*explained.view.repository);
    out["pinned"] = PinnedAsJson(*explained.view.repository, rule.root, now);
    if (const auto match = explained.view.repository->Match(rule.root, now)) {
      out["pin_is_newest"] = match->newest;
    }
  }
  if (explained.view.failure) {
    out["last_failure"] = FailureText(*explained.view.failure);
    if (const auto& why = explained.view.failure->why) out["why"] = CauseAsJson(*why);
  }
  // Texts may come from a command line that is not UTF-8.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace crivet::proxy::cli
