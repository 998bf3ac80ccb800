// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::sigstore {

/// Identity is who a certificate of Fulcio says has signed: the subject, as the issuer of a token
/// told it (Fulcio, "OID information").
struct Identity {
  std::string issuer;
  std::string subject;

  /// Of reads it: one alternative name, a URI, an e-mail address or Fulcio's own kind; the issuer
  /// from its newer extension, the older one only where that is missing. kIdentity where it is not
  /// there, or more than one could be meant.
  static SignatureResult<Identity> Of(const Certificate& certificate);
};

/// TextPattern is a text in which `*` stands for any run of characters without `/`, and `**` for
/// any run; nothing else has a meaning. It always covers the whole text: an expression that is
/// found somewhere inside would let `https://evil.example/https://git.acme.example/` pass.
class TextPattern {
 public:
  static constexpr std::size_t kMaxSize = 4096;

  /// kMalformed for an empty or too long one, or three asterisks in a row.
  static SignatureResult<TextPattern> Parse(std::string_view text);
  /// Exactly this text, whatever stands in it.
  static TextPattern Literally(std::string_view text);

  bool Matches(std::string_view text) const;
  const std::string& text() const { return text_; }

 private:
  enum class Reading { kPattern, kLiteral };
  TextPattern(std::string_view text, Reading reading) : text_(text), reading_(reading) {}
  std::string text_;
  Reading reading_;
};

/// WantedIdentity is one that a rule accepts.
struct WantedIdentity {
  TextPattern issuer;
  TextPattern subject;

  bool Accepts(const Identity& identity) const {
    return issuer.Matches(identity.issuer) && subject.Matches(identity.subject);
  }
};

}  // namespace crivet::trust::sigstore
