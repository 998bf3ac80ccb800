// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "trust/base/image_reference.h"

namespace crivet::proxy {

/// WaitingPulls are the places of pulls that wait for an answer which memory does not have. A
/// registry may hold as many of them as it leaves to all others, and a repository as many of its
/// registry's as it leaves to the others of that: no registry, and no repository, fills them for
/// the others, ten registries together do (proxy/RULES.md#what-strangers-can-fill). The same
/// question asked again shares the first one's place. Thread-safe; outlives its places.
class WaitingPulls {
 public:
  static constexpr std::size_t kMost = 1024;

  explicit WaitingPulls(std::size_t most = kMost) : most_(most) {}
  WaitingPulls(const WaitingPulls&) = delete;
  WaitingPulls& operator=(const WaitingPulls&) = delete;

  /// Place is one pull's; it is given back with the object.
  class Place {
   public:
    Place(Place&& other) noexcept
        : pulls_(std::exchange(other.pulls_, nullptr)), of_(std::move(other.of_)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (pulls_ != nullptr) pulls_->GiveBack(of_);
    }

   private:
    friend class WaitingPulls;
    struct Of {
      std::string registry;
      std::string repository;
      std::string question;
    };
    Place(WaitingPulls& pulls, Of of) : pulls_(&pulls), of_(std::move(of)) {}
    WaitingPulls* pulls_;
    Of of_;
  };

  /// A place for the question whether `name` may be `digest`; nothing where there is none.
  std::optional<Place> Take(const trust::ImageReference& name, const trust::Sha256Digest& digest);

 private:
  using Repository = std::map<std::string, std::size_t>;  // how often each question is asked
  struct Registry {
    std::size_t taken = 0;
    std::map<std::string, Repository> repositories;
  };

  bool HasRoom(const Registry& registry, const Repository& repository) const;
  void GiveBack(const Place::Of& of);

  const std::size_t most_;
  std::mutex mutex_;
  std::size_t taken_ = 0;
  std::map<std::string, Registry> registries_;  // those that hold something
};

}  // namespace crivet::proxy
