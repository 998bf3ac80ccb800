// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/next_page.h"

#include <algorithm>

#include "trust/base/result.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxLinkBytes = 8 * 1024;
constexpr std::size_t kMaxQueryBytes = 2048;

using Found = Result<std::optional<std::string>>;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameWord(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return Lower(x) == y; });
}

std::string_view Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes what stands before the next `end` outside of quotes and angle brackets.
std::optional<std::string_view> TakeUntil(std::string_view& rest, char end) {
  bool in_quotes = false;
  bool in_angles = false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (in_quotes && c == '\\') {
      ++i;
    } else if (c == '"' && !in_angles) {
      in_quotes = !in_quotes;
    } else if (!in_quotes && (c == '<' || c == '>')) {
      if (in_angles == (c == '<')) return std::nullopt;
      in_angles = c == '<';
    } else if (!in_quotes && !in_angles && c == end) {
      const std::string_view taken = rest.substr(0, i);
      rest.remove_prefix(i + 1);
      return taken;
    }
  }
  if (in_quotes || in_angles) return std::nullopt;
  return std::exchange(rest, {});
}

bool SaysNext(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  while (!value.empty()) {
    const std::size_t space = std::min(value.find_first_of(" \t"), value.size());
    if (SameWord(value.substr(0, space), "next")) return true;
    value.remove_prefix(std::min(space + 1, value.size()));
  }
  return false;
}

tl::unexpected<Error> Unreadable() {
  return Fail(Reason::kMalformed, "its Link header cannot be read");
}

// The target of one link where its relation is `next`.
Found TargetOf(std::string_view link) {
  const std::size_t end = link.find('>');
  if (!link.starts_with('<') || end == std::string_view::npos || end == 1) return Unreadable();
  const std::string_view target = link.substr(1, end - 1);
  std::string_view parameters = Trimmed(link.substr(end + 1));
  while (!parameters.empty()) {
    const auto parameter = TakeUntil(parameters, ';');
    if (!parameter) return Unreadable();
    const std::size_t equals = parameter->find('=');
    if (equals == std::string_view::npos) continue;
    const bool rel = SameWord(Trimmed(parameter->substr(0, equals)), "rel");
    if (rel && SaysNext(Trimmed(parameter->substr(equals + 1)))) return std::string(target);
  }
  return std::optional<std::string>();
}

Found NextTarget(const std::vector<std::string>& links) {
  std::optional<std::string> next;
  for (const std::string& header : links) {
    if (header.size() > kMaxLinkBytes) return Unreadable();
    std::string_view rest = header;
    while (!rest.empty()) {
      const auto link = TakeUntil(rest, ',');
      if (!link) return Unreadable();
      if (Trimmed(*link).empty()) continue;
      auto target = TargetOf(Trimmed(*link));
      if (!target) return target;
      if (!*target) continue;
      if (next && next != *target) {
        return Fail(Reason::kMalformed, "its Link headers name two next pages");
      }
      next = **std::move(target);
    }
  }
  return next;
}

std::string_view WithoutQuery(std::string_view url) { return url.substr(0, url.find('?')); }

}  // namespace

Found NextPage(const std::vector<std::string>& links, const HttpUrl& asked) {
  auto target = NextTarget(links);
  if (!target || !*target) return target;
  const Result<HttpUrl> url = asked.Resolve(**target);
  if (!url) return Fail(Reason::kMalformed, "its next page is at no address");
  if (WithoutQuery(url->text) != WithoutQuery(asked.text)) {
    return Fail(Reason::kMalformed, "its next page is at another address");
  }
  const std::size_t query = url->text.find('?');
  if (query == std::string::npos || url->text.size() - query > kMaxQueryBytes) {
    return Fail(Reason::kMalformed, "its next page is named by no query, or a too long one");
  }
  return url->text.substr(query + 1);
}

}  // namespace crivet::trust
