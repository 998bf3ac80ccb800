// SPDX-License-Identifier: Apache-2.0
#include "trust/base/wildcard.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <utility>

namespace crivet::trust {
namespace {

using StepKind = WildcardStep::Kind;

// Whether two steps that take one word each can take the same.
bool WordsMeet(const WildcardStep& a, const WildcardStep& b) {
  if (a.kind == StepKind::kOne || b.kind == StepKind::kOne) return true;
  if (a.kind == StepKind::kLiteral) return b.Takes(a.literal);
  if (b.kind == StepKind::kLiteral) return a.Takes(b.literal);
  const auto begin_alike = [](const std::string& x, const std::string& y) {
    return x.starts_with(y) || y.starts_with(x);
  };
  const auto end_alike = [](const std::string& x, const std::string& y) {
    return x.ends_with(y) || y.ends_with(x);
  };
  return begin_alike(a.literal, b.literal) && end_alike(a.ending, b.ending);
}

// Words that stand for all: any other word is taken by the same steps as one of these. nullopt
// where they are too many.
std::optional<std::set<std::string>> WordsToTry(const std::vector<const WildcardSteps*>& patterns) {
  constexpr std::size_t kMostWords = 2'000;
  std::set<std::string> words;
  std::set<std::string> beginnings{""};
  std::set<std::string> endings{""};
  for (const WildcardSteps* steps : patterns) {
    for (const WildcardStep& step : *steps) {
      if (step.kind == StepKind::kLiteral) words.insert(step.literal);
      if (step.kind != StepKind::kPartly) continue;
      beginnings.insert(step.literal);
      endings.insert(step.ending);
    }
  }
  const std::size_t literals = words.size();
  for (const std::string& beginning : beginnings) {
    for (const std::string& ending : endings) {
      // A byte that no pattern has keeps both apart. Where they overlap the word may be too short
      // for a step that has both.
      words.insert(std::string(beginning).append(1, '\0').append(ending));
      for (std::size_t n = 0; n <= std::min(beginning.size(), ending.size()); ++n) {
        if (!beginning.ends_with(std::string_view(ending).substr(0, n))) continue;
        words.insert(std::string(beginning).append(ending, n));
      }
      if (words.size() - literals > kMostWords) return std::nullopt;
    }
  }
  return words;
}

// Positions in a pattern that are still possible after some words. A position is the number of
// steps that are done with, so steps.size() means that the whole pattern has matched.
using Positions = std::set<std::size_t>;

// Adds a position and those behind every `**` that may take nothing.
void Enter(const WildcardSteps& steps, std::size_t at, Positions& positions) {
  positions.insert(at);
  while (at < steps.size() && steps[at].kind == StepKind::kMany) positions.insert(++at);
}

Positions After(const WildcardSteps& steps, const Positions& before, const std::string& word) {
  Positions after;
  for (const std::size_t at : before) {
    if (at == steps.size() || !steps[at].Takes(word)) continue;
    Enter(steps, steps[at].kind == StepKind::kMany ? at : at + 1, after);
  }
  return after;
}

// What is possible in one pattern and in all of the others after the same words.
struct Reading {
  Positions pattern;
  std::vector<Positions> others;
  // The count of words so far, up to three: no repository has fewer than two components, and none
  // on docker.io fewer than three.
  int words = 0;
  bool on_docker_hub = false;
  auto operator<=>(const Reading&) const = default;
};

}  // namespace

bool CanMeet(const WildcardSteps& a, const WildcardSteps& b) {
  // meet[j] tells for the current i whether a[i..] and b[j..] have a sequence in common.
  std::vector<bool> below(b.size() + 1, false);
  std::vector<bool> meet(b.size() + 1, false);
  for (std::size_t i = a.size() + 1; i-- > 0;) {
    for (std::size_t j = b.size() + 1; j-- > 0;) {
      const bool many_a = i < a.size() && a[i].kind == StepKind::kMany;
      const bool many_b = j < b.size() && b[j].kind == StepKind::kMany;
      bool here = i == a.size() && j == b.size();
      if (many_a) here = here || below[j] || (j < b.size() && meet[j + 1]);
      if (many_b) here = here || meet[j + 1] || (i < a.size() && below[j]);
      if (!many_a && !many_b && i < a.size() && j < b.size()) {
        here = below[j + 1] && WordsMeet(a[i], b[j]);
      }
      meet[j] = here;
    }
    below.swap(meet);
  }
  return below[0];
}

bool CoveredBy(const WildcardSteps& pattern, const std::vector<const WildcardSteps*>& others) {
  // A search for a counter-example: a name that the pattern accepts and none of the others does.
  constexpr std::size_t kMostReadings = 10'000;
  static const std::string kDockerHub = "docker.io";
  std::vector<const WildcardSteps*> all = others;
  all.push_back(&pattern);
  auto words = WordsToTry(all);
  if (!words) return false;
  words->insert(kDockerHub);

  Reading start;
  Enter(pattern, 0, start.pattern);
  for (const WildcardSteps* other : others) Enter(*other, 0, start.others.emplace_back());
  std::set<Reading> seen{start};
  std::deque<Reading> next{std::move(start)};
  while (!next.empty()) {
    const Reading at = std::move(next.front());
    next.pop_front();
    if (at.words >= (at.on_docker_hub ? 3 : 2) && at.pattern.contains(pattern.size())) {
      bool covered = false;
      for (std::size_t i = 0; i < others.size(); ++i) {
        covered = covered || at.others[i].contains(others[i]->size());
      }
      if (!covered) return false;
    }
    for (const std::string& word : *words) {
      Reading after;
      after.pattern = After(pattern, at.pattern, word);
      if (after.pattern.empty()) continue;
      for (std::size_t i = 0; i < others.size(); ++i) {
        after.others.push_back(After(*others[i], at.others[i], word));
      }
      after.words = std::min(at.words + 1, 3);
      after.on_docker_hub = at.words == 0 ? word == kDockerHub : at.on_docker_hub;
      if (seen.size() >= kMostReadings) return false;
      if (seen.insert(after).second) next.push_back(std::move(after));
    }
  }
  return true;
}

WildcardSteps GlobSteps(std::string_view glob) {
  WildcardSteps steps;
  for (const char c : glob) {
    if (c == '*') {
      steps.push_back({StepKind::kMany});
    } else {
      steps.push_back({StepKind::kLiteral, std::string(1, c)});
    }
  }
  return steps;
}

bool GlobMatches(std::string_view glob, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  // Where to go on when a mismatch lets the latest `*` take one more character.
  std::optional<std::pair<std::size_t, std::size_t>> star;
  while (in < text.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = {++at, in};
    } else if (at < glob.size() && glob[at] == text[in]) {
      ++at;
      ++in;
    } else if (star) {
      at = star->first;
      in = ++star->second;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace crivet::trust
