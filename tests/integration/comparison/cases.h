// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/integration/comparison/collection_server.h"
#include "tests/integration/comparison/record_book.h"
#include "tests/support/trust/signing_repository.h"

namespace crivet::trust {

/// The collection that most cases start from. `before` is what a warm node has verified: 1.0 is
/// `old` in `targets/releases` and `of targets` in `targets`. In the edition after it 1.0 is `new`
/// in `targets/releases`, and targets and root are signed anew.
struct Editions {
  Editions();
  SigningRepository before;
  /// The edition after, not published yet: a case adds what is wrong with it.
  SigningRepository After() const;
};

/// What is served to a node that knows nothing, and to one that knows the edition before, twice.
struct Attack {
  std::string name;
  SigningRepository served;
  CollectionServer::Bend bend = nullptr;
};

/// Every role, damaged in every way, under hashes that fit and under hashes that do not.
std::vector<Attack> Damages(const Editions& editions);
/// What holders of keys and of the server can do.
std::vector<Attack> AttacksByKeyHolders(const Editions& editions);
/// Answers that are no file of Notary's server, for the timestamp.
std::vector<Attack> BentAnswers(const Editions& editions);

/// Cases that change what a node pins or has stored.
void ComparePins(CollectionServer& server, const Editions& editions, RecordBook& book);
/// Cases that the real server and a publisher with Notary's client make.
void CompareWithRealServer(RecordBook& book);

}  // namespace crivet::trust
