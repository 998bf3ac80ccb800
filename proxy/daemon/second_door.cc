// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/second_door.h"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/status_mapping.h"

namespace crivet::proxy {
namespace {

// Where calls have their method's path: nothing calls crivet here, and a program asks it.
constexpr std::string_view kMethod = "image-verifier";

// A text that no rule can be about: refused by the default, whose word it is where nothing at all
// is meant by it.
trust::Decision DecisionOnText(Decider& decider, const std::string& text) {
  trust::Decision decision{trust::Refusal(trust::Reason::kNotAReference, "not an image reference"),
                           {decider.DefaultRule(), {}},
                           {}};
  const bool is_nothing = !trust::ImageReference::Parse(text);
  if (is_nothing && decision.applied.rule->action == trust::Action::kAllow) {
    decision.verdict = trust::Allow{};
  }
  return decision;
}

}  // namespace

/// One question on its way to its answer.
struct SecondDoor::Pull {
  std::string name;
  trust::Sha256Digest digest;
  trust::ImageReference reference;
  std::chrono::steady_clock::time_point begin;
  Judged done;
  std::optional<WaitingPulls::Place> place;
};

void SecondDoor::Judge(const std::string& name, const std::string& digest, Judged done) {
  const auto parsed = trust::Sha256Digest::Parse(digest);
  if (!parsed) {
    done(trust::Fail(trust::Reason::kMalformed, "the digest is no sha256 digest"));
    return;
  }
  const auto reference = ReadName(name);
  if (!reference) {
    done(Record(name, *parsed, name, {}, DecisionOnText(decider_, name)));
  } else if (tickets_.Admit(*reference, *parsed)) {
    done(Verdict{trust::Answer::kAllow, "let through by crivet's CRI socket"});
  } else {
    Ask({name, *parsed, *reference, std::chrono::steady_clock::now(), std::move(done),
         waiting_.Take(*reference, *parsed)});
  }
}

void SecondDoor::Ask(Pull asked) {
  const auto pull = std::make_shared<Pull>(std::move(asked));
  trust::Question question{.reference = pull->reference, .local = std::nullopt, .credentials = {}};
  if (!pull->reference.digest()) question.named = pull->digest;
  if (!pull->place) question.reach = trust::Question::Reach::kOffline;
  decider_.Decide(std::move(question), [this, pull](trust::Decision decision) {
    trust::Result<Verdict> verdict = trust::Fail(trust::Reason::kState, "crivet failed to judge");
    try {
      verdict = End(*pull, std::move(decision));
    } catch (const std::exception&) {
      metrics_.CountInternalError();
    }
    pull->place.reset();
    pull->done(std::move(verdict));
  });
}

SecondDoor::Verdict SecondDoor::End(Pull& pull, trust::Decision decision) {
  const bool asked_memory_alone = !pull.place;
  pull.place.reset();
  // What memory has does not refuse what might have been found out.
  if (asked_memory_alone && decision.applied.rule->action == trust::Action::kVerify &&
      trust::AnswerOf(decision.verdict) != trust::Answer::kAllow) {
    decision.verdict = trust::Refusal(
        trust::Reason::kTooMany, "as many pulls from there as may wait for an answer already do");
  }
  const auto latency = std::chrono::steady_clock::now() - pull.begin;
  metrics_.Observe(Phase::kDecide, latency);
  return Record(pull.name, pull.digest, pull.reference.Canonical(), latency, std::move(decision));
}

SecondDoor::Verdict SecondDoor::Record(const std::string& name, const trust::Sha256Digest& digest,
                                       const std::string& canonical,
                                       std::chrono::nanoseconds latency, trust::Decision decision) {
  const bool audits = decision.mode() == trust::Mode::kAudit;
  const auto* allow = std::get_if<trust::Allow>(&decision.verdict);
  const auto pinned = allow != nullptr ? allow->digest : std::nullopt;
  const bool moved = pinned && *pinned != digest;
  if (moved && !audits) {
    decision.verdict =
        trust::Refusal(trust::Reason::kDigestMismatch, "the registry has " + digest.ToString() +
                                                           ", and signed is " + pinned->ToString());
  }
  metrics_.CountDecision(decision);
  if (moved && audits) metrics_.CountMoved();
  AuditEntry entry{.time = std::chrono::system_clock::now(),
                   .method = kMethod,
                   .reference = name,
                   .canonical = canonical,
                   .decision = decision,
                   .latency = latency,
                   .pod = {},
                   .peer = {},
                   .local = std::nullopt,
                   .would_pin = audits ? pinned : std::nullopt,
                   .moved = audits && pinned ? std::optional(moved) : std::nullopt};
  audit_.Write(entry);
  const auto answer = trust::AnswerOf(decision.verdict);
  if (answer == trust::Answer::kAllow) {
    return {answer, "allowed by rule \"" + decision.applied.rule->name + '"'};
  }
  const std::string message = StatusFor(decision, canonical).error_message();
  if (audits) return {trust::Answer::kAllow, "allowed in audit mode only: " + message};
  return {answer, message};
}

}  // namespace crivet::proxy
