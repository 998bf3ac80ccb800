// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/tuf_publisher.h"

namespace crivet::trust {

/// The image that every client is asked for: `shop` lists it, a role to which `targets` delegates.
inline const std::string kImage = "registry.example/shop/web:1.0";

/// Who asks: what is wrong with one file is the same for all.
enum class Nodes : std::uint8_t { kNew, kNewAndWarm };

/// Edition is what a server has in one case.
struct Edition {
  std::string name;
  TufPublisher served;
  Nodes nodes = Nodes::kNew;
  /// Files for which there is another answer than their bytes, or 404.
  std::map<std::string, int> statuses = {};
};

/// Editions collects them. Each starts from the edition after the one that a warm node has
/// verified: there the image is `new`, and was `old`.
class Editions {
 public:
  Editions();

  const TufPublisher& before() const { return before_; }
  const std::vector<Edition>& list() const { return list_; }

  using Make = std::function<void(TufPublisher&)>;
  /// For a node that knows nothing; the other, for one that has verified the edition before too.
  void Add(std::string name, const Make& make);
  void AddForBoth(std::string name, const Make& make);
  /// Of one role's file, what it says: signed again by its keys, whatever it says then.
  void AddEdited(std::string name, const std::string& role,
                 const std::function<void(TufPublisher::Json&)>& edit, Nodes nodes = Nodes::kNew);
  /// The same of the file as it is served.
  void AddBent(std::string name, const std::string& role,
               const std::function<void(std::string&)>& bend);

  /// The role's file cannot be had. Of root, the next one that a node asks for.
  void AddStatus(std::string name, const std::string& role, int status);

 private:
  void Add(std::string name, const Make& make, Nodes nodes);

  TufPublisher before_;
  std::vector<Edition> list_;
};

/// One of each sort: with keys of its own, online, delegated. Snapshot is read as the timestamp is,
/// targets as `shop`.
const std::vector<std::string>& SomeRoles();
/// The role's file with other content, under its own name. Of root the next version.
void Rewrite(TufPublisher& publisher, const std::string& role,
             const std::function<void(TufPublisher::Json&)>& edit);

/// What is wrong with one file: its content, its signatures, its bytes.
void AddFiles(Editions& editions);
/// Who may sign, and who does.
void AddKeys(Editions& editions);
/// Versions, lengths and hashes that files list of each other.
void AddListings(Editions& editions);
/// Delegations and targets.
void AddNames(Editions& editions);

}  // namespace crivet::trust
