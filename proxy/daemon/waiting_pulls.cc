// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/waiting_pulls.h"

namespace crivet::proxy {

std::optional<WaitingPulls::Place> WaitingPulls::Take(const trust::ImageReference& name,
                                                      const trust::Sha256Digest& digest) {
  Place::Of of{std::string(name.domain()), name.repository(),
               name.Canonical() + ' ' + digest.ToString()};
  const std::lock_guard lock(mutex_);
  const auto registry = registries_.find(of.registry);
  static const Registry no_registry;
  const Registry& known = registry == registries_.end() ? no_registry : registry->second;
  const auto repository = known.repositories.find(of.repository);
  static const Repository no_repository;
  const Repository& asked =
      repository == known.repositories.end() ? no_repository : repository->second;
  const bool is_shared = asked.contains(of.question);
  if (!is_shared && !HasRoom(known, asked)) return std::nullopt;

  Registry& taking = registries_[of.registry];
  ++taking.repositories[of.repository][of.question];
  if (!is_shared) {
    ++taking.taken;
    ++taken_;
  }
  return Place(*this, std::move(of));
}

bool WaitingPulls::HasRoom(const Registry& registry, const Repository& repository) const {
  const std::size_t of_registry = (most_ - (taken_ - registry.taken)) / 2;
  if (registry.taken >= of_registry) return false;
  // Of an odd number the last is anybody's.
  const std::size_t left = of_registry - (registry.taken - repository.size());
  return repository.size() < (left + 1) / 2;
}

void WaitingPulls::GiveBack(const Place::Of& of) {
  const std::lock_guard lock(mutex_);
  const auto registry = registries_.find(of.registry);
  const auto repository = registry->second.repositories.find(of.repository);
  const auto question = repository->second.find(of.question);
  if (--question->second > 0) return;
  repository->second.erase(question);
  if (repository->second.empty()) registry->second.repositories.erase(repository);
  --taken_;
  if (--registry->second.taken == 0) registries_.erase(registry);
}

}  // namespace crivet::proxy
