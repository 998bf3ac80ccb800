// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/target_name.h"

#include <algorithm>

namespace crivet::trust::tuf1 {
namespace {

constexpr std::string_view kName = "{name}";
constexpr std::string_view kHost = "{host}";
constexpr std::string_view kPath = "{path}";
constexpr std::size_t kMaxSize = 512;

bool IsLiteral(char c) {
  constexpr std::string_view kOthers = "-._~/:+=";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

std::size_t Count(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size())) {
    ++count;
  }
  return count;
}

tl::unexpected<Error> Wrong(std::string what) { return Fail(Reason::kMalformed, std::move(what)); }

// The text without its placeholders.
std::string Literals(std::string_view text) {
  std::string rest(text);
  for (const std::string_view placeholder : {kName, kHost, kPath}) {
    for (auto at = rest.find(placeholder); at != std::string::npos; at = rest.find(placeholder)) {
      rest.erase(at, placeholder.size());
    }
  }
  return rest;
}

}  // namespace

Result<TargetName> TargetName::Parse(std::string_view text, Of of) {
  const bool tags = of == Of::kTag;
  const std::string_view end = tags ? "{tag}" : "{digest}";
  if (text.size() > kMaxSize) return Wrong("is longer than 512 bytes");
  if (!text.ends_with(end)) return Wrong("must end with " + std::string(end));
  std::string_view before = text;
  before.remove_suffix(end.size());
  if (tags && !before.ends_with(':') && !before.ends_with('/')) {
    return Wrong("must have \":\" or \"/\" right before {tag}");
  }
  if (!tags) {
    // After anything else a digest could be read as a tag, `app/sha256:…`.
    if (!before.ends_with('@')) return Wrong("must have \"@\" right before {digest}");
    before.remove_suffix(1);
  }
  const std::size_t names = Count(before, kName);
  const std::size_t hosts = Count(before, kHost);
  const std::size_t paths = Count(before, kPath);
  if (names + paths != 1 || hosts > 1 || (hosts == 1 && names == 1)) {
    return Wrong("must hold {name} once, or {path} once, with or without {host} before it");
  }
  if (hosts == 1 && (before.find(kHost) > before.find(kPath) ||
                     !before.substr(before.find(kHost) + kHost.size()).starts_with('/'))) {
    return Wrong("must have \"/\" right after {host}, and {path} after that");
  }
  const std::string literals = Literals(before);
  if (!std::all_of(literals.begin(), literals.end(), IsLiteral)) {
    return Wrong(
        "holds a placeholder that is none of {name}, {host}, {path}, {tag} and {digest}, or a "
        "character that is none of letters, digits and -._~/:+=");
  }
  TargetName name;
  name.text_ = text;
  name.has_host_ = names + hosts == 1;
  return name;
}

std::string TargetName::For(const ImageReference& image, std::string_view end) const {
  std::string name;
  for (std::string_view rest = text_; !rest.empty();) {
    const std::size_t open = rest.find('{');
    name.append(rest.substr(0, open));
    if (open == std::string_view::npos) break;
    const std::size_t close = rest.find('}', open);
    const std::string_view placeholder = rest.substr(open, close + 1 - open);
    if (placeholder == kName) {
      name.append(image.repository());
    } else if (placeholder == kHost) {
      name.append(image.domain());
    } else if (placeholder == kPath) {
      name.append(image.path());
    } else {
      name.append(end);
    }
    rest.remove_prefix(close + 1);
  }
  return name;
}

}  // namespace crivet::trust::tuf1
