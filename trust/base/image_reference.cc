// SPDX-License-Identifier: Apache-2.0
#include "trust/base/image_reference.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace crivet::trust {
namespace {

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kLegacyDefaultDomain = "index.docker.io";
constexpr std::string_view kOfficialPrefix = "library/";
constexpr std::string_view kLocalhost = "localhost";
constexpr std::string_view kSha256Prefix = "sha256:";
constexpr std::size_t kMaxPathSize = 255;
constexpr std::size_t kMaxTagSize = 128;
// A tag is longer than `@sha256:` and its digits: every name can be given either.
constexpr std::size_t kMaxSuffixSize = 1 + kMaxTagSize;

// The classes are ASCII whatever the locale: <cctype> is not.
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsAlnum(char c) { return IsDigit(c) || IsLower(c) || IsUpper(c); }
constexpr bool IsLowerAlnum(char c) { return IsDigit(c) || IsLower(c); }
constexpr bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool IsHex(char c) { return IsLowerHex(c) || (c >= 'A' && c <= 'F'); }

bool AllOf(std::string_view text, bool (*accepts)(char)) {
  return std::all_of(text.begin(), text.end(), accepts);
}

// Calls `accepts` for each part between separators; an empty text is one empty part.
template <typename Accepts>
bool EveryPart(std::string_view text, char separator, Accepts accepts) {
  while (true) {
    const auto end = text.find(separator);
    if (!accepts(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool IsLabel(std::string_view text) {
  return !text.empty() && IsAlnum(text.front()) && IsAlnum(text.back()) &&
         AllOf(text, [](char c) { return IsAlnum(c) || c == '-'; });
}

bool IsDomain(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    if (!AllOf(text.substr(1, close - 1), [](char c) { return IsHex(c) || c == ':'; }))
      return false;
    text.remove_prefix(close + 1);
    if (text.empty()) return true;
    return text.front() == ':' && text.size() > 1 && AllOf(text.substr(1), IsDigit);
  }
  const auto colon = text.find(':');
  if (!EveryPart(text.substr(0, colon), '.', IsLabel)) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view port = text.substr(colon + 1);
  return !port.empty() && AllOf(port, IsDigit);
}

bool IsComponent(std::string_view text) {
  std::size_t i = 0;
  while (true) {
    const std::size_t start = i;
    while (i < text.size() && IsLowerAlnum(text[i])) ++i;
    if (i == start) return false;  // begins or ends with a separator, or two of them meet
    if (i == text.size()) return true;
    switch (text[i]) {
      case '.':
        ++i;
        break;
      case '_':
        ++i;
        if (i < text.size() && text[i] == '_') ++i;
        break;
      case '-':
        while (i < text.size() && text[i] == '-') ++i;
        break;
      default:
        return false;
    }
  }
}

bool IsPath(std::string_view text) { return EveryPart(text, '/', IsComponent); }

bool IsTag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTagSize && text.front() != '.' &&
         text.front() != '-' &&
         AllOf(text, [](char c) { return IsAlnum(c) || c == '_' || c == '.' || c == '-'; });
}

// The algorithms that go-digest registers, with the length of their hex.
bool IsDigest(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view hex = text.substr(colon + 1);
  std::size_t size = 0;
  if (algorithm == "sha256") size = 64;
  if (algorithm == "sha384") size = 96;
  if (algorithm == "sha512") size = 128;
  return size != 0 && hex.size() == size && AllOf(hex, IsLowerHex);
}

struct DomainAndRest {
  std::string_view domain;
  std::string rest;
};

// Writes the familiar short forms out. What comes back is not yet checked against the grammar.
DomainAndRest SplitDomain(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const bool is_domain =
      slash != std::string_view::npos &&
      (first == kLocalhost || first.find_first_of(".:") != std::string_view::npos ||
       std::any_of(first.begin(), first.end(), IsUpper));
  DomainAndRest split{kDefaultDomain, std::string(text)};
  if (is_domain) {
    split.domain = first == kLegacyDefaultDomain ? kDefaultDomain : first;
    split.rest = text.substr(slash + 1);
  }
  if (split.domain == kDefaultDomain && split.rest.find('/') == std::string::npos) {
    split.rest.insert(0, kOfficialPrefix);
  }
  return split;
}

}  // namespace

Result<Sha256Digest> Sha256Digest::FromHex(std::string_view hex) {
  const auto bytes = Sha256FromHex(hex);
  if (!bytes) return Fail(Reason::kMalformed, "not a SHA-256 of 64 lower-case hex digits");
  return Sha256Digest(*bytes);
}

Result<Sha256Digest> Sha256Digest::Parse(std::string_view text) {
  if (!text.starts_with(kSha256Prefix)) {
    return Fail(Reason::kMalformed, "not a digest that begins with sha256:");
  }
  return FromHex(text.substr(kSha256Prefix.size()));
}

std::string Sha256Digest::ToString() const { return std::string(kSha256Prefix) + ToHex(bytes_); }

Result<ImageReference> ImageReference::Parse(std::string_view text) {
  const auto refuse = [](std::string detail) {
    return Fail(Reason::kNotAReference, std::move(detail));
  };
  if (text.empty()) return refuse("an empty text is not an image reference");
  if (text.size() > kMaxSize) return refuse("too long for an image reference");
  if (text.size() == 64 && AllOf(text, IsLowerHex)) {
    return refuse("64 hex digits alone are not an image reference");
  }
  DomainAndRest split = SplitDomain(text);
  std::string_view rest = split.rest;
  if (const auto before_tag = rest.substr(0, rest.find(':'));
      std::any_of(before_tag.begin(), before_tag.end(), IsUpper)) {
    return refuse("a repository's name must be lower-case");
  }

  ImageReference reference;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const std::string_view digest = rest.substr(at + 1);
    if (!IsDigest(digest)) return refuse("not a digest after '@'");
    reference.digest_text_ = digest;
    if (auto sha256 = Sha256Digest::Parse(digest)) reference.digest_ = *sha256;
    rest = rest.substr(0, at);
  }
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    const std::string_view tag = rest.substr(colon + 1);
    if (!IsTag(tag)) return refuse("not a tag after ':'");
    reference.tag_ = tag;
    rest = rest.substr(0, colon);
  }
  if (!IsPath(rest)) return refuse("not a repository's name");
  reference.repository_.append(split.domain).append("/").append(rest);
  std::size_t path_size = rest.size();
  if (IsDomain(split.domain)) {
    reference.domain_size_ = split.domain.size();
  } else if (IsComponent(split.domain)) {
    // No domain after all: the whole name is the path (`foo_bar.com/x`).
    path_size = reference.repository_.size();
  } else {
    return refuse("not a registry's host name");
  }
  if (path_size > kMaxPathSize) return refuse("a repository's name has at most 255 characters");
  if (reference.repository_.size() + kMaxSuffixSize > kMaxSize) {
    return refuse("too long for an image reference");
  }
  return reference;
}

