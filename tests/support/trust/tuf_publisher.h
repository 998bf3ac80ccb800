// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/trust/signing_key.h"
#include "trust/base/time.h"
#include "trust/decide/file_request.h"

namespace crivet::trust {

/// TufPublisher is a publisher of TUF 1.0 and its server in memory. Versions, keys and what each
/// role says are data, so that it can make every mistake of a publisher, a server or an attacker
/// with any of the keys, which are Ed25519, RSA or of P-256. Nothing is published before a Publish.
/// Copies are independent: keep one to serve an older edition. Canonical JSON and signatures are
/// made without the code under test.
class TufPublisher {
 public:
  using Json = nlohmann::json;
  static constexpr TimePoint kNow{std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}};

  struct Role {
    std::vector<SigningKey> keys = {SigningKey::Ed25519()};
    std::int64_t threshold = 1;
    std::int64_t version = 0;  ///< of the newest file
    std::string expires = "2040-01-01T00:00:00Z";
    /// Who signs, where that is not all of the keys.
    std::optional<std::vector<SigningKey>> signers = {};
    Json targets = Json::object();
    Json delegations = {};  ///< without `keys`; null: none
    /// Members that are added to the signed part, or stand in place of others.
    Json also = Json::object();
  };

  /// Root 1 and the first edition of all four are published.
  TufPublisher();

  Role& operator[](const std::string& role) { return roles_[role]; }

  /// Adds a target with the SHA-256 of `content`.
  void Sign(const std::string& role, const std::string& name, const std::string& content);
  /// Adds a delegation by name at the end, and the role.
  void Delegate(const std::string& from, const std::string& to, std::vector<std::string> paths,
                bool terminating = false);
  void DelegateBins(const std::string& from, unsigned bit_length, const std::string& prefix);

  /// The next version of those files, signed. Root is also signed by the keys it had before.
  void Publish(const std::vector<std::string>& roles);
  /// The next edition: those targets roles, then snapshot and timestamp.
  void PublishEdition(const std::vector<std::string>& targets_roles = {"targets"});

  /// What a role's file says now, before it is signed.
  Json Content(const std::string& role) const;
  /// A file of any content.
  static std::string Signed(const Json& content, const std::vector<SigningKey>& keys);
  static Json KeyJson(const SigningKey& key);
  static std::string IdOf(const SigningKey& key);

  /// The name of a role's newest file.
  std::string NameOf(const std::string& role) const;
  Fetched Serve(const std::string& file, std::size_t max_bytes);

  bool consistent = true;
  bool lists_hashes = false;
  std::map<std::string, std::string> files;
  std::map<std::string, FetchFailure> failures;
  std::vector<std::string> asked;
  /// What a snapshot says of a role, where that is not the truth.
  std::map<std::string, Json> listed;
  std::set<std::string> unlisted;

 private:
  Json Entry(const std::string& role) const;
  Json RoleJson(const std::string& role) const;

  std::map<std::string, Role> roles_;
  std::vector<SigningKey> root_keys_before_;
};

}  // namespace crivet::trust
