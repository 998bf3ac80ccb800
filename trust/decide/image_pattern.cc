// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/image_pattern.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "trust/base/image_reference.h"

namespace crivet::trust {
namespace {

using StepKind = WildcardStep::Kind;

constexpr std::size_t kMaxPatternSize = 1024;

// A cursor over the components of a repository. The end is one beyond the text, so that a last
// component and the end after it differ.
bool AtEnd(std::string_view text, std::size_t at) { return at > text.size(); }

std::size_t EndOfComponent(std::string_view text, std::size_t at) {
  const std::size_t slash = text.find('/', at);
  return slash == std::string_view::npos ? text.size() : slash;
}

// The text from one cursor up to another, without the separator before the latter.
std::string_view Between(std::string_view text, std::size_t from, std::size_t to) {
  return from == to ? std::string_view() : text.substr(from, to - 1 - from);
}

// What the wildcard of a step took of a component.
std::string_view Taken(const WildcardStep& step, std::string_view component) {
  component.remove_prefix(step.literal.size());
  component.remove_suffix(step.ending.size());
  return component;
}

// Matches from `step` and `at` to the right; a `**` takes nothing at first and one component more
// whenever what follows does not fit. Only the latest `**` ever has to grow, so the work is bounded
// by the product of the two lengths.
bool MatchSteps(const WildcardSteps& steps, std::string_view text, std::size_t step, std::size_t at,
                std::vector<std::string_view>* captures) {
  struct Many {
    std::size_t step = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t captures_before = 0;
  };
  std::optional<Many> many;
  while (true) {
    bool fits = false;
    if (step == steps.size()) {
      if (AtEnd(text, at)) return true;
    } else if (steps[step].kind == StepKind::kMany) {
      many = Many{step, at, at, captures != nullptr ? captures->size() : 0};
      if (captures != nullptr) captures->push_back({});
      ++step;
      fits = true;
    } else if (!AtEnd(text, at)) {
      const std::size_t end = EndOfComponent(text, at);
      const std::string_view component = text.substr(at, end - at);
      fits = steps[step].Takes(component);
      if (fits) {
        if (captures != nullptr && steps[step].kind != StepKind::kLiteral) {
          captures->push_back(Taken(steps[step], component));
        }
        ++step;
        at = end + 1;
      }
    }
    if (fits) continue;
    if (!many || AtEnd(text, many->end)) return false;
    many->end = EndOfComponent(text, many->end) + 1;
    step = many->step + 1;
    at = many->end;
    if (captures != nullptr) {
      captures->resize(many->captures_before);
      captures->push_back(Between(text, many->begin, many->end));
    }
  }
}

int Rank(const WildcardSteps& steps, std::size_t at) {
  // The end stands before `**`, which also matches more, and after `*`, which demands more.
  if (at >= steps.size()) return 3;
  switch (steps[at].kind) {
    case StepKind::kLiteral:
      return 0;
    case StepKind::kPartly:
      return 1;
    case StepKind::kOne:
      return 2;
    case StepKind::kMany:
      return 4;
  }
  return 4;
}

// Less is more specific.
std::weak_ordering OrderOfParts(const WildcardStep& a, const WildcardStep& b) {
  const auto beginning = b.literal.size() <=> a.literal.size();
  return beginning != 0 ? beginning : b.ending.size() <=> a.ending.size();
}

// A name that the pattern was meant to match: each wildcard replaced by something plain.
std::string Sample(const WildcardSteps& steps) {
  std::string sample;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) sample += '/';
    // Only a first component with a dot is a host.
    const std::string_view wild = steps[i].kind == StepKind::kLiteral  ? ""
                                  : i > 0                              ? "x"
                                  : steps[i].kind == StepKind::kPartly ? "x.x"
                                                                       : "registry.example";
    sample += steps[i].literal;
    sample += wild;
    sample += steps[i].ending;
  }
  // One component is never a whole name; `**` may give the second, and on docker.io the third.
  if (steps.back().kind == StepKind::kMany && steps.size() <= 2) sample += "/x";
  return sample;
}

std::string InQuotes(std::string_view text) {
  constexpr std::size_t kMostShown = 160;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMostShown)) quoted += c < ' ' || c == 0x7F ? '?' : c;
  return quoted + '"';
}

// Why a pattern's sample is no name without tag and digest.
std::string NoPattern(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    return "a name has no \"" + std::string(text.substr(0, scheme)) + "://\": write " +
           InQuotes(text.substr(scheme + 3));
  }
  if (text.ends_with('/')) {
    return "a name does not end in \"/\": " + InQuotes(std::string(text) + "**") +
           " is everything below it";
  }
  const auto last = text.rfind('/');
  const auto end = text.find_first_of(":@", last == std::string_view::npos ? 0 : last);
  if (end != std::string_view::npos) {
    const auto name = ImageReference::Parse(text);
    return "a pattern is for every tag and digest of a name: write " +
           InQuotes(name ? name->repository() : text.substr(0, end));
  }
  return "not a pattern of `host/path`, such as \"registry.example/team/**\": " + InQuotes(text);
}

// The pattern that means what somebody wrote in the short form of Docker's names.
std::string WrittenOut(std::string_view text, const std::string& sample,
                       const std::string& repository) {
  constexpr std::string_view kHub = "docker.io/";
  if (repository.ends_with(sample)) {
    return repository.substr(0, repository.size() - sample.size()) + std::string(text);
  }
  if (text.starts_with(kHub)) {
    return "docker.io/library/" + std::string(text.substr(kHub.size()));
  }
  // An alias of the hub's host.
  const auto slash = text.find('/');
  return slash == std::string_view::npos ? repository
                                         : std::string(kHub) + std::string(text.substr(slash + 1));
}

}  // namespace