std::string_view ImageReference::domain() const {
  return std::string_view(repository_).substr(0, domain_size_);
}

std::string_view ImageReference::path() const {
  return std::string_view(repository_).substr(domain_size_ == 0 ? 0 : domain_size_ + 1);
}

std::string ImageReference::Suffix() const {
  if (!digest_text_.empty()) return "@" + digest_text_;
  return ":" + tag_.value_or("latest");
}

std::string ImageReference::Canonical() const { return repository_ + Suffix(); }

std::string ImageReference::Familiar() const {
  if (domain() != kDefaultDomain) return Canonical();
  std::string_view name = path();
  // Only `library/x` is an official image; `library/x/y` keeps its prefix.
  if (name.starts_with(kOfficialPrefix) &&
      name.find('/', kOfficialPrefix.size()) == std::string_view::npos) {
    name.remove_prefix(kOfficialPrefix.size());
  }
  return std::string(name) + Suffix();
}

Result<ImageReference> ImageReference::WithTag(std::string_view tag) const {
  if (!IsTag(tag)) return Fail(Reason::kNotAReference, "not a tag");
  ImageReference tagged = *this;
  tagged.tag_ = tag;
  tagged.digest_text_.clear();
  tagged.digest_.reset();
  return tagged;
}

Result<ImageReference> ImageReference::InRepository(std::string_view name) const {
  auto other = Parse(name);
  if (!other) return other;
  // A short form, a tag or a digest would make the text differ from the repository.
  if (other->repository_ != name) {
    return Fail(Reason::kNotAReference, "not a repository's full name");
  }
  other->tag_ = tag_;
  other->digest_text_ = digest_text_;
  other->digest_ = digest_;
  return other;
}

std::string ImageReference::PinnedTo(const Sha256Digest& digest) const {
  return repository_ + "@" + digest.ToString();
}

bool IsImageId(std::string_view text) { return Sha256Digest::Parse(text).has_value(); }

}  // namespace crivet::trust

std::size_t std::hash<crivet::trust::Sha256Digest>::operator()(
    const crivet::trust::Sha256Digest& digest) const noexcept {
  // The bytes are a hash already.
  std::size_t value = 0;
  std::memcpy(&value, digest.bytes().data(), sizeof value);
  return value;
}
