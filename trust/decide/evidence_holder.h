// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "trust/base/time.h"
#include "trust/decide/refresh.h"

namespace crivet::trust {

/// What a stored file of that size takes of the disk, in blocks as most file systems have them.
constexpr std::size_t StoredSize(std::size_t bytes) {
  constexpr std::size_t kBlock = 4096;
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

/// EvidenceHolder is a trusted set of which parts may go where the disk has to be shared: whoever
/// needs them asks for them again. The sets of kinds that ask for names alone are
/// (Kind::Asks::kNames); of no other set anything can be spared.
class EvidenceHolder {
 public:
  virtual ~EvidenceHolder() = default;
  EvidenceHolder() = default;
  EvidenceHolder(const EvidenceHolder&) = delete;
  EvidenceHolder& operator=(const EvidenceHolder&) = delete;

  enum class Spares : std::uint8_t {
    kWhatIsHere,  ///< lets nothing go that an image on this node may need
    kNothing,
  };
  /// The same without so many bytes of what is stored, by StoredSize, or as many as can go: the
  /// least needed first, and never a floor. Nothing where none goes.
  virtual std::optional<Committed> Without(std::size_t bytes, Spares spares,
                                           TimePoint now) const = 0;

  // What a person has forgotten.

  /// Of how many images it has any.
  virtual std::size_t images() const = 0;
  /// The same without any of it. Floors stay.
  virtual Committed WithoutEvidence() const = 0;
  /// Since when a tag may not be what was signed earlier
  /// (trust/registry_bound/RULES.md#order-of-tags): its own, or what it has together with others.
  struct TagFloor {
    std::optional<TimePoint> own;
    std::optional<TimePoint> with_others;
  };
  virtual TagFloor FloorOf(const std::string& tag) const = 0;
  /// The same without the tag's own.
  virtual Committed WithoutFloorOf(const std::string& tag) const = 0;
};

}  // namespace crivet::trust
