// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/evidence_use.h"

#include <algorithm>
#include <utility>

namespace crivet::trust::registry_bound {

// Under the lock.
EvidenceUse::OfImage& EvidenceUse::Used(const Sha256Digest& image) {
  // Some are of sets that were never committed.
  if (images_.size() >= 2 * kKept && !images_.contains(image)) {
    std::vector<std::uint64_t> uses;
    uses.reserve(images_.size());
    for (const auto& [known, use] : images_) uses.push_back(use.last);
    const auto kept = uses.end() - static_cast<std::ptrdiff_t>(kKept);
    std::nth_element(uses.begin(), kept, uses.end());
    std::erase_if(images_, [least = *kept](const auto& use) { return use.second.last < least; });
  }
  OfImage& use = images_[image];
  use.last = ++tick_;
  return use;
}

void EvidenceUse::NoteCame(const Sha256Digest& image, const Sha256& signature, TimePoint now) {
  const std::lock_guard lock(mutex_);
  newest_ = std::max(newest_, now);
  OfImage& use = Used(image);
  use.here = std::max(use.here, now);
  use.signatures[signature].last = tick_;
}

void EvidenceUse::NoteAsked(const Sha256Digest& image, AskedAs as, TimePoint now) {
  const std::lock_guard lock(mutex_);
  newest_ = std::max(newest_, now);
  OfImage& use = Used(image);
  if (as == AskedAs::kHere) use.here = std::max(use.here, now);
}

void EvidenceUse::NoteCounted(const Sha256Digest& image, const Sha256& signature,
                              const Sha256& demand) {
  const std::lock_guard lock(mutex_);
  OfSignature& use = Used(image).signatures[signature];
  use.last = tick_;
  if (use.demands.size() >= kMaxDemands && !use.demands.contains(demand)) use.demands.clear();
  use.demands.insert(demand);
}

EvidenceUse::OfImage EvidenceUse::Of(const Sha256Digest& image) const {
  const std::lock_guard lock(mutex_);
  const auto found = images_.find(image);
  return found == images_.end() ? OfImage{} : found->second;
}

void EvidenceUse::Drop(const Sha256Digest& image) {
  const std::lock_guard lock(mutex_);
  images_.erase(image);
}

void EvidenceUse::Drop(const Sha256Digest& image, const Sha256& signature) {
  const std::lock_guard lock(mutex_);
  const auto found = images_.find(image);
  if (found != images_.end()) found->second.signatures.erase(signature);
}

TimePoint EvidenceUse::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

LeastNeeded::LeastNeeded(std::vector<Weighed> images) {
  // What satisfied nobody yet is one group of its own.
  constexpr Sha256 kNobodys{};
  std::map<Sha256, std::size_t> numbers;
  candidates_.reserve(images.size());
  for (Weighed& image : images) {
    Candidate candidate{std::move(image), {}};
    std::set<Sha256> demands = candidate.weighed.demands;
    if (demands.empty()) demands.insert(kNobodys);
    for (const Sha256& demand : demands) {
      const std::size_t number = numbers.emplace(demand, numbers.size()).first->second;
      weights_.resize(numbers.size());
      weights_[number] += candidate.weighed.bytes;
      candidate.groups.push_back(number);
    }
    candidates_.push_back(std::move(candidate));
  }
}

std::size_t LeastNeeded::WeightOf(const Candidate& candidate) const {
  std::size_t least = weights_[candidate.groups.front()];
  for (const std::size_t group : candidate.groups) least = std::min(least, weights_[group]);
  return least;
}

bool LeastNeeded::GoesBefore(const Candidate& a, const Candidate& b) const {
  if (a.weighed.here != b.weighed.here) return b.weighed.here;
  const std::size_t weight_of_a = WeightOf(a);
  const std::size_t weight_of_b = WeightOf(b);
  return weight_of_a != weight_of_b ? weight_of_a > weight_of_b : a.weighed.last < b.weighed.last;
}

const Weighed* LeastNeeded::Next() {
  Candidate* first = nullptr;
  for (Candidate& candidate : candidates_) {
    if (!candidate.gone && (first == nullptr || GoesBefore(candidate, *first))) first = &candidate;
  }
  if (first == nullptr) return nullptr;
  first->gone = true;
  for (const std::size_t group : first->groups) weights_[group] -= first->weighed.bytes;
  return &first->weighed;
}

}  // namespace crivet::trust::registry_bound
