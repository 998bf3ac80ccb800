// SPDX-License-Identifier: Apache-2.0

// Two patterns and a name, a line each: matching agrees with a slow matcher that follows the words
// of the definition, what two patterns share is what CanMeet says, and what one covers is covered.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/require.h"
#include "trust/base/image_reference.h"
#include "trust/decide/image_pattern.h"

using namespace crivet::trust;

namespace {

using Kind = WildcardStep::Kind;

std::string_view TakeLine(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

std::vector<std::string> ComponentsOf(std::string_view text) {
  std::vector<std::string> components{""};
  for (const char c : text) {
    if (c == '/') {
      components.emplace_back();
    } else {
      components.back() += c;
    }
  }
  return components;
}

bool SlowTake(const WildcardStep& step, const std::string& component) {
  if (step.kind == Kind::kLiteral) return step.literal == component;
  for (std::size_t taken = 0; taken <= component.size(); ++taken) {
    for (std::size_t from = 0; from + taken <= component.size(); ++from) {
      if (component.substr(0, from) == step.literal &&
          component.substr(from + taken) == step.ending) {
        return true;
      }
    }
  }
  return false;
}

// fits[i][j]: the steps from i on match the components from j on.
bool SlowMatch(const WildcardSteps& steps, const std::vector<std::string>& components) {
  std::vector<std::vector<bool>> fits(steps.size() + 1,
                                      std::vector<bool>(components.size() + 1, false));
  for (std::size_t i = steps.size() + 1; i-- > 0;) {
    for (std::size_t j = components.size() + 1; j-- > 0;) {
      const bool rest = j < components.size();
      if (i == steps.size()) {
        fits[i][j] = !rest;
      } else if (steps[i].kind == Kind::kMany) {
        fits[i][j] = fits[i + 1][j] || (rest && fits[i][j + 1]);
      } else {
        const bool one = rest && SlowTake(steps[i], components[j]);
        fits[i][j] = rest && one && fits[i + 1][j + 1];
      }
    }
  }
  return fits[0][0];
}

void CheckMatch(const ImagePattern& pattern, const std::string& repository) {
  const bool matches = pattern.Matches(repository);
  Require(matches == SlowMatch(pattern.steps(), ComponentsOf(repository)),
          "matching means what its definition says");
  const auto captures = pattern.Match(repository);
  Require(captures.has_value() == matches, "both ways to match agree");
  if (captures) {
    Require(pattern.Expand(*captures) == repository, "what was captured makes the name again");
  }
  WildcardSteps literal;
  for (std::string& component : ComponentsOf(repository)) {
    literal.push_back({Kind::kLiteral, std::move(component)});
  }
  Require(CanMeet(pattern.steps(), literal) == matches, "a name meets the patterns that match it");
  if (matches) Require(CoveredBy(literal, {&pattern.steps()}), "and is covered by them");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size > 400) return 0;  // the slow matcher and the coverage search are meant for small ones
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto first = ImagePattern::Parse(TakeLine(text));
  const auto second = ImagePattern::Parse(TakeLine(text));
  const auto name = ImageReference::Parse(TakeLine(text));
  if (!first) return 0;
  Require(ImagePattern::ParseMapping(first->text()).has_value(), "what images has, a GUN may have");
  Require(CanMeet(first->steps(), first->steps()), "a pattern meets itself");
  if (name) CheckMatch(*first, name->repository());
  if (!second) return 0;
  const bool overlap = first->Overlaps(*second);
  Require(overlap == second->Overlaps(*first), "overlapping is mutual");
  Require((Specificity(*first, *second) < 0) == (Specificity(*second, *first) > 0),
          "specificity is an order");
  if (!name) return 0;
  const bool in_first = first->Matches(name->repository());
  const bool in_second = second->Matches(name->repository());
  if (in_first && in_second) Require(overlap, "patterns that match one name overlap");
  if (in_first && CoveredBy(first->steps(), {&second->steps()})) {
    Require(in_second, "the covering pattern matches what the covered one does");
  }
  return 0;
}
