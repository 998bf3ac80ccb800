// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/record.h"

#include <algorithm>
#include <utility>

#include "trust/base/limits.h"
#include "trust/decide/record_room.h"

namespace crivet::trust {

Records WithRecord(Records records, VerifiedRecord record) {
  const auto says_no_more = [&record](const VerifiedRecord& earlier) {
    return earlier.tag == record.tag && earlier.digest == record.digest &&
           earlier.name == record.name &&
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
  // Those that other parts vouch for are not pushed out by them.
  MakeRoom(records, Limits{}.records, [](const VerifiedRecord& one) {
    RecordOwner owner;
    for (const auto& [part, keys] : one.vouching) owner.who += part + '\n';
    return owner;
  });
  return records;
}

void Withdraw(VerifiedRecord& record) {
  for (auto& [role, keys] : record.vouching) keys.clear();
}

bool IsWithdrawn(const VerifiedRecord& record) {
  return std::all_of(record.vouching.begin(), record.vouching.end(),
                     [](const auto& entry) { return entry.second.empty(); });
}

bool WasTakenBack(const Records& records, std::string_view tag,
                  const std::vector<std::string>& parts) {
  const auto stood_on_one = [&](const VerifiedRecord& record) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const std::string& part) { return record.vouching.contains(part); });
  };
  return std::any_of(records.begin(), records.end(), [&](const VerifiedRecord& record) {
    return record.tag == tag && stood_on_one(record);
  });
}

}  // namespace crivet::trust
