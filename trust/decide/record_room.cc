// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/record_room.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "trust/base/limits.h"

namespace crivet::trust {
namespace {

/// What one owner has: places in the list of all, the oldest first.
struct Holding {
  std::map<std::string, std::deque<std::size_t>> parts;
  std::size_t count = 0;
};

template <typename Map, typename Size>
typename Map::iterator Largest(Map& map, Size size) {
  return std::max_element(map.begin(), map.end(), [&](const auto& a, const auto& b) {
    return size(a.second) < size(b.second);
  });
}

}  // namespace

void MakeRoom(Records& records, std::size_t left, const OwnerOf& owner_of) {
  if (records.size() <= left) return;
  std::size_t too_many = records.size() - left;
  std::vector<bool> goes(records.size());
  std::map<std::string, Holding> holdings;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (too_many > 0 && IsWithdrawn(records[i])) {
      goes[i] = true;
      --too_many;
      continue;
    }
    RecordOwner owner = owner_of(records[i]);
    Holding& holding = holdings[std::move(owner.who)];
    holding.parts[std::move(owner.what)].push_back(i);
    ++holding.count;
  }
  for (; too_many > 0; --too_many) {
    Holding& largest = Largest(holdings, [](const Holding& one) { return one.count; })->second;
    auto& part = Largest(largest.parts, [](const auto& one) { return one.size(); })->second;
    goes[part.front()] = true;
    part.pop_front();
    --largest.count;
  }
  std::size_t at = 0;
  std::erase_if(records, [&](const VerifiedRecord&) { return goes[at++]; });
}

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

}  // namespace crivet::trust
