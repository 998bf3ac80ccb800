// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/timestamp_token.h"

#include <openssl/ts.h>

#include <optional>
#include <utility>

#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;

namespace {

constexpr std::size_t kMaxTokenSize = 64 * 1024;

tl::unexpected<SignatureError> Bad(std::string detail) {
  return RefuseSignature(SignatureReason::kTimestamp, "timestamp: " + std::move(detail));
}

void FreeCertificates(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
void FreeView(STACK_OF(X509) * stack) { sk_X509_free(stack); }
using Certificates = std::unique_ptr<STACK_OF(X509), openssl::Freed<FreeCertificates>>;
using CertificatesView = std::unique_ptr<STACK_OF(X509), openssl::Freed<FreeView>>;
using Pkcs7 = std::unique_ptr<PKCS7, openssl::Freed<PKCS7_free>>;
using TokenInfo = std::unique_ptr<TS_TST_INFO, openssl::Freed<TS_TST_INFO_free>>;
using Response = std::unique_ptr<TS_RESP, openssl::Freed<TS_RESP_free>>;
using VerifyContext = std::unique_ptr<TS_VERIFY_CTX, openssl::Freed<TS_VERIFY_CTX_free>>;

// Seconds, and one more where there is a fraction. Beyond a day nobody can mean it.
std::optional<std::chrono::seconds> AccuracyOf(const TS_ACCURACY* accuracy) {
  constexpr long kMost = 24L * 60 * 60;
  if (accuracy == nullptr) return std::chrono::seconds(0);
  const ASN1_INTEGER* seconds = TS_ACCURACY_get_seconds(accuracy);
  const long whole = seconds == nullptr ? 0 : ASN1_INTEGER_get(seconds);
  if (whole < 0 || whole > kMost) return std::nullopt;
  const bool fraction =
      TS_ACCURACY_get_millis(accuracy) != nullptr || TS_ACCURACY_get_micros(accuracy) != nullptr;
  return std::chrono::seconds(whole + (fraction ? 1 : 0));
}

// RFC 3161 2.4.2, messageImprint. SHA-1 and its like would let other bytes be meant.
bool HasImprintOf(TS_TST_INFO* info, std::string_view stamped) {
  TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const EVP_MD* digest = nullptr;
  switch (OBJ_obj2nid(algorithm)) {
    case NID_sha256:
      digest = EVP_sha256();
      break;
    case NID_sha384:
      digest = EVP_sha384();
      break;
    case NID_sha512:
      digest = EVP_sha512();
      break;
    default:
      return false;
  }
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(stamped.data(), stamped.size(), hash, &size, digest, nullptr) != 1) return false;
  const ASN1_OCTET_STRING* found = TS_MSG_IMPRINT_get_msg(imprint);
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(found));
  return std::string_view(bytes, static_cast<std::size_t>(ASN1_STRING_length(found))) ==
         std::string_view(reinterpret_cast<const char*>(hash), size);
}

SignatureResult<Certificate> SignerOf(PKCS7* token, STACK_OF(X509) * known) {
  const CertificatesView signers(PKCS7_get0_signers(token, known, 0));
  if (!signers || sk_X509_num(signers.get()) != 1) return Bad("no certificate of its signer");
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(sk_X509_value(signers.get(), 0), &bytes);
  if (size <= 0) return Bad("no memory");
  const std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  auto certificate = Certificate::FromDer(der);
  if (!certificate) return tl::unexpected(certificate.error());
  return *std::move(certificate);
}

// The trusted certificates, with the time at which a path has to hold.
openssl::X509Store StoreOf(const CertificateSet& anchors, TimePoint time) {
  openssl::X509Store store(X509_STORE_new());
  if (!store) return nullptr;
  for (const Certificate& anchor : anchors.certificates()) {
    const openssl::X509Certificate read(anchor.Decoded());
    if (!read || X509_STORE_add_cert(store.get(), read.get()) != 1) return nullptr;
  }
  constexpr int kSecurityLevel = 2;
  constexpr int kMaxIntermediates = 8;
  X509_VERIFY_PARAM* const parameters = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(parameters, time.time_since_epoch().count());
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_depth(parameters, kMaxIntermediates);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

}  // namespace

