// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/certificate_usage.h"

#include <algorithm>
#include <utility>

#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;

namespace {

tl::unexpected<SignatureError> Malformed(const char* detail) {
  return RefuseSignature(SignatureReason::kMalformed, detail);
}

std::string Dotted(const ASN1_OBJECT* object) {
  char text[128];
  const int size = OBJ_obj2txt(text, sizeof text, object, 1);
  if (size <= 0 || static_cast<std::size_t>(size) >= sizeof text) return {};
  return {text, static_cast<std::size_t>(size)};
}

std::string BytesOf(const ASN1_STRING* text) {
  const auto size = static_cast<std::size_t>(std::max(ASN1_STRING_length(text), 0));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), size};
}

std::optional<std::string> Utf8Of(const ASN1_STRING* text) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return std::nullopt;
  std::string result(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return result;
}

// The extension's value as OpenSSL reads it. Not there: null and -1; there and unreadable, or there
// twice: null and another number.
template <typename T>
struct ReadExtension {
  ReadExtension(const X509* x509, int nid)
      : value(static_cast<T*>(X509_get_ext_d2i(x509, nid, &critical, nullptr))) {}
  bool missing() const { return value == nullptr && critical == -1; }
  bool unreadable() const { return value == nullptr && critical != -1; }

  int critical = -1;
  T* value;
};

SignatureResult<std::optional<KeyUsage>> ReadKeyUsage(const X509* x509) {
  const ReadExtension<ASN1_BIT_STRING> read(x509, NID_key_usage);
  if (read.missing()) return std::optional<KeyUsage>();
  if (read.unreadable()) return Malformed("a certificate's keyUsage");
  using Bits = std::unique_ptr<ASN1_BIT_STRING, openssl::Freed<ASN1_BIT_STRING_free>>;
  const Bits bits(read.value);
  KeyUsage usage;
  usage.critical = read.critical == 1;
  constexpr int kDigitalSignature = 0;
  constexpr int kContentCommitment = 1;
  constexpr int kCertificateSigning = 5;
  constexpr int kLastBit = 8;
  for (int i = 0; i <= kLastBit; ++i) {
    if (ASN1_BIT_STRING_get_bit(bits.get(), i) == 0) continue;
    if (i == kDigitalSignature) {
      usage.digital_signature = true;
    } else if (i == kContentCommitment) {
      usage.content_commitment = true;
    } else if (i == kCertificateSigning) {
      usage.certificate_signing = true;
    } else {
      usage.others = true;
    }
  }
  return std::optional(usage);
}

SignatureResult<std::optional<ExtendedKeyUsage>> ReadExtendedKeyUsage(const X509* x509) {
  const ReadExtension<EXTENDED_KEY_USAGE> read(x509, NID_ext_key_usage);
  if (read.missing()) return std::optional<ExtendedKeyUsage>();
  if (read.unreadable()) return Malformed("a certificate's extendedKeyUsage");
  using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, openssl::Freed<EXTENDED_KEY_USAGE_free>>;
  const Purposes purposes(read.value);
  ExtendedKeyUsage usage;
  usage.critical = read.critical == 1;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    usage.purposes.push_back(Dotted(sk_ASN1_OBJECT_value(purposes.get(), i)));
  }
  return std::optional(std::move(usage));
}

SignatureResult<SubjectName> ReadName(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_URI:
      return SubjectName{SubjectName::Kind::kUri, BytesOf(name->d.uniformResourceIdentifier), {}};
    case GEN_EMAIL:
      return SubjectName{SubjectName::Kind::kEmail, BytesOf(name->d.rfc822Name), {}};
    case GEN_OTHERNAME: {
      const ASN1_TYPE* value = name->d.otherName->value;
      if (value == nullptr || value->type != V_ASN1_UTF8STRING) {
        return Malformed("an otherName that is not UTF-8");
      }
      return SubjectName{SubjectName::Kind::kOtherName, BytesOf(value->value.utf8string),
                         Dotted(name->d.otherName->type_id)};
    }
    default:
      return SubjectName{SubjectName::Kind::kAnotherKind, {}, {}};
  }
}

SignatureResult<std::vector<SubjectName>> ReadNames(const X509* x509) {
  const ReadExtension<GENERAL_NAMES> read(x509, NID_subject_alt_name);
  if (read.missing()) return std::vector<SubjectName>();
  if (read.unreadable()) return Malformed("a certificate's subjectAltName");
  using Names = std::unique_ptr<GENERAL_NAMES, openssl::Freed<GENERAL_NAMES_free>>;
  const Names names(read.value);
  std::vector<SubjectName> result;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto name = ReadName(sk_GENERAL_NAME_value(names.get(), i));
    if (!name) return tl::unexpected(name.error());
    result.push_back(*std::move(name));
  }
  return result;
}

