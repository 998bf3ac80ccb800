// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/signed/certificate.h"
#include "trust/signed/certificate_usage.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

/// TrustedIdentity is who may have signed: attributes that the leaf's subject has to have (Notary
/// Project trust policy, "trusted identities").
class TrustedIdentity {
 public:
  static constexpr std::size_t kMaxSize = 4096;

  /// Parse reads `x509.subject: C=…, ST=…, O=…, …` (RFC 4514, attributes by their short names, each
  /// once; C, ST and O have to be there), or `*` for anybody. kMalformed.
  static SignatureResult<TrustedIdentity> Parse(std::string_view text);

  /// Whether the subject has each of them, and none of another value beside it.
  bool Accepts(const std::vector<NameAttribute>& subject) const;

 private:
  std::vector<NameAttribute> wanted_;  // none: anybody
};

}  // namespace crivet::trust::notation
