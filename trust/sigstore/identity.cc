// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/identity.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "trust/signed/certificate_usage.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::string_view kIssuer = "1.3.6.1.4.1.57264.1.8";
constexpr std::string_view kIssuerRaw = "1.3.6.1.4.1.57264.1.1";
constexpr std::string_view kUsername = "1.3.6.1.4.1.57264.1.7";

tl::unexpected<SignatureError> Bad(const char* detail) {
  return RefuseSignature(SignatureReason::kIdentity, detail);
}

// A UTF8String of less than 64 KiB and nothing behind it.
std::optional<std::string> Utf8String(std::string_view der) {
  constexpr char kTag = 0x0c;
  if (der.size() < 2 || der[0] != kTag) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(der[1]);
  std::size_t size = first;
  std::size_t header = 2;
  if (first == 0x81 && der.size() >= 3) {
    size = static_cast<std::uint8_t>(der[2]);
    header = 3;
  } else if (first == 0x82 && der.size() >= 4) {
    size = static_cast<std::size_t>(static_cast<std::uint8_t>(der[2])) << 8 |
           static_cast<std::uint8_t>(der[3]);
    header = 4;
  } else if (first >= 0x80) {
    return std::nullopt;
  }
  if (der.size() != header + size) return std::nullopt;
  return std::string(der.substr(header));
}

SignatureResult<std::string> IssuerOf(const Certificate& certificate) {
  const auto newer = ExtensionOf(certificate, kIssuer);
  if (!newer) return Bad("the certificate says its issuer twice");
  if (*newer) {
    auto issuer = Utf8String(**newer);
    if (!issuer) return Bad("the certificate's issuer cannot be read");
    return *std::move(issuer);
  }
  const auto older = ExtensionOf(certificate, kIssuerRaw);
  if (!older || !*older) return Bad("the certificate does not say who vouched for its subject");
  return **older;
}

SignatureResult<std::string> SubjectNameOf(const Certificate& certificate) {
  const auto usage = UsageOf(certificate);
  if (!usage) return Bad("the certificate's subject cannot be read");
  if (usage->names.size() != 1) return Bad("the certificate does not name exactly one subject");
  const SubjectName& name = usage->names.front();
  switch (name.kind) {
    case SubjectName::Kind::kUri:
    case SubjectName::Kind::kEmail:
      return name.value;
    case SubjectName::Kind::kOtherName:
      if (name.other_id == kUsername) return name.value;
      break;
    case SubjectName::Kind::kAnotherKind:
      break;
  }
  return Bad("the certificate's subject is of a kind that is not known");
}

}  // namespace

SignatureResult<Identity> Identity::Of(const Certificate& certificate) {
  auto issuer = IssuerOf(certificate);
  if (!issuer) return tl::unexpected(issuer.error());
  auto subject = SubjectNameOf(certificate);
  if (!subject) return tl::unexpected(subject.error());
  // A NUL would end the text for another reader.
  if (issuer->find('\0') != std::string::npos || subject->find('\0') != std::string::npos) {
    return Bad("the certificate's identity has a NUL in it");
  }
  return Identity{*std::move(issuer), *std::move(subject)};
}

SignatureResult<TextPattern> TextPattern::Parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxSize)
    return RefuseSignature(SignatureReason::kMalformed, "its length");
  if (text.find("***") != std::string_view::npos) {
    return RefuseSignature(SignatureReason::kMalformed, "three asterisks in a row mean nothing");
  }
  return TextPattern(text, Reading::kPattern);
}

TextPattern TextPattern::Literally(std::string_view text) {
  return TextPattern(text, Reading::kLiteral);
}

bool TextPattern::Matches(std::string_view text) const {
  if (reading_ == Reading::kLiteral) return text == text_;
  // Row by row over the pattern: which beginnings of `text` it can have matched so far. Never more
  // than the product of the two lengths, whatever stands in them.
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  const std::string_view pattern = text_;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] != '*') {
      for (std::size_t i = text.size(); i > 0; --i) {
        reached[i] = reached[i - 1] && text[i - 1] == pattern[p];
      }
      reached[0] = false;
      continue;
    }
    const bool any = p + 1 < pattern.size() && pattern[p + 1] == '*';
    if (any) ++p;
    for (std::size_t i = 1; i <= text.size(); ++i) {
      reached[i] = reached[i] || (reached[i - 1] && (any || text[i - 1] != '/'));
    }
  }
  return reached[text.size()];
}

}  // namespace crivet::trust::sigstore
