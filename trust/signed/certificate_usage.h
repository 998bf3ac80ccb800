// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust {

// What a certificate says that it is for (RFC 5280 4.2). Nothing here is verified. Pure functions,
// safe from any thread.

/// KeyUsage is the keyUsage extension (RFC 5280 4.2.1.3).
struct KeyUsage {
  bool critical = false;
  bool digital_signature = false;
  bool content_commitment = false;
  bool certificate_signing = false;
  bool others = false;  ///< any bit beside these three
};

/// ExtendedKeyUsage is the extension of that name: purposes as dotted OIDs.
struct ExtendedKeyUsage {
  bool critical = false;
  std::vector<std::string> purposes;

  bool Has(std::string_view purpose) const;
};

inline constexpr std::string_view kServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view kClientAuth = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view kCodeSigning = "1.3.6.1.5.5.7.3.3";
inline constexpr std::string_view kEmailProtection = "1.3.6.1.5.5.7.3.4";
inline constexpr std::string_view kTimeStamping = "1.3.6.1.5.5.7.3.8";
inline constexpr std::string_view kAnyPurpose = "2.5.29.37.0";

/// SubjectName is one of the subject's alternative names (RFC 5280 4.2.1.6).
struct SubjectName {
  enum class Kind : std::uint8_t { kUri, kEmail, kOtherName, kAnotherKind };
  Kind kind;
  std::string value;     ///< UTF-8; empty for kAnotherKind
  std::string other_id;  ///< the OID of an otherName
};

struct CertificateUsage {
  std::optional<KeyUsage> key_usage;
  std::optional<ExtendedKeyUsage> extended;
  bool basic_constraints = false;  ///< the extension is there
  bool basic_constraints_critical = false;
  std::vector<SubjectName> names;
};

/// UsageOf is kMalformed where an extension cannot be read.
SignatureResult<CertificateUsage> UsageOf(const Certificate& certificate);

/// ExtensionOf is the value of the extension with that dotted OID, the bytes inside of its OCTET
/// STRING; nothing where it is not there, kMalformed where it stands there twice.
SignatureResult<std::optional<std::string>> ExtensionOf(const Certificate& certificate,
                                                        std::string_view oid);

/// WithoutExtension is the DER of the certificate's TBSCertificate with that extension taken out:
/// what a certificate transparency log signs (RFC 6962 3.2). kMalformed where it is not there once.
SignatureResult<std::string> TbsWithoutExtension(const Certificate& certificate,
                                                 std::string_view oid);

/// NameAttribute is one attribute of a subject: its short name (`CN`, `O`; else the dotted OID) and
/// its value in UTF-8.
struct NameAttribute {
  std::string type;
  std::string value;
  friend bool operator==(const NameAttribute&, const NameAttribute&) = default;
};
SignatureResult<std::vector<NameAttribute>> SubjectOf(const Certificate& certificate);

/// IsSelfIssued: subject and issuer are the same name. IsSignedBy: the issuer's name and key fit
/// the certificate's signature; dates and purposes are not looked at.
bool IsSelfIssued(const Certificate& certificate);
bool IsSignedBy(const Certificate& certificate, const Certificate& issuer);

}  // namespace crivet::trust