// The index of the only extension with this OID, -1 for none, -2 for two.
int IndexOf(const X509* x509, std::string_view oid) {
  using Object = std::unique_ptr<ASN1_OBJECT, openssl::Freed<ASN1_OBJECT_free>>;
  const Object object(OBJ_txt2obj(std::string(oid).c_str(), 1));
  if (!object) return -1;
  const int index = X509_get_ext_by_OBJ(x509, object.get(), -1);
  if (index < 0) return -1;
  return X509_get_ext_by_OBJ(x509, object.get(), index) >= 0 ? -2 : index;
}

}  // namespace

bool ExtendedKeyUsage::Has(std::string_view purpose) const {
  return std::find(purposes.begin(), purposes.end(), purpose) != purposes.end();
}

SignatureResult<CertificateUsage> UsageOf(const Certificate& certificate) {
  const QuietErrors quiet;
  const openssl::X509Certificate x509(certificate.Decoded());
  if (!x509) return Malformed("no memory for a certificate");
  CertificateUsage usage;
  auto key_usage = ReadKeyUsage(x509.get());
  if (!key_usage) return tl::unexpected(key_usage.error());
  usage.key_usage = *key_usage;
  auto extended = ReadExtendedKeyUsage(x509.get());
  if (!extended) return tl::unexpected(extended.error());
  usage.extended = *std::move(extended);
  const ReadExtension<BASIC_CONSTRAINTS> constraints(x509.get(), NID_basic_constraints);
  if (constraints.unreadable()) return Malformed("a certificate's basicConstraints");
  usage.basic_constraints = !constraints.missing();
  usage.basic_constraints_critical = constraints.critical == 1;
  BASIC_CONSTRAINTS_free(constraints.value);
  auto names = ReadNames(x509.get());
  if (!names) return tl::unexpected(names.error());
  usage.names = *std::move(names);
  return usage;
}

SignatureResult<std::optional<std::string>> ExtensionOf(const Certificate& certificate,
                                                        std::string_view oid) {
  const QuietErrors quiet;
  const openssl::X509Certificate x509(certificate.Decoded());
  if (!x509) return Malformed("no memory for a certificate");
  const int index = IndexOf(x509.get(), oid);
  if (index == -2) return Malformed("a certificate with an extension that stands there twice");
  if (index < 0) return std::optional<std::string>();
  return std::optional(BytesOf(X509_EXTENSION_get_data(X509_get_ext(x509.get(), index))));
}

SignatureResult<std::string> TbsWithoutExtension(const Certificate& certificate,
                                                 std::string_view oid) {
  const QuietErrors quiet;
  const auto x509 = openssl::DecodeCertificate(certificate.der());
  if (!x509) return Malformed("no memory for a certificate");
  const int index = IndexOf(x509.get(), oid);
  if (index < 0) return Malformed("a certificate without exactly one such extension");
  X509_EXTENSION_free(X509_delete_ext(x509.get(), index));
  unsigned char* bytes = nullptr;
  const int size = i2d_re_X509_tbs(x509.get(), &bytes);
  if (size <= 0) return Malformed("a certificate that cannot be written again");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

SignatureResult<std::vector<NameAttribute>> SubjectOf(const Certificate& certificate) {
  const QuietErrors quiet;
  const openssl::X509Certificate x509(certificate.Decoded());
  if (!x509) return Malformed("no memory for a certificate");
  const X509_NAME* subject = X509_get_subject_name(x509.get());
  std::vector<NameAttribute> attributes;
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
    auto value = Utf8Of(X509_NAME_ENTRY_get_data(entry));
    if (!value) return Malformed("a certificate's subject");
    const int nid = OBJ_obj2nid(type);
    attributes.push_back(
        {nid == NID_undef ? Dotted(type) : std::string(OBJ_nid2sn(nid)), *std::move(value)});
  }
  return attributes;
}

bool IsSelfIssued(const Certificate& certificate) {
  const QuietErrors quiet;
  const openssl::X509Certificate x509(certificate.Decoded());
  return x509 &&
         X509_NAME_cmp(X509_get_subject_name(x509.get()), X509_get_issuer_name(x509.get())) == 0;
}

bool IsSignedBy(const Certificate& certificate, const Certificate& issuer) {
  const QuietErrors quiet;
  const openssl::X509Certificate subject(certificate.Decoded());
  const openssl::X509Certificate signer(issuer.Decoded());
  if (!subject || !signer) return false;
  if (X509_NAME_cmp(X509_get_issuer_name(subject.get()), X509_get_subject_name(signer.get())) !=
      0) {
    return false;
  }
  EVP_PKEY* key = X509_get0_pubkey(signer.get());
  return key != nullptr && X509_verify(subject.get(), key) == 1;
}

}  // namespace crivet::trust
