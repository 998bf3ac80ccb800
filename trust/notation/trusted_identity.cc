// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/trusted_identity.h"

#include <algorithm>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust::notation {
namespace {

constexpr std::string_view kPrefix = "x509.subject:";
constexpr std::size_t kMaxAttributes = 32;

tl::unexpected<SignatureError> Malformed(std::string detail) {
  return RefuseSignature(SignatureReason::kMalformed, "trusted identity: " + std::move(detail));
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  // A space that is escaped belongs to the value.
  while (text.ends_with(' ') && !text.ends_with("\\ ")) text.remove_suffix(1);
  return text;
}

// RFC 4514 2.4: a backslash before a special character, or before two hex digits.
SignatureResult<std::string> Unescaped(std::string_view text) {
  constexpr std::string_view kSpecial = "\"+,;<>= #\\";
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      value += text[i];
      continue;
    }
    if (i + 1 < text.size() && kSpecial.find(text[i + 1]) != std::string_view::npos) {
      value += text[++i];
      continue;
    }
    std::string digits(text.substr(i + 1, 2));
    std::transform(digits.begin(), digits.end(), digits.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    const auto byte = FromHex(digits);
    if (!byte || byte->size() != 1) return Malformed("a backslash that escapes nothing");
    value += *byte;
    i += 2;
  }
  return value;
}

// The next attribute, up to a comma that is not escaped.
std::string_view TakePart(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != ',') end += rest[end] == '\\' ? 2 : 1;
  end = std::min(end, rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool Has(const std::vector<NameAttribute>& attributes, std::string_view type) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const NameAttribute& it) { return it.type == type; });
}

}  // namespace

SignatureResult<TrustedIdentity> TrustedIdentity::Parse(std::string_view text) {
  if (text.size() > kMaxSize) return Malformed("too long");
  TrustedIdentity identity;
  if (text == "*") return identity;
  if (!text.starts_with(kPrefix))
    return Malformed("it begins with neither `x509.subject:` nor `*`");
  text.remove_prefix(kPrefix.size());
  while (!Trimmed(text).empty()) {
    const auto part = Trimmed(TakePart(text));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) return Malformed("an attribute without a value");
    const std::string type(Trimmed(part.substr(0, equals)));
    auto value = Unescaped(Trimmed(part.substr(equals + 1)));
    if (!value) return tl::unexpected(value.error());
    if (type.empty() || value->empty()) return Malformed("an attribute without a value");
    if (Has(identity.wanted_, type)) return Malformed(type + " stands there twice");
    if (identity.wanted_.size() == kMaxAttributes) return Malformed("too many attributes");
    identity.wanted_.push_back({type, *std::move(value)});
  }
  for (const std::string_view type : {"C", "ST", "O"}) {
    if (!Has(identity.wanted_, type)) return Malformed(std::string(type) + " is missing");
  }
  return identity;
}

bool TrustedIdentity::Accepts(const std::vector<NameAttribute>& subject) const {
  return std::all_of(wanted_.begin(), wanted_.end(), [&](const NameAttribute& wanted) {
    const auto same_type = [&](const NameAttribute& it) { return it.type == wanted.type; };
    return std::count_if(subject.begin(), subject.end(), same_type) == 1 &&
           std::find(subject.begin(), subject.end(), wanted) != subject.end();
  });
}

}  // namespace crivet::trust::notation
