// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "proxy/watch/reason_with_cause.h"
#include "trust/base/fetch_cause.h"
#include "trust/base/quoted.h"
#include "trust/decide/decide.h"
#include "trust/decide/kind.h"

namespace crivet::proxy::cli {
namespace {

using nlohmann::json;

// A key's ID is told from others by its first digits; all of it is in the JSON.
std::string ShortList(const std::vector<std::string>& names) {
  constexpr std::size_t kDigits = 12;
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name.substr(0, kDigits);
  return text.empty() ? "nobody" : text;
}

std::string RuleLine(const trust::AppliedRule& applied) {
  const trust::Rule& rule = *applied.rule;
  std::string line = rule.is_default ? "[default]" : fmt::format("\"{}\"", rule.name);
  line += fmt::format(": {}", trust::WordOf(rule.action));
  for (std::size_t i = 0; i < rule.members.size(); ++i) {
    const std::string_view joint = rule.combine == trust::Combine::kAnyOf ? " or" : " and";
    line += fmt::format("{} [trust.{}]", i == 0 ? " with" : joint, rule.members[i].trust);
  }
  line += rule.mode == trust::Mode::kEnforce ? ", enforced" : ", in audit mode: nothing is refused";
  if (rule.until) line += fmt::format(", until {}", trust::FormatRfc3339(*rule.until));
  if (!rule.reason.empty()) line += fmt::format(" ({})", rule.reason);
  return line;
}

// The member that decided; null where none did.
const trust::Member* MemberOf(const trust::Decision& decision) {
  const auto& members = decision.applied.rule->members;
  return decision.member < members.size() ? &members[decision.member] : nullptr;
}

const std::optional<trust::CollectionId>& CollectionOf(const trust::Decision& decision) {
  static const std::optional<trust::CollectionId> kNone;
  const auto& collections = decision.applied.collections;
  return decision.member < collections.size() ? collections[decision.member] : kNone;
}

trust::SetExplanation ExplanationOf(const Explained& explained, trust::TimePoint now) {
  const trust::Member* const member = MemberOf(explained.decision);
  const auto reference = trust::ImageReference::Parse(explained.canonical);
  if (!explained.view.set || member == nullptr || !reference) return {};
  const trust::Decision& decision = explained.decision;
  const auto& name = decision.applied.NameFor(decision.member, *reference);
  return explained.view.set->Explain(name, *member->demand, now);
}

std::string ChainLine(const trust::SetExplanation& set) {
  std::string line = fmt::format("version {}", set.chain.front().version);
  for (std::size_t i = 1; i < set.chain.size(); ++i) {
    line += fmt::format(" -> {}", set.chain[i].version);
  }
  if (!set.anchored_at) return line + "; no pin of the rule matches any of them";
  line += fmt::format("; the pin matches version {}", set.chain[*set.anchored_at].version);
  if (!set.pin_is_newest) line += ", which leads to the newest";
  return line;
}

std::string PartLine(const trust::SignedPart& part, const trust::SetExplanation& set,
                     trust::TimePoint now) {
  const auto note = set.notes.find(part.name);
  if (note != set.notes.end()) return note->second;
  if (part.version == 0) return "nothing is signed by it";
  if (part.expires == trust::TimePoint{}) {
    return fmt::format("signed by {}", fmt::join(part.signed_by, ", "));
  }
  return fmt::format("version {}, {} {}, signed by {} ({} needed)", part.version,
                     part.expires <= now ? "EXPIRED" : "expires",
                     trust::FormatRfc3339(part.expires), ShortList(part.signed_by), part.threshold);
}

std::string FailureText(const trust::RefreshFailure& failure) {
  std::string text = ReasonWithCause(trust::CodeOf(failure.error.reason),
                                     failure.cause ? trust::WordOf(*failure.cause) : "");
  if (!failure.at.empty()) text += " at " + failure.at;
  if (!failure.error.detail.empty()) text += ": " + failure.error.detail;
  if (failure.why) text += ": " + trust::Explained(*failure.why);
  return text;
}

std::string HowToSign(const Explained& explained) {
  const trust::Decision& decision = explained.decision;
  const trust::Member* const member = MemberOf(decision);
  if (member == nullptr) return "";
  const auto& mapped = decision.applied.signed_as;
  const bool maps = decision.member < mapped.size() && mapped[decision.member];
  return ": " +
         member->kind->HowToSign(maps ? mapped[decision.member]->Canonical() : explained.image);
}

// A repository that is many images' is forgotten by its trust's name alone.
std::string ForgetOption(const trust::Member* member) {
  const bool shared = member != nullptr && !member->kind->IsOfOneRepository();
  return shared ? "--trust " + member->trust + " " : "";
}

std::string NextStepFor(trust::Reason reason, const Explained& explained,
                        const trust::SetExplanation& set) {
  const std::string& image = explained.image;
  const bool by_roles = reason == trust::Reason::kTagNotSigned ||
                        reason == trust::Reason::kDigestNotSigned ||
                        reason == trust::Reason::kSignersDisagree;
  const trust::Member* const member = MemberOf(explained.decision);
  const std::string nobody_signs =
      by_roles && member != nullptr ? member->kind->NobodySigns(explained.decision.evidence) : "";
  if (!nobody_signs.empty()) {
    return fmt::format("look at the rule's roles and signers: nobody delegates to {}",
                       nobody_signs);
  }
  switch (reason) {
    case trust::Reason::kTagNotSigned:
      return "have the publisher sign the tag" + HowToSign(explained);
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
      return fmt::format("if the publisher began anew, and says so: crivet forget {}{}",
                         ForgetOption(member), image);
    case trust::Reason::kMalformed:
      if (set.entry_is_unusable) {
        return "have the publisher sign this tag again" + HowToSign(explained);
      }
      [[fallthrough]];
    case trust::Reason::kSignature:
    case trust::Reason::kThreshold:
    case trust::Reason::kHash:
      return "what the server gives does not verify: ask whoever runs it before anything else";
    case trust::Reason::kWithdrawn:
      return "the publisher took the tag back: use a tag that is signed";
    case trust::Reason::kUnsigned:
      return "have the publisher sign this digest" + HowToSign(explained);
    case trust::Reason::kNotAnImageSignature:
      return "have the publisher sign the image itself: an attestation does not say that it may "
             "run" +
             HowToSign(explained);
    case trust::Reason::kAlgorithm:
      return "have the publisher sign with a key of a kind that is accepted here";
    case trust::Reason::kIdentity:
      return "compare who signed with whom the rule names";
    case trust::Reason::kTransparencyLog:
    case trust::Reason::kTimestamp:
      return "have the publisher sign again with what the rule wants of logs and timestamps";
    case trust::Reason::kTooOld:
    case trust::Reason::kSignatureExpired:
      return "have the publisher sign this digest again" + HowToSign(explained);
    case trust::Reason::kRevoked:
      return "have the publisher sign again with another certificate: this one was taken back";
    case trust::Reason::kRevocation:
      return "bring a newer revocation list to this node and reload: see crl_files of the trust";
    case trust::Reason::kTooMany:
      return "have whoever runs the registry remove what was put beside the image";
    case trust::Reason::kExpired:
      return "see why the server is not reached or does not renew; the rule's grace bridges a gap";
    case trust::Reason::kNoTrustData:
      if (explained.view.failure && explained.view.failure->not_found) {
        return "nobody has signed anything under this name" + HowToSign(explained);
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
  for (const auto& part : evidence.parts) {
    const bool vouches = std::find(evidence.vouching.begin(), evidence.vouching.end(),
                                   part->name) != evidence.vouching.end();
    json one = {{"role", part->name},
                {"version", part->version},
                {"signed_by", part->signed_by},
                {"threshold", part->threshold},
                {"vouches", vouches}};
    if (part->expires != trust::TimePoint{}) one["expires"] = trust::FormatRfc3339(part->expires);
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

json ChainAsJson(const trust::SetExplanation& set) {
  json chain = json::array();
  for (const auto& link : set.chain) {
    chain.push_back({{"version", link.version},
                     {"expires", trust::FormatRfc3339(link.expires)},
                     {"signed_by", link.signed_by}});
  }
  return chain;
}

std::string PinLine(const trust::AnchorMatch& pin) {
  return pin.pinned +
         (pin.version ? fmt::format(" (root {})", *pin.version) : " (no root is signed by it)");
}

json PinnedAsJson(const trust::SetExplanation& set) {
  json pinned = json::array();
  for (const trust::AnchorMatch& pin : set.pinned) {
    pinned.push_back(
        {{"key_id", pin.pinned}, {"root", pin.version ? json(*pin.version) : json(nullptr)}});
  }
  return pinned;
}

// Precondition: it says when.
std::string ConfirmedLine(const trust::Decision& decision) {
  const trust::TimePoint at = decision.evidence.confirmed_at.value();
  const std::chrono::seconds counts = decision.applied.rule->confirmed_max_age;
  if (counts.count() == 0) return trust::FormatRfc3339(at);
  return fmt::format("{}, counts until {} (present_max_age)", trust::FormatRfc3339(at),
                     trust::FormatRfc3339(at + counts));
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
  const auto refused = trust::RefusalOf(explained.decision.verdict);
  const auto& failure = explained.view.failure;
  const trust::SetExplanation set = ExplanationOf(explained, trust::TimePoint{});
  if (failure && (!refused || RestsOnTheSet(refused->reason))) {
    return NextStepFor(failure->error.reason, explained, set);
  }
  if (refused) return NextStepFor(refused->reason, explained, set);
  if (const auto& newer = explained.decision.evidence.pin_instead) {
    return fmt::format("the pin is no longer the newest root's: add key ID {}", *newer);
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
  if (const auto& id = CollectionOf(decision)) {
    add("collection", fmt::format("{} at {}", id->name, id->url));
  }
  const trust::SetExplanation set = ExplanationOf(explained, now);
  if (!set.chain.empty()) add("roots", ChainLine(set));
  for (const trust::AnchorMatch& pin : set.pinned) add("pinned", PinLine(pin));
  for (const auto& part : decision.evidence.parts)
    add(trust::Quoted(part->name), PartLine(*part, set, now));
  if (const auto& at = decision.evidence.verified_at) add("verified", trust::FormatRfc3339(*at));
  if (decision.evidence.confirmed_at) add("confirmed", ConfirmedLine(decision));
  if (explained.view.failure)
    add("last refresh", "FAILED: " + FailureText(*explained.view.failure));
  if (trust::BindingOf(decision) == trust::Evidence::Binding::kRegistry) {
    add("tag", "is the registry's word: signed is the digest, not the tag");
  }
  if (decision.evidence.from_record) {
    add("record", "stands on what this node verified earlier for this tag");
  }
  if (const auto refused = trust::RefusalOf(decision.verdict)) {
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
              {"verdict", trust::WordOf(trust::AnswerOf(decision.verdict))},
              {"digest", ""},
              {"reason", ""},
              {"rule", rule.name},
              {"mode", trust::WordOf(rule.mode)},
              {"message", ""},
              {"next", NextStep(explained)},
              {"held_id", explained.held_id},
              {"from_record", decision.evidence.from_record},
              {"roles", RolesAsJson(decision.evidence)},
              {"chain", json::array()},
              {"pinned", json::array()}};
  if (const auto* allow = std::get_if<trust::Allow>(&decision.verdict)) {
    if (allow->digest) {
      out["digest"] = allow->digest->ToString();
      const bool is_signed = trust::BindingOf(decision) == trust::Evidence::Binding::kSigned;
      out["binding"] = is_signed ? "signed" : "registry";
    }
  }
  if (const auto& at = decision.evidence.confirmed_at) {
    out["confirmed_at"] = trust::FormatRfc3339(*at);
  }
  if (const auto refused = trust::RefusalOf(decision.verdict)) {
    out["reason"] = trust::CodeOf(refused->reason);
    out["message"] = trust::RefusalMessage(
        decision, explained.canonical.empty() ? explained.image : explained.canonical);
  }
  if (const auto& id = CollectionOf(decision)) {
    out["server"] = id->url;
    out["gun"] = id->name;
  }
  const trust::SetExplanation set = ExplanationOf(explained, now);
  out["chain"] = ChainAsJson(set);
  out["pinned"] = PinnedAsJson(set);
  if (set.anchored_at) out["pin_is_newest"] = set.pin_is_newest;
  if (explained.view.failure) {
    out["last_failure"] = FailureText(*explained.view.failure);
    if (const auto& why = explained.view.failure->why) out["why"] = CauseAsJson(*why);
  }
  // Texts may come from a command line that is not UTF-8.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace crivet::proxy::cli