Result<ImagePattern> ImagePattern::ParseSteps(std::string_view text) {
  if (text.size() > kMaxPatternSize) {
    return Fail(Reason::kMalformed, "a pattern of more than 1024 bytes");
  }
  if (text.find("://") != std::string_view::npos || text.ends_with('/')) {
    return Fail(Reason::kMalformed, NoPattern(text));
  }
  WildcardSteps steps;
  for (std::size_t at = 0; !AtEnd(text, at);) {
    const std::size_t end = EndOfComponent(text, at);
    const std::string_view component = text.substr(at, end - at);
    at = end + 1;
    if (component.empty()) {
      return Fail(Reason::kMalformed, "a pattern with an empty component: " + InQuotes(text));
    }
    const std::size_t star = component.find('*');
    if (component == "*") {
      steps.push_back({StepKind::kOne});
    } else if (component == "**") {
      steps.push_back({StepKind::kMany});
    } else if (star == std::string_view::npos) {
      steps.push_back({StepKind::kLiteral, std::string(component)});
    } else if (component.find('*', star + 1) == std::string_view::npos) {
      steps.push_back({StepKind::kPartly, std::string(component.substr(0, star)),
                       std::string(component.substr(star + 1))});
    } else {
      return Fail(Reason::kMalformed,
                  "a component has one `*` at most, and `**` is a whole component, not a part as "
                  "in " +
                      InQuotes(component));
    }
  }
  return ImagePattern(std::string(text), std::move(steps));
}

Result<ImagePattern> ImagePattern::Parse(std::string_view text) {
  auto pattern = ParseSteps(text);
  if (!pattern) return pattern;
  const std::string sample = Sample(pattern->steps_);
  const auto name = ImageReference::Parse(sample);
  if (!name || name->tag() || name->digest() || name->NamesOtherDigest()) {
    return Fail(Reason::kMalformed, NoPattern(text));
  }
  if (!pattern->Matches(name->repository())) {
    if (text == "*") {
      return Fail(Reason::kMalformed,
                  "\"*\" is one component, and every name has at least two: \"**\" is every image");
    }
    return Fail(Reason::kMalformed, "no image has such a name: write " +
                                        InQuotes(WrittenOut(text, sample, name->repository())));
  }
  return pattern;
}

Result<ImagePattern> ImagePattern::ParseMapping(std::string_view text) {
  auto pattern = ParseSteps(text);
  if (!pattern) return pattern;
  // `**` alone may expand to a whole name, `*` in front to a host.
  const auto name = ImageReference::Parse(Sample(pattern->steps_));
  if (!name || name->tag() || name->digest() || name->NamesOtherDigest()) {
    return Fail(Reason::kMalformed, NoPattern(text));
  }
  return pattern;
}

ImagePattern::ImagePattern(std::string text, WildcardSteps steps)
    : text_(std::move(text)), steps_(std::move(steps)) {
  for (const WildcardStep& step : steps_) {
    if (step.kind != StepKind::kLiteral) break;
    if (leading_literals_++ > 0) prefix_ += '/';
    prefix_ += step.literal;
  }
}

bool ImagePattern::Match(std::string_view repository,
                         std::vector<std::string_view>* captures) const {
  if (!repository.starts_with(prefix_)) return false;
  if (leading_literals_ == 0) return MatchSteps(steps_, repository, 0, 0, captures);
  const bool component_ends =
      repository.size() == prefix_.size() || repository[prefix_.size()] == '/';
  return component_ends &&
         MatchSteps(steps_, repository, leading_literals_, prefix_.size() + 1, captures);
}

bool ImagePattern::Matches(std::string_view repository) const { return Match(repository, nullptr); }

std::optional<std::vector<std::string_view>> ImagePattern::Match(
    std::string_view repository) const {
  std::vector<std::string_view> captures;
  if (!Match(repository, &captures)) return std::nullopt;
  return captures;
}

std::string ImagePattern::Expand(const std::vector<std::string_view>& captures) const {
  std::string text;
  std::size_t next = 0;
  for (const WildcardStep& step : steps_) {
    const bool wild = step.kind != StepKind::kLiteral;
    if (wild && next == captures.size()) break;  // a broken precondition matches nothing
    const std::string_view taken = wild ? captures[next++] : std::string_view();
    if (step.kind == StepKind::kMany && taken.empty()) continue;
    if (!text.empty()) text += '/';
    text += step.literal;
    text += taken;
    text += step.ending;
  }
  return text;
}

bool ImagePattern::SameWildcards(const ImagePattern& other) const {
  const auto wildcards = [](const WildcardSteps& steps) {
    std::vector<StepKind> kinds;
    for (const WildcardStep& step : steps) {
      if (step.kind != StepKind::kLiteral) kinds.push_back(step.kind);
    }
    return kinds;
  };
  return wildcards(steps_) == wildcards(other.steps_);
}

std::weak_ordering Specificity(const ImagePattern& a, const ImagePattern& b) {
  const std::size_t length = std::max(a.steps_.size(), b.steps_.size());
  for (std::size_t i = 0; i < length; ++i) {
    const auto order = Rank(a.steps_, i) <=> Rank(b.steps_, i);
    if (order != 0) return order;
    if (i >= a.steps_.size() || a.steps_[i].kind != StepKind::kPartly) continue;
    const auto parts = OrderOfParts(a.steps_[i], b.steps_[i]);
    if (parts != 0) return parts;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace crivet::trust
