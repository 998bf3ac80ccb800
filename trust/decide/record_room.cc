// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/record_room.h"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

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

}  // namespace crivet::trust
