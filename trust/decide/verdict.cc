// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/verdict.h"

#include <utility>

namespace crivet::trust {
namespace {

// Longer than the name of any image that exists: host, 255 bytes of path, tag or digest.
constexpr std::size_t kMaxShown = 512;

// A message is one line of printable text, whatever a pod wrote.
std::string Shown(std::string_view text) {
  const std::string_view kept = text.substr(0, kMaxShown);
  std::string shown(kept);
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (kept.size() < text.size()) shown += "...";
  return shown;
}

std::string Message(std::string_view word, std::string_view canonical, std::string_view found,
                    const Rule& rule, Reason reason) {
  std::string message(word);
  message += ": ";
  message += Shown(canonical);
  message += ": ";
  message += found;
  message += rule.is_default ? " [default" : " [rule \"" + Shown(rule.name) + "\"";
  message += ", ";
  message += CodeOf(reason);
  message += ']';
  return message;
}

}  // namespace

Verdict Refusal(Reason reason, std::string found) {
  switch (AnswerFor(reason)) {
    case Answer::kUnavailable:
      return Unavailable{reason, std::move(found)};
    case Answer::kAllow:  // no reason belongs to it
    case Answer::kDeny:
      break;
  }
  return Deny{reason, std::move(found)};
}

std::optional<WhyRefused> RefusalOf(const Verdict& verdict) {
  if (const auto* deny = std::get_if<Deny>(&verdict)) return WhyRefused{deny->reason, deny->found};
  const auto* unavailable = std::get_if<Unavailable>(&verdict);
  if (unavailable == nullptr) return std::nullopt;
  return WhyRefused{unavailable->reason, unavailable->found};
}

Answer AnswerOf(const Verdict& verdict) {
  if (std::holds_alternative<Allow>(verdict)) return Answer::kAllow;
  return std::holds_alternative<Deny>(verdict) ? Answer::kDeny : Answer::kUnavailable;
}

std::string RefusalMessage(const Decision& decision, std::string_view canonical) {
  const Rule& rule = *decision.applied.rule;
  const std::optional<WhyRefused> why = RefusalOf(decision.verdict);
  if (!why) return "";
  // The two words are those that kubelet knows (cri-api/pkg/errors); it shows the rest after them.
  const bool denies = std::holds_alternative<Deny>(decision.verdict);
  return Message(denies ? "SignatureValidationFailed" : "RegistryUnavailable", canonical,
                 why->found, rule, why->reason);
}

}  // namespace crivet::trust
