// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/made_sigstore.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust::sigstore {
namespace {

using Json = nlohmann::json;

template <auto kFree>
struct FreedBy {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
template <typename T, auto kFree>
using Held = std::unique_ptr<T, FreedBy<kFree>>;
using HeldX509 = Held<X509, X509_free>;

void Want(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("cannot make ") + what);
}

template <typename T, typename ToDer>
std::string DerBy(T* object, ToDer to_der) {
  unsigned char* bytes = nullptr;
  const int size = to_der(object, &bytes);
  Want(size > 0, "DER");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

HeldX509 Decode(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  HeldX509 x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  Want(x509 != nullptr, "a certificate of its DER");
  return x509;
}

std::string TextOf(BIO* out) {
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out, &text);
  return {text, static_cast<std::size_t>(size)};
}

void AddByName(X509* x509, int nid, const std::string& value) {
  const Held<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  Want(extension && X509_add_ext(x509, extension.get(), -1) == 1, "an extension");
}

void AddByOid(X509* x509, const char* oid, const std::string& bytes) {
  const Held<ASN1_OBJECT, ASN1_OBJECT_free> id(OBJ_txt2obj(oid, 1));
  const Held<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                        static_cast<int>(bytes.size()));
  const Held<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 0, value.get()));
  Want(extension && X509_add_ext(x509, extension.get(), -1) == 1, "an extension");
}

std::string BigEndian(std::uint64_t number, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = size; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number & 0xff);
  return bytes;
}

std::string WithSize(std::string_view bytes, std::size_t width) {
  return BigEndian(bytes.size(), width).append(bytes);
}

// A DER value of less than 64 KiB with that tag.
std::string Tagged(char tag, const std::string& bytes) {
  std::string der(1, tag);
  if (bytes.size() < 0x80) return der + BigEndian(bytes.size(), 1) + bytes;
  return der + '\x82' + WithSize(bytes, 2);
}

// Everything but the signature, and the promises of certificate logs.
HeldX509 Unsigned(const MadeKey& key, const X509_NAME* issuer, const CertificateWish& wish) {
  HeldX509 x509(X509_new());
  X509_set_version(x509.get(), X509_VERSION_3);
  unsigned char serial[8] = {};
  RAND_bytes(serial, sizeof serial);
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3f) | 0x40);
  const Held<BIGNUM, BN_free> number(BN_bin2bn(serial, sizeof serial, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509.get()));
  ASN1_TIME_set(X509_getm_notBefore(x509.get()), wish.from.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(x509.get()), wish.until.time_since_epoch().count());
  if (!wish.name.empty()) {
    X509_NAME_add_entry_by_NID(X509_get_subject_name(x509.get()), NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.name.data()),
                               static_cast<int>(wish.name.size()), -1, 0);
  }
  X509_set_issuer_name(x509.get(), issuer != nullptr ? issuer : X509_get_subject_name(x509.get()));
  X509_set_pubkey(x509.get(), key.get());
  const bool authority = wish.role == CertificateWish::Role::kAuthority;
  if (authority) AddByName(x509.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddByName(x509.get(), NID_key_usage,
            authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!wish.purposes.empty()) AddByName(x509.get(), NID_ext_key_usage, wish.purposes);
  if (!wish.subject.empty()) {
    AddByName(x509.get(), NID_subject_alt_name, "critical,URI:" + wish.subject);
  }
  constexpr char kUtf8 = 0x0c;
  if (!wish.token_issuer.empty()) {
    AddByOid(x509.get(), "1.3.6.1.4.1.57264.1.8", Tagged(kUtf8, wish.token_issuer));
  }
  return x509;
}

std::string SignedDer(X509* x509, const MadeKey& by) {
  Want(X509_sign(x509, by.get(), EVP_sha256()) > 0, "a certificate's signature");
  return DerBy(x509, i2d_X509);
}

// RFC 6962 3.2: what the log signs, then the SignedCertificateTimestamp.
std::string Promise(const PromiseWish& wish, const std::string& issuer_spki,
                    const std::string& tbs) {
  const auto milliseconds = static_cast<std::uint64_t>(wish.time.time_since_epoch().count()) * 1000;
  const std::string& spki = wish.issuer_spki.empty() ? issuer_spki : wish.issuer_spki;
  const std::string about = BigEndian(0, 2) + BigEndian(milliseconds, 8) + BigEndian(1, 2) +
                            RawSha256(spki) + WithSize(tbs, 3) + WithSize(wish.extensions, 2);
  return BigEndian(0, 1) + wish.log->Id() + BigEndian(milliseconds, 8) +
         WithSize(wish.extensions, 2) + "\x04\x03" + WithSize(wish.log->key.Sign(about), 2);
}

std::string Rfc3339(TimePoint time) { return FormatRfc3339(time); }

