// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <optional>

#include "trust/tuf1/path_pattern.h"

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

std::string_view TakeSegment(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return segment;
}

}  // namespace

PathMatch MatchPath(std::string_view pattern, std::string_view target, MatchWork& work) {
  if (pattern.find('\\') != std::string_view::npos ||
      pattern.find("[^") != std::string_view::npos) {
    return PathMatch::kOdd;
  }
  auto segments = std::count(pattern.begin(), pattern.end(), '/');
  if (segments != std::count(target.begin(), target.end(), '/')) return PathMatch::kNo;
  for (; segments >= 0; --segments) {
    const std::string_view of_pattern = TakeSegment(pattern);
    if (!SegmentMatches(of_pattern, TakeSegment(target), work)) return PathMatch::kNo;
  }
  return PathMatch::kYes;
}

}  // namespace crivet::trust::tuf1