SignatureResult<std::string> TokenOf(std::string_view response) {
  const QuietErrors quiet;
  if (response.empty() || response.size() > kMaxTokenSize) return Bad("its size");
  const auto* at = reinterpret_cast<const unsigned char*>(response.data());
  const Response read(d2i_TS_RESP(nullptr, &at, static_cast<long>(response.size())));
  if (!read || at != reinterpret_cast<const unsigned char*>(response.data()) + response.size()) {
    return Bad("not a TimeStampResp");
  }
  const ASN1_INTEGER* status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(read.get()));
  const long number = ASN1_INTEGER_get(status);
  if (number != TS_STATUS_GRANTED && number != TS_STATUS_GRANTED_WITH_MODS) {
    return Bad("the authority did not grant it");
  }
  PKCS7* token = TS_RESP_get_token(read.get());
  if (token == nullptr) return Bad("a response without a token");
  unsigned char* bytes = nullptr;
  const int size = i2d_PKCS7(token, &bytes);
  if (size <= 0) return Bad("a token that cannot be written again");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

SignatureResult<VerifiedTimestamp> VerifyTimestamp(std::string_view token, std::string_view stamped,
                                                   const std::vector<Certificate>& known,
                                                   const CertificateSet& anchors) {
  const QuietErrors quiet;
  if (token.empty() || token.size() > kMaxTokenSize) return Bad("its size");
  const auto* at = reinterpret_cast<const unsigned char*>(token.data());
  const Pkcs7 pkcs7(d2i_PKCS7(nullptr, &at, static_cast<long>(token.size())));
  if (!pkcs7 || at != reinterpret_cast<const unsigned char*>(token.data()) + token.size() ||
      PKCS7_type_is_signed(pkcs7.get()) == 0 || PKCS7_get_detached(pkcs7.get()) != 0) {
    return Bad("not a TimeStampToken");
  }
  const TokenInfo info(PKCS7_to_TS_TST_INFO(pkcs7.get()));
  if (!info) return Bad("not a TimeStampToken");
  const auto time = openssl::TimeOf(TS_TST_INFO_get_time(info.get()));
  const auto accuracy = AccuracyOf(TS_TST_INFO_get_accuracy(info.get()));
  if (!time || !accuracy) return Bad("a time that cannot be read");
  if (!HasImprintOf(info.get(), stamped)) return Bad("it is over other bytes");

  Certificates certificates(sk_X509_new_null());
  if (!certificates) return Bad("no memory");
  for (const Certificate& certificate : known) {
    openssl::X509Certificate read(certificate.Decoded());
    if (!read || sk_X509_push(certificates.get(), read.get()) <= 0) return Bad("no memory");
    static_cast<void>(read.release());  // the stack's
  }
  auto signer = SignerOf(pkcs7.get(), certificates.get());
  if (!signer) return tl::unexpected(signer.error());
  auto store = StoreOf(anchors, *time);
  const VerifyContext context(TS_VERIFY_CTX_new());
  if (!store || !context) return Bad("no memory");
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE);
  // The context takes both. OpenSSL 3.4 gave the calls other names, which also free what was there
  // before: nothing.
#if OPENSSL_VERSION_PREREQ(3, 4)
  TS_VERIFY_CTX_set0_store(context.get(), store.release());
  TS_VERIFY_CTX_set0_certs(context.get(), certificates.release());
#else
  TS_VERIFY_CTX_set_store(context.get(), store.release());
  TS_VERIFY_CTX_set_certs(context.get(), certificates.release());
#endif
  if (TS_RESP_verify_token(context.get(), pkcs7.get()) != 1) {
    return Bad("its signature or the path of its certificates does not verify");
  }
  return VerifiedTimestamp{*time, *accuracy, *std::move(signer)};
}

}  // namespace crivet::trust
