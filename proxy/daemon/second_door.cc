// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/second_door.h"

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/status_mapping.h"

namespace crivet::proxy {
namespace {

// Where calls have their method's path: nothing calls crivet here, and a program asks it.
constexpr std::string_view kMethod = "image-verifier";

/// One of those that may be judged at a time.
class Turn {
 public:
  explicit Turn(std::atomic<int>& taken) : taken_(taken), number_(++taken) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { --taken_; }
  int number() const { return number_; }

 private:
  std::atomic<int>& taken_;
  int number_;
};

trust::Decision DecisionOn(Decider& decider, trust::Question question) {
  const auto decided = std::make_shared<std::promise<trust::Decision>>();
  auto decision = decided->get_future();
  decider.Decide(std::move(question),
                 [decided](trust::Decision made) { decided->set_value(std::move(made)); });
  return decision.get();
}

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

trust::Result<SecondDoor::Verdict> SecondDoor::Judge(const std::string& name,
                                                     const std::string& digest) {
  const auto parsed = trust::Sha256Digest::Parse(digest);
  if (!parsed) {
    return trust::Fail(trust::Reason::kMalformed, "the digest is no sha256 digest");
  }
  const Turn turn(waiting_);
  if (turn.number() > kMostAtOnce) {
    return trust::Fail(trust::Reason::kState, "too many pulls are being judged");
  }
  return JudgeName(name, *parsed);
}

SecondDoor::Verdict SecondDoor::JudgeName(const std::string& name,
                                          const trust::Sha256Digest& digest) {
  const auto reference = ReadName(name);
  if (!reference) {
    return Record(name, digest, name, std::chrono::nanoseconds(0), DecisionOnText(decider_, name));
  }
  if (tickets_.Admit(*reference, digest)) {
    return {trust::Answer::kAllow, "let through by crivet's CRI socket"};
  }
  trust::Question question{.reference = *reference, .local = std::nullopt, .credentials = {}};
  if (!reference->digest()) question.named = digest;
  const auto begin = std::chrono::steady_clock::now();
  trust::Decision decision = DecisionOn(decider_, std::move(question));
  const auto latency = std::chrono::steady_clock::now() - begin;
  metrics_.Observe(Phase::kDecide, latency);
  return Record(name, digest, reference->Canonical(), latency, std::move(decision));
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
