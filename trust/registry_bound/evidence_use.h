// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/time.h"

namespace crivet::trust::registry_bound {

/// EvidenceUse is what the signatures of one repository's images have been good for in this
/// process: which demands each satisfied, in which order, and until when its image counts as here.
/// Thread-safe.
class EvidenceUse {
 public:
  /// So many of the images used last are never forgotten.
  static constexpr std::size_t kKept = 4096;
  /// All that is here is asked about more often than that, whatever becomes of one look at it.
  static constexpr std::chrono::hours kCountsAsHere{2};

  struct OfSignature {
    std::uint64_t last = 0;
    std::set<Sha256> demands = {};  ///< by SignatureDemand::fingerprint
  };
  struct OfImage {
    std::uint64_t last = 0;
    TimePoint here = {};  ///< when it was known to be last
    std::map<Sha256, OfSignature> signatures = {};
  };

  /// It came, to an image that is here or about to be.
  void NoteCame(const Sha256Digest& image, const Sha256& signature, TimePoint now);
  /// Somebody asked about the image: a pull, or about what is here.
  enum class AskedAs : std::uint8_t { kPull, kHere };
  void NoteAsked(const Sha256Digest& image, AskedAs as, TimePoint now);
  /// The demand was satisfied by it.
  void NoteCounted(const Sha256Digest& image, const Sha256& signature, const Sha256& demand);

  /// Zero and nothing where it is not known.
  OfImage Of(const Sha256Digest& image) const;
  void Drop(const Sha256Digest& image);
  void Drop(const Sha256Digest& image, const Sha256& signature);
  /// The latest moment that it was told of.
  TimePoint newest() const;

 private:
  // Rules change, and each reading of a trusted root is another demand.
  static constexpr std::size_t kMaxDemands = 64;

  OfImage& Used(const Sha256Digest& image);

  mutable std::mutex mutex_;
  std::uint64_t tick_ = 0;
  TimePoint newest_{};
  std::map<Sha256Digest, OfImage> images_;
};

/// Weighed is one image's evidence, as it is weighed against that of others.
struct Weighed {
  Sha256Digest image;
  std::size_t bytes = 0;
  bool here = false;
  std::uint64_t last = 0;
  std::set<Sha256> demands = {};  ///< that it satisfied; none where that is not known
};

/// LeastNeeded is in which order evidence goes where there is too much of it
/// (trust/registry_bound/RULES.md#evidence): what is not here before what is; of these, what
/// belongs to the demand that holds the most; of that, what was used least recently. What satisfies
/// several demands belongs to the one of them that holds the least. So whoever makes much of what
/// one demand accepts pushes out nothing of another's that holds less.
class LeastNeeded {
 public:
  explicit LeastNeeded(std::vector<Weighed> images);

  /// Null once all have been named. Lives as long as this object.
  const Weighed* Next();

 private:
  struct Candidate {
    Weighed weighed;
    std::vector<std::size_t> groups;
    bool gone = false;
  };
  std::size_t WeightOf(const Candidate& candidate) const;
  bool GoesBefore(const Candidate& a, const Candidate& b) const;

  std::vector<Candidate> candidates_;
  std::vector<std::size_t> weights_;  ///< of each group
};

}  // namespace crivet::trust::registry_bound