Json PeriodJson(const MadePeriod& period) {
  Json json = Json::object();
  if (period.start) json["start"] = Rfc3339(*period.start);
  if (period.end) json["end"] = Rfc3339(*period.end);
  return json;
}

// The time of the timestamp that is being made.
int SayTime(TS_RESP_CTX*, void* time, long* seconds, long* microseconds) {
  *seconds = static_cast<long>(static_cast<const TimePoint*>(time)->time_since_epoch().count());
  *microseconds = 0;
  return 1;
}

ASN1_INTEGER* SaySerial(TS_RESP_CTX*, void*) {
  ASN1_INTEGER* serial = ASN1_INTEGER_new();
  ASN1_INTEGER_set(serial, 7);
  return serial;
}

// RFC 3161 2.4.1
std::string TimestampRequest(std::string_view stamped, Embedded embedded) {
  const Held<TS_REQ, TS_REQ_free> request(TS_REQ_new());
  const Held<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free> imprint(TS_MSG_IMPRINT_new());
  const Held<X509_ALGOR, X509_ALGOR_free> algorithm(X509_ALGOR_new());
  X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr);
  TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get());
  std::string hash = RawSha256(stamped);
  TS_MSG_IMPRINT_set_msg(imprint.get(), reinterpret_cast<unsigned char*>(hash.data()),
                         static_cast<int>(hash.size()));
  TS_REQ_set_version(request.get(), 1);
  TS_REQ_set_msg_imprint(request.get(), imprint.get());
  TS_REQ_set_cert_req(request.get(), embedded == Embedded::kItsCertificate ? 1 : 0);
  return DerBy(request.get(), i2d_TS_REQ);
}

}  // namespace

MadeKey::MadeKey(evp_pkey_st* key) : key_(key, EVP_PKEY_free) { Want(key != nullptr, "a key"); }
MadeKey MadeKey::P256() { return MadeKey(EVP_EC_gen("P-256")); }
MadeKey MadeKey::Ed25519() { return MadeKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

std::string MadeKey::Spki() const { return DerBy(key_.get(), i2d_PUBKEY); }

std::string MadeKey::Pem() const {
  const Held<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
  Want(PEM_write_bio_PUBKEY(out.get(), key_.get()) == 1, "PEM");
  return TextOf(out.get());
}

std::string MadeKey::Sign(std::string_view bytes) const {
  const bool hashed = EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC;
  const Held<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  Want(EVP_DigestSignInit(context.get(), nullptr, hashed ? EVP_sha256() : nullptr, nullptr,
                          key_.get()) == 1,
       "a signature");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t size = 0;
  Want(EVP_DigestSign(context.get(), nullptr, &size, data, bytes.size()) == 1, "a signature");
  std::string signature(size, '\0');
  Want(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                      data, bytes.size()) == 1,
       "a signature");
  signature.resize(size);
  return signature;
}

std::string MadeLog::Id() const { return RawSha256(key.Spki()); }

std::string MadeLog::NoteLine(std::string_view text) const {
  return "\xe2\x80\x94 " + host + " " + Base64Of(Id().substr(0, 4) + key.Sign(text)) + "\n";
}

std::string MadeLog::Checkpoint(std::string_view root_hash, std::string_view origin) const {
  const std::string text = std::string(origin) + "\n1\n" + Base64Of(root_hash) + "\n";
  return text + "\n" + NoteLine(text);
}

Json MadeLog::Entry(const std::string& kind, const std::string& version, const Json& spec,
                    std::optional<TimePoint> promised, std::uint64_t index) const {
  const std::string body = Json{{"apiVersion", version}, {"kind", kind}, {"spec", spec}}.dump();
  const std::string root = RawSha256(std::string(1, '\0') + body);
  Json entry = {
      {"logIndex", std::to_string(index)},
      {"logId", {{"keyId", Base64Of(Id())}}},
      {"kindVersion", {{"kind", kind}, {"version", version}}},
      {"integratedTime", "0"},
      {"inclusionProof",
       {{"logIndex", "0"},
        {"rootHash", Base64Of(root)},
        {"treeSize", "1"},
        {"hashes", Json::array()},
        {"checkpoint", {{"envelope", Checkpoint(root, host)}}}}},
      {"canonicalizedBody", Base64Of(body)},
  };
  if (!promised) return entry;
  const std::string seconds = std::to_string(promised->time_since_epoch().count());
  const std::string text = R"({"body":")" + Base64Of(body) + R"(","integratedTime":)" + seconds +
                           R"(,"logID":")" + ToHex(AsBytes(Id())) + R"(","logIndex":)" +
                           std::to_string(index) + "}";
  entry["integratedTime"] = seconds;
  entry["inclusionPromise"] = {{"signedEntryTimestamp", Base64Of(key.Sign(text))}};
  return entry;
}

