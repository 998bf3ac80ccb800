// SPDX-License-Identifier: Apache-2.0
// What records of a Notary v1 collection are worth: Repository::StandingOf and RecordsAfter.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trust/notary/notary_demand.h"
#include "trust/notary/repository.h"
#include "trust/notary/repository_parts.h"
#include "trust/signed/authorized_keys.h"
#include "trust/tuf/age.h"

namespace crivet::trust {
namespace {

// Whether the keys that had signed a role are still listed for it, all of them, and would still be
// enough.
bool KeysHold(const RoleName& role, const std::vector<std::string>& keys,
              const Repository& repository) {
  const AuthorizedKeys* const today = repository.KeysOf(role);
  std::set<KeyId> signers;
  for (const std::string& text : keys) {
    const Result<KeyId> id = KeyId::Parse(text);
    if (!id) return false;
    signers.insert(*id);
  }
  return today != nullptr && !signers.empty() && today->StillBinds(signers);
}

bool EveryKeyHolds(const VerifiedRecord& record, const Repository& repository) {
  return std::all_of(record.vouching.begin(), record.vouching.end(), [&](const auto& entry) {
    const Result<RoleName> role = RoleName::Parse(entry.first);
    return role && KeysHold(*role, entry.second, repository);
  });
}

// Links before the one that the pin matches prove nothing: whoever serves them can sign the
// matching one in their name.
bool RootIsAccepted(const VerifiedRecord& record, const Repository& repository,
                    const PinMatch& match) {
  const auto& chain = repository.chain();
  for (std::size_t link = match.link; link < chain.size(); ++link) {
    if (chain[link].signed_sha256 == record.anchor) return true;
  }
  return false;
}

template <typename Roles>
bool AnyLists(const Roles& roles, const std::string& tag, const Repository& repository) {
  return std::any_of(roles.begin(), roles.end(),
                     [&](const RoleName& role) { return repository.Lists(role, tag); });
}

}  // namespace

Standing Repository::StandingOf(const VerifiedRecord& record, const Demand& demand,
                                TimePoint now) const {
  const NotaryDemand& wanted = AsNotary(demand);
  const std::optional<PinMatch> match = Match(wanted.root, now);
  if (!match) return Standing::kNotAccepted;
  if (IsWithdrawn(record)) return Standing::kWithdrawn;
  if (!AnyLists(wanted.roles, record.tag, *this)) return Standing::kWithdrawn;
  if (!RootIsAccepted(record, *this, *match)) return Standing::kNotAccepted;

  bool has_role = false;
  for (const RoleName& role : wanted.roles) {
    const auto vouched = record.vouching.find(role.text());
    if (vouched == record.vouching.end()) continue;
    if (!KeysHold(role, vouched->second, *this)) return Standing::kNotAccepted;
    has_role = true;
  }
  if (!has_role) return Standing::kNotAccepted;

  for (const RoleName& signer : wanted.signers) {
    const auto vouched = record.vouching.find(signer.text());
    if (vouched == record.vouching.end() || !KeysHold(signer, vouched->second, *this)) {
      return Standing::kNotAccepted;
    }
    // A signer who no longer lists the tag has taken the signature back.
    if (!Lists(signer, record.tag)) return Standing::kWithdrawn;
  }
  return Standing::kStands;
}

// One whose root is in the chain and whose keys the newest root still covers hangs from the newest
// root from then on, so that a pin of the new root alone does not void it.
Records Repository::RecordsAfter(Records records) const {
  std::erase_if(records, [&](const VerifiedRecord& record) {
    return IsWithdrawn(record) && AnyLists(roles_read(), record.tag, *this);
  });
  const RootLink& newest = chain().back();
  const std::vector<std::string> newest_signers = TextsOf(newest.signers);
  for (VerifiedRecord& record : records) {
    if (!AnyLists(roles_read(), record.tag, *this)) Withdraw(record);
    if (IsWithdrawn(record) || record.anchor == newest.signed_sha256 ||
        !RootIsAccepted(record, *this, PinMatch{.link = 0}) || !EveryKeyHolds(record, *this)) {
      continue;
    }
    record.anchor = newest.signed_sha256;
    record.anchor_signers = newest_signers;
  }
  return records;
}

}  // namespace crivet::trust
