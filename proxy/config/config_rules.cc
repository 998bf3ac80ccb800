// SPDX-License-Identifier: Apache-2.0

// `[default]` and every `[[rule]]` together: the policy.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "proxy/config/config_sections.h"
#include "trust/decide/policy.h"

namespace crivet::proxy {
namespace {

using trust::Rule;

constexpr std::size_t kMaxRules = 4096;

/// A rule with the places that messages about it name.
struct PlacedRule {
  Rule rule;
  TextPosition at;
  bool named = false;
};

void CheckNames(const std::vector<PlacedRule>& rules, ConfigFindings& findings) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto same = std::find_if(
        rules.begin(), rules.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const PlacedRule& before) { return before.rule.name == rules[i].rule.name; });
    if (rules[i].rule.name.empty() || same == rules.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    const std::string what =
        fmt::format("the rule in {} is called \"{}\" too", findings.PlaceOf(same->at, rules[i].at),
                    rules[i].rule.name);
    if (rules[i].named) {
      findings.Wrong(rules[i].at, what);
    } else {
      findings.Warn(rules[i].at, what + ": give one of them a \"name\"");
    }
  }
}

/// The first `count` rules as a policy.
trust::Result<trust::Policy> PolicyOf(const std::vector<PlacedRule>& rules, std::size_t count,
                                      const Rule& fallback,
                                      std::vector<trust::FileReader> files = {}) {
  std::vector<Rule> first;
  for (std::size_t i = 0; i < count; ++i) first.push_back(rules[i].rule);
  return trust::Policy::Create(std::move(first), fallback, std::move(files));
}

/// Where the rule stands that the last of `rules` is in conflict with; nowhere where that one is
/// wrong by itself.
std::optional<TextPosition> ConflictOfLast(const std::vector<PlacedRule>& rules,
                                           const Rule& fallback) {
  const PlacedRule& last = rules.back();
  if (!PolicyOf({last}, 1, fallback)) return std::nullopt;
  for (std::size_t i = 0; i + 1 < rules.size(); ++i) {
    if (!PolicyOf({rules[i], last}, 2, fallback)) return rules[i].at;
  }
  return std::nullopt;
}

/// Names each rule that cannot stand beside the rules before it. The policy does not know places
/// in a text, so the culprit is found by halving: it ends the shortest list that fails.
void FindConflicts(std::vector<PlacedRule> rules, const Rule& fallback, ConfigFindings& findings) {
  constexpr int kMostConflicts = 20;
  for (int found = 0; found < kMostConflicts; ++found) {
    auto whole = PolicyOf(rules, rules.size(), fallback);
    if (whole) return;
    std::size_t good = 0;
    std::size_t bad = rules.size();
    std::string why = whole.error().detail;
    while (bad - good > 1) {
      const std::size_t middle = good + (bad - good) / 2;
      if (auto part = PolicyOf(rules, middle, fallback)) {
        good = middle;
      } else {
        bad = middle;
        why = part.error().detail;
      }
    }
    if (bad == 0) return findings.Wrong({}, why);
    const TextPosition at = rules[bad - 1].at;
    const auto end = rules.begin() + static_cast<std::ptrdiff_t>(bad);
    if (const auto other = ConflictOfLast({rules.begin(), end}, fallback)) {
      why += fmt::format("; the other one is in {}", findings.PlaceOf(*other, at));
    }
    findings.Wrong(at, why);
    rules.erase(end - 1);
  }
}

void WarnOfUnreachable(const trust::Policy& policy, const std::vector<PlacedRule>& rules,
                       ConfigFindings& findings) {
  for (const auto& unreachable : policy.Unreachable()) {
    const auto placed = std::find_if(rules.begin(), rules.end(), [&](const PlacedRule& p) {
      return p.rule.name == unreachable->name;
    });
    findings.Warn(placed == rules.end() ? TextPosition{} : placed->at,
                  fmt::format("rule \"{}\" never matches: more specific rules cover all its names",
                              unreachable->name));
  }
}

}  // namespace

std::shared_ptr<const trust::Policy> ReadPolicy(TableReader& top, const trust::Kinds& kinds,
                                                const std::vector<trust::TrustServer>& servers,
                                                const OwnOfTrusts& own, trust::Mode mode,
                                                trust::TimePoint now, ConfigFindings& findings) {
  const RuleContext context{kinds, servers, own, mode, now};
  Rule fallback;
  if (!top.Has("default")) {
    findings.Wrong({},
                   "[default] is missing: say what happens to a name that no rule matches, "
                   "such as action = \"deny\"");
  }
  if (const auto section = top.Table("default")) {
    TableReader table(*section->value, section->at, "[default]", findings);
    fallback = ReadDefaultRule(table, context, findings);
  }
  std::vector<PlacedRule> rules;
  for (const auto& section : top.Tables("rule")) {
    TableReader table(*section.value, section.at, "this [[rule]]", findings);
    rules.push_back({ReadRule(table, context, findings), section.at, table.Has("name")});
  }
  if (rules.size() > kMaxRules) findings.Wrong(rules[kMaxRules].at, "more than 4096 rules");
  CheckNames(rules, findings);
  std::vector<trust::FileReader> files = ReadFilesOfTrusts(top, kinds, servers, own, findings);
  if (findings.any_wrong()) return nullptr;

  auto policy = PolicyOf(rules, rules.size(), fallback, std::move(files));
  if (!policy) {
    FindConflicts(std::move(rules), fallback, findings);
    return nullptr;
  }
  WarnOfUnreachable(*policy, rules, findings);
  return std::make_shared<const trust::Policy>(std::move(*policy));
}

}  // namespace crivet::proxy
