// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/pull_tickets.h"

namespace crivet::proxy {
namespace {

// The runtime drops the tag of a name that has a digest too.
std::string KeyOf(const trust::ImageReference& reference) {
  const auto& digest = reference.digest();
  return digest ? reference.PinnedTo(*digest) : reference.Canonical();
}

}  // namespace

PullTickets::Ticket PullTickets::Hand(std::string_view name) {
  const auto reference = trust::ImageReference::Parse(name);
  std::string key = reference ? KeyOf(*reference) : std::string();
  const std::lock_guard lock(mutex_);
  open_.insert(key);
  return {*this, std::move(key)};
}

bool PullTickets::Admit(const trust::ImageReference& reference,
                        const trust::Sha256Digest& digest) const {
  if (reference.digest() && *reference.digest() != digest) return false;
  const std::string key = KeyOf(reference);
  const std::lock_guard lock(mutex_);
  return open_.contains(key);
}

void PullTickets::TakeBack(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto one = open_.find(key);
  if (one != open_.end()) open_.erase(one);
}

}  // namespace crivet::proxy
