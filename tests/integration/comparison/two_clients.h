// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/trust_io/temporary_folder.h"

namespace crivet::trust {

/// Answers is what the two clients said to one question, in the words of the table: the text whose
/// hash the digest is (DigestOf("new") is `new`), or `refused` with crivet's reason in brackets;
/// Notary's client may also say `not there`, or end in a `crash`.
struct Answers {
  std::string notary;
  std::string crivet;

  /// Whether both show the same digest, or both refuse without falling over.
  bool Agree() const;
  friend bool operator==(const Answers&, const Answers&) = default;
};

/// TwoClients is a node that has both clients, Notary's and crivet's, each with a folder of its own
/// for what it remembers of the collections of one server. Copies remember the same and go on
/// apart.
class TwoClients {
 public:
  /// Which of Notary's commands asks. `list` is given the roles that crivet's rule reads, in their
  /// order; `lookup` cannot be given any.
  enum class Command { kList, kLookup };

  TwoClients(std::string url, std::string gun, std::string root_key_id);
  TwoClients(const TwoClients& other);
  TwoClients& operator=(const TwoClients&) = delete;

  Answers Ask(const std::string& tag, Command command = Command::kList) const;

  /// From now on both pin these keys. Notary's client, which by itself trusts the first root that
  /// it sees, takes the ID of a certificate alone.
  void Pin(std::string root_key_id);
  /// Puts a file where Notary's client keeps what it has verified.
  void PlantInNotarysCache(const std::string& role, const std::string& bytes) const;

 private:
  std::string AskNotary(const std::string& tag, Command command) const;
  std::string AskCrivet(const std::string& tag) const;
  void Configure() const;

  const std::string url_;
  const std::string gun_;
  std::string root_key_id_;
  bool notary_pins_ = false;
  const TemporaryFolder folder_;
};

}  // namespace crivet::trust
