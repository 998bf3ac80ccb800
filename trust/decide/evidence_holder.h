// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

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
};

}  // namespace crivet::trust
