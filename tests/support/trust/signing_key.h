// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

/// CertificateRequest is what a throw-away certificate shall say.
struct CertificateRequest {
  enum class Role { kLeaf, kAuthority };
  /// Usually one; several or none for the attacks.
  std::vector<std::string> common_names = {};
  TimePoint not_before = TimePoint{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}};
  TimePoint not_after = TimePoint{std::chrono::sys_days{std::chrono::year{2040} / 1 / 1}};
  Role role = Role::kLeaf;
  /// OpenSSL's short names; what Notary's own client writes. Empty: no such extension.
  std::vector<std::string> extended_usages = {"codeSigning"};
  /// Extensions by OpenSSL's short names with any bytes for their value, for the attacks.
  std::vector<std::pair<std::string, std::string>> raw_extensions = {};
  /// The digest of the certificate's own signature.
  std::string digest = "SHA256";
};

/// SigningKey is a throw-away private key with its public half in Notary's form, for signing
/// fixtures in a test. Cheap to copy; copies share the key. Failing to make one ends the test with
/// std::runtime_error.
class SigningKey {
 public:
  /// `curve` is OpenSSL's or NIST's name: P-224, P-256, P-384, P-521, secp256k1.
  static SigningKey Ecdsa(const std::string& curve = "P-256");
  static SigningKey Rsa(unsigned bits = 2048);
  static SigningKey Ed25519();

  /// The same key under a certificate: keytype ecdsa-x509 or rsa-x509, public = the PEM.
  SigningKey SelfSigned(const CertificateRequest& request) const;
  SigningKey IssuedBy(const SigningKey& authority, const CertificateRequest& request) const;
  /// The same key with another PEM text for its public half, e.g. leaf and intermediates.
  SigningKey WithBundle(std::string pem) const;
  /// The same key called another type, for the attacks. Signing still goes by the real one.
  SigningKey CalledType(std::string key_type) const;

  const std::string& key_type() const { return key_type_; }
  /// The bytes that stand in keyval.public as base64.
  const std::string& public_bytes() const { return public_bytes_; }
  std::string base64_public() const;
  /// Its own certificate in PEM; empty for a plain key.
  const std::string& certificate_pem() const { return certificate_pem_; }
  /// The ID by Notary's formula, as hex. Computed here and not by the code under test.
  std::string id() const;
  /// The key as the code under test reads it.
  PublicKey Parsed() const;

  /// The default method of its type: ecdsa, rsapss, eddsa.
  std::string method() const;
  /// The raw signature of the message by that method; rsapkcs1v15 for RSA keys too.
  std::string Sign(std::string_view message) const { return Sign(message, method()); }
  std::string Sign(std::string_view message, const std::string& method, int pss_salt = 32) const;

  /// `{"keytype":...,"keyval":{"private":null,"public":...}}`
  std::string KeyJson() const;
  /// `{"keyid":...,"method":...,"sig":...}` over the message.
  std::string SignatureJson(std::string_view message) const;

 private:
  struct Handle;
  SigningKey() = default;
  SigningKey WithCertificate(const SigningKey& authority, const CertificateRequest& request) const;

  std::shared_ptr<const Handle> handle_;
  std::string key_type_;
  std::string public_bytes_;
  std::string certificate_pem_;
};

}  // namespace crivet::trust