MadeCertificate SelfSigned(const CertificateWish& wish) {
  MadeKey key = MadeKey::P256();
  const HeldX509 x509 = Unsigned(key, nullptr, wish);
  return {key, SignedDer(x509.get(), key)};
}

MadeCertificate IssuedBy(const MadeCertificate& authority, const CertificateWish& wish) {
  return LoggedAndIssuedBy(authority, wish, {});
}

MadeCertificate LoggedAndIssuedBy(const MadeCertificate& authority, const CertificateWish& wish,
                                  const std::vector<PromiseWish>& promises) {
  MadeKey key = MadeKey::P256();
  const HeldX509 issuer = Decode(authority.der);
  const HeldX509 x509 = Unsigned(key, X509_get_subject_name(issuer.get()), wish);
  std::string der = SignedDer(x509.get(), authority.key);
  if (promises.empty()) return {key, der};
  const std::string tbs = DerBy(x509.get(), i2d_re_X509_tbs);
  std::string list;
  for (const PromiseWish& promise : promises) {
    list += WithSize(Promise(promise, authority.key.Spki(), tbs), 2);
  }
  constexpr char kOctets = 0x04;
  AddByOid(x509.get(), "1.3.6.1.4.1.11129.2.4.2", Tagged(kOctets, WithSize(list, 2)));
  return {key, SignedDer(x509.get(), authority.key)};
}

std::string MadeTimestamp(const MadeCertificate& authority, std::string_view stamped,
                          TimePoint time, Embedded embedded) {
  const HeldX509 signer = Decode(authority.der);
  const Held<TS_RESP_CTX, TS_RESP_CTX_free> context(TS_RESP_CTX_new());
  const Held<ASN1_OBJECT, ASN1_OBJECT_free> policy(OBJ_txt2obj("1.3.6.1.4.1.57264.2", 1));
  Want(TS_RESP_CTX_set_signer_cert(context.get(), signer.get()) == 1 &&
           TS_RESP_CTX_set_signer_key(context.get(), authority.key.get()) == 1 &&
           TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256()) == 1 &&
           TS_RESP_CTX_set_ess_cert_id_digest(context.get(), EVP_sha256()) == 1 &&
           TS_RESP_CTX_set_def_policy(context.get(), policy.get()) == 1 &&
           TS_RESP_CTX_add_md(context.get(), EVP_sha256()) == 1,
       "a timestamp");
  TS_RESP_CTX_set_time_cb(context.get(), SayTime, &time);
  TS_RESP_CTX_set_serial_cb(context.get(), SaySerial, nullptr);
  const std::string request = TimestampRequest(stamped, embedded);
  const Held<BIO, BIO_free> in(BIO_new_mem_buf(request.data(), static_cast<int>(request.size())));
  const Held<TS_RESP, TS_RESP_free> response(TS_RESP_create_response(context.get(), in.get()));
  Want(response && TS_RESP_get_token(response.get()) != nullptr, "a timestamp");
  return DerBy(response.get(), i2d_TS_RESP);
}

Json LogOfRoot(const MadeLog& log, const MadePeriod& period) {
  return {{"baseUrl", "https://" + log.host},
          {"hashAlgorithm", "SHA2_256"},
          {"publicKey",
           {{"rawBytes", Base64Of(log.key.Spki())},
            {"keyDetails", "PKIX_ECDSA_P256_SHA_256"},
            {"validFor", PeriodJson(period)}}},
          {"logId", {{"keyId", Base64Of(log.Id())}}}};
}

Json AuthorityOfRoot(const std::vector<MadeCertificate>& chain, const MadePeriod& period) {
  Json certificates = Json::array();
  for (const MadeCertificate& certificate : chain) {
    certificates.push_back({{"rawBytes", Base64Of(certificate.der)}});
  }
  return {{"uri", "https://authority.test"},
          {"certChain", {{"certificates", certificates}}},
          {"validFor", PeriodJson(period)}};
}

Json EmptyRoot() {
  return {{"mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
          {"tlogs", Json::array()},
          {"ctlogs", Json::array()},
          {"certificateAuthorities", Json::array()},
          {"timestampAuthorities", Json::array()}};
}

std::string Base64Of(std::string_view bytes) { return ToBase64(AsBytes(bytes)); }
std::string HexSha256(std::string_view bytes) { return ToHex(Sha256Of(bytes)); }

std::string RawSha256(std::string_view bytes) {
  const Sha256 hash = Sha256Of(bytes);
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::string PemOf(const MadeCertificate& certificate) {
  const Held<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
  Want(PEM_write_bio_X509(out.get(), Decode(certificate.der).get()) == 1, "PEM");
  return TextOf(out.get());
}

}  // namespace crivet::trust::sigstore
