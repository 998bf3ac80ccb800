// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/record.h"

#include <algorithm>

namespace crivet::trust {

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
