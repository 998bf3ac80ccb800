// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"

struct evp_pkey_st;

namespace crivet::trust::sigstore {

// A small Sigstore for tests: keys, certificates with the promise of a certificate transparency
// log, entries of both generations of transparency logs, timestamps, and the trusted root that
// they hang from. Each part is made alone, so that a test can make one of them wrong. What cannot
// be made ends the test with std::runtime_error.

/// MadeKey is a throw-away private key. Cheap to copy; copies share the key.
class MadeKey {
 public:
  static MadeKey P256();
  static MadeKey Ed25519();

  std::string Spki() const;  ///< DER
  std::string Pem() const;
  /// ECDSA in DER over SHA-256, another one each time; or Ed25519.
  std::string Sign(std::string_view bytes) const;
  evp_pkey_st* get() const { return key_.get(); }

 private:
  explicit MadeKey(evp_pkey_st* key);
  std::shared_ptr<evp_pkey_st> key_;
};

/// MadeLog is a log with its key; its ID is the hash of the key.
struct MadeLog {
  MadeKey key;
  std::string host;

  std::string Id() const;
  /// A signed note of a tree of one entry: `origin` is the log's host where nothing else is said.
  std::string Checkpoint(std::string_view root_hash, std::string_view origin) const;
  /// The line of a note by which the log signs `text`.
  std::string NoteLine(std::string_view text) const;
  /// A tlogEntry of the only leaf of a tree; with the log's promise where there is a time.
  nlohmann::json Entry(const std::string& kind, const std::string& version,
                       const nlohmann::json& spec, std::optional<TimePoint> promised,
                       std::uint64_t index = 0) const;
};

/// CertificateWish is what a certificate shall say.
struct CertificateWish {
  enum class Role { kLeaf, kAuthority };
  std::string name = {};  ///< its CN; none where empty
  TimePoint from = {};
  TimePoint until = {};
  Role role = Role::kLeaf;
  std::string purposes = "codeSigning";  ///< OpenSSL's names; none where empty
  std::string subject = {};              ///< a URI, Fulcio's kind of alternative name
  std::string token_issuer = {};         ///< Fulcio's `.1.8`
};

struct MadeCertificate {
  MadeKey key;
  std::string der;
};

MadeCertificate SelfSigned(const CertificateWish& wish);
MadeCertificate IssuedBy(const MadeCertificate& authority, const CertificateWish& wish);

/// PromiseWish is a promise that a certificate log shall have made. Its issuer is the certificate's
/// own where nothing else is said.
struct PromiseWish {
  const MadeLog* log;
  TimePoint time;
  std::string extensions = {};
  std::string issuer_spki = {};
};
MadeCertificate LoggedAndIssuedBy(const MadeCertificate& authority, const CertificateWish& wish,
                                  const std::vector<PromiseWish>& promises);

enum class Embedded { kNoCertificate, kItsCertificate };

/// A TimeStampResp over `stamped`.
std::string MadeTimestamp(const MadeCertificate& authority, std::string_view stamped,
                          TimePoint time, Embedded embedded = Embedded::kNoCertificate);

/// MadePeriod is the `validFor` of a trusted root.
struct MadePeriod {
  std::optional<TimePoint> start;
  std::optional<TimePoint> end;
};

// Elements of a trusted root's lists; and the root.
nlohmann::json LogOfRoot(const MadeLog& log, const MadePeriod& period);
nlohmann::json AuthorityOfRoot(const std::vector<MadeCertificate>& chain, const MadePeriod& period);
nlohmann::json EmptyRoot();

std::string Base64Of(std::string_view bytes);
std::string HexSha256(std::string_view bytes);
std::string RawSha256(std::string_view bytes);
/// PemOf is the certificate's text as logs have it.
std::string PemOf(const MadeCertificate& certificate);

}  // namespace crivet::trust::sigstore
