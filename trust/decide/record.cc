// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/record.h"

#include <algorithm>
#include <utility>

#include "trust/base/limits.h"
#include "trust/decide/withdrawn.h"
#include "trust/signed/authorized_keys.h"
#include "trust/tuf/entry_fault.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

// Whether the keys that had signed a role are still listed for it, all of them, and would still be
// enough.
bool KeysHold(const RoleName& role, const std::vector<KeyId>& keys, const Repository& repository) {
  const AuthorizedKeys* const today = repository.KeysOf(role);
  return today != nullptr && !keys.empty() && today->StillBinds({keys.begin(), keys.end()});
}

bool EveryKeyHolds(const VerifiedRecord& record, const Repository& repository) {
  return std::all_of(
      record.vouching.begin(), record.vouching.end(),
      [&repository](const auto& entry) { return KeysHold(entry.first, entry.second, repository); });
}

// Links before the one that the pin matches prove nothing: whoever serves them can sign the
// matching one in their name.
bool RootIsAccepted(const VerifiedRecord& record, const Repository& repository,
                    const PinMatch& match) {
  const auto& chain = repository.chain();
  for (std::size_t link = match.link; link < chain.size(); ++link) {
    if (chain[link].signed_sha256 == record.root) return true;
  }
  return false;
}

bool AnyLists(const std::vector<RoleName>& roles, const std::string& tag,
              const Repository& repository) {
  return std::any_of(roles.begin(), roles.end(),
                     [&](const RoleName& role) { return Lists(repository, role, tag); });
}

}  // namespace

Standing StandingOf(const VerifiedRecord& record, const Rule& rule, const Repository& repository,
                    const PinMatch& match) {
  if (IsWithdrawn(record)) return Standing::kWithdrawn;
  if (!AnyLists(rule.roles, record.tag, repository)) return Standing::kWithdrawn;
  if (!RootIsAccepted(record, repository, match)) return Standing::kNotAccepted;

  bool has_role = false;
  for (const RoleName& role : rule.roles) {
    const auto vouched = record.vouching.find(role);
    if (vouched == record.vouching.end()) continue;
    if (!KeysHold(role, vouched->second, repository)) return Standing::kNotAccepted;
    has_role = true;
  }
  if (!has_role) return Standing::kNotAccepted;

  for (const RoleName& signer : rule.signers) {
    const auto vouched = record.vouching.find(signer);
    if (vouched == record.vouching.end() || !KeysHold(signer, vouched->second, repository)) {
      return Standing::kNotAccepted;
    }
    // A signer who no longer lists the tag has taken the signature back.
    if (!Lists(repository, signer, record.tag)) return Standing::kWithdrawn;
  }
  return Standing::kStands;
}

Records RecordsAfter(Records records, const Repository& repository) {
  const std::vector<RoleName> read(repository.roles_read().begin(), repository.roles_read().end());
  std::erase_if(records, [&](const VerifiedRecord& record) {
    return IsWithdrawn(record) && AnyLists(read, record.tag, repository);
  });
  const RootLink& newest = repository.chain().back();
  const std::vector<KeyId> newest_signers(newest.signers.begin(), newest.signers.end());
  for (VerifiedRecord& record : records) {
    if (!AnyLists(read, record.tag, repository)) Withdraw(record);
    if (IsWithdrawn(record) || record.root == newest.signed_sha256 ||
        !RootIsAccepted(record, repository, PinMatch{.link = 0}) ||
        !EveryKeyHolds(record, repository)) {
      continue;
    }
    record.root = newest.signed_sha256;
    record.root_signers = newest_signers;
  }
  return records;
}

Records WithRecord(Records records, VerifiedRecord record) {
  const auto says_no_more = [&record](const VerifiedRecord& earlier) {
    return earlier.tag == record.tag && earlier.digest == record.digest &&
           std::all_of(earlier.vouching.begin(), earlier.vouching.end(),
                       [&](const auto& entry) { return record.vouching.contains(entry.first); });
  };
  const auto same = std::find_if(records.begin(), records.end(), says_no_more);
  if (same != records.end()) {
    record.recorded_at = same->recorded_at;
    if (*same == record) return records;
    std::erase_if(records, says_no_more);
  }
  records.push_back(std::move(record));
  constexpr std::size_t kMost = Limits{}.records;
  while (records.size() > kMost) {
    const auto withdrawn = std::find_if(records.begin(), records.end(), IsWithdrawn);
    if (withdrawn == records.end()) break;
    records.erase(withdrawn);
  }
  if (records.size() > kMost) {
    records.erase(records.begin(), records.end() - static_cast<Records::difference_type>(kMost));
  }
  return records;
}

}  // namespace crivet::trust
