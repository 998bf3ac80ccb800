// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/path_pattern.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

namespace crivet::trust::tuf1 {
namespace {

// Takes one character of text that is valid UTF-8, as its bytes.
std::string_view TakeCharacter(std::string_view& text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  const std::string_view character = text.substr(0, size);
  text.remove_prefix(size);
  return character;
}

// A class at the front of a pattern: what is between the brackets, and what comes after them.
struct Class {
  std::string_view members;
  bool negated = false;
  std::string_view rest;
};

// As Python's fnmatch: `]` first is a member; a bracket that is not closed is a character.
std::optional<Class> ClassAt(std::string_view pattern) {
  Class found;
  std::size_t begin = 1;
  found.negated = begin < pattern.size() && pattern[begin] == '!';
  if (found.negated) ++begin;
  const std::size_t end = pattern.find(']', std::min(begin + 1, pattern.size()));
  if (end == std::string_view::npos) return std::nullopt;
  found.members = pattern.substr(begin, end - begin);
  found.rest = pattern.substr(end + 1);
  return found;
}

// UTF-8 sorts as its code points do.
bool IsIn(const Class& set, std::string_view character) {
  std::string_view members = set.members;
  bool in = false;
  while (!members.empty()) {
    const std::string_view low = TakeCharacter(members);
    if (members.size() > 1 && members.front() == '-') {
      members.remove_prefix(1);
      const std::string_view high = TakeCharacter(members);
      in = in || (low <= character && character <= high);
    } else {
      in = in || low == character;
    }
  }
  return in != set.negated;
}

// Takes what matches one character off the front of the pattern, if it matches. Precondition:
// neither is empty, the pattern does not begin with `*`.
bool StepMatches(std::string_view& pattern, std::string_view& text, MatchWork& work) {
  const std::string_view character = TakeCharacter(text);
  if (pattern.front() == '?') {
    pattern.remove_prefix(1);
    return true;
  }
  if (pattern.front() == '[') {
    // A class can be as long as the file, and it is read for each character of the text.
    const std::optional<Class> set = ClassAt(pattern);
    work.Spend(set ? set->members.size() : pattern.size());
    if (set) {
      pattern = set->rest;
      return IsIn(*set, character);
    }
  }
  return TakeCharacter(pattern) == character;
}

// Only the last `*` is ever gone back to: an earlier one has no more to give.
bool SegmentMatches(std::string_view pattern, std::string_view text, MatchWork& work) {
  std::optional<std::string_view> after_star;
  std::string_view retry;
  while (!work.IsSpent()) {
    work.Spend(1);
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      after_star = pattern;
      retry = text;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty() && StepMatches(pattern, text, work)) continue;
    if (!after_star || retry.empty()) return false;
    TakeCharacter(retry);
    pattern = *after_star;
    text = retry;
  }
  return false;
}

// What is left of a pattern after each way of matching a text: ends of the pattern, by their
// length. There are never many more than the text has characters.
using Rests = std::map<std::size_t, std::string_view>;

void AddRest(Rests& rests, std::string_view rest, MatchWork& work) {
  // A step costs that of several where one way is followed.
  constexpr std::size_t kCost = 4;
  const std::size_t stars = std::min(rest.find_first_not_of('*'), rest.size());
  work.Spend(kCost + stars);
  rests.emplace(rest.size(), rest);
  rest.remove_prefix(stars);
  // A `*` may also stand for nothing.
  if (stars > 0) rests.emplace(rest.size(), rest);
}

Rests RestsAfter(std::string_view pattern, std::string_view text, MatchWork& work) {
  Rests rests;
  AddRest(rests, pattern, work);
  while (!text.empty() && !work.IsSpent()) {
    Rests next;
    for (auto [size, rest] : rests) {
      std::string_view one = text;
      const bool star = rest.starts_with('*');
      if (star || (!rest.empty() && StepMatches(rest, one, work))) AddRest(next, rest, work);
    }
    TakeCharacter(text);
    rests = std::move(next);
    if (rests.empty()) break;
  }
  if (work.IsSpent()) rests.clear();
  return rests;
}

bool IsTagCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

// Whether a pattern may match some tag. Of a class that is taken for granted.
bool MayBeTag(std::string_view pattern, MatchWork& work) {
  constexpr std::size_t kLongestTag = 128;
  std::size_t least = 0;
  bool star = false;
  while (!pattern.empty() && least <= kLongestTag && !work.IsSpent()) {
    const std::optional<Class> set = pattern.front() == '[' ? ClassAt(pattern) : std::nullopt;
    if (pattern.front() == '*') {
      star = true;
    } else {
      ++least;
      const bool literal = pattern.front() != '?' && !set;
      const bool first = least == 1 && !star;
      if (literal && !IsTagCharacter(pattern.front())) return false;
      if (literal && first && (pattern.front() == '.' || pattern.front() == '-')) return false;
    }
    const std::string_view rest = set ? set->rest : pattern.substr(1);
    work.Spend(pattern.size() - rest.size());
    pattern = rest;
  }
  return least <= kLongestTag && (least > 0 || star);
}

// Whether a pattern matches every tag: at least a `*`, and no more than one character beside.
bool IsEveryTag(std::string_view pattern) {
  std::size_t others = 0;
  for (const char c : pattern) {
    if (c != '*' && (c != '?' || ++others > 1)) return false;
  }
  return pattern.size() > others;
}

std::string_view TakeSegment(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return segment;
}

// Looking through a pattern costs little, and there may be megabytes of them.
void SpendOnReading(std::string_view pattern, MatchWork& work) {
  constexpr std::size_t kAtOnce = 64;
  work.Spend(1 + pattern.size() / kAtOnce);
}

bool IsOdd(std::string_view pattern) {
  return pattern.find('\\') != std::string_view::npos ||
         pattern.find("[^") != std::string_view::npos;
}

}  // namespace

PathMatch MatchPath(std::string_view pattern, std::string_view target, MatchWork& work) {
  SpendOnReading(pattern, work);
  if (IsOdd(pattern)) return PathMatch::kOdd;
  auto segments = std::count(pattern.begin(), pattern.end(), '/');
  if (segments != std::count(target.begin(), target.end(), '/')) return PathMatch::kNo;
  for (; segments >= 0; --segments) {
    const std::string_view of_pattern = TakeSegment(pattern);
    if (!SegmentMatches(of_pattern, TakeSegment(target), work)) return PathMatch::kNo;
  }
  return PathMatch::kYes;
}

TagsMatch MatchTags(std::string_view pattern, std::string_view prefix, MatchWork& work) {
  SpendOnReading(pattern, work);
  if (IsOdd(pattern)) return TagsMatch::kOdd;
  auto segments = std::count(pattern.begin(), pattern.end(), '/');
  if (segments != std::count(prefix.begin(), prefix.end(), '/')) return TagsMatch::kNone;
  for (; segments > 0; --segments) {
    const std::string_view of_pattern = TakeSegment(pattern);
    if (!SegmentMatches(of_pattern, TakeSegment(prefix), work)) return TagsMatch::kNone;
  }
  TagsMatch match = TagsMatch::kNone;
  for (const auto& [size, rest] : RestsAfter(pattern, prefix, work)) {
    if (IsEveryTag(rest)) return TagsMatch::kEvery;
    if (MayBeTag(rest, work)) match = TagsMatch::kSome;
  }
  return match;
}

}  // namespace crivet::trust::tuf1
