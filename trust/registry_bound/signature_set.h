// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "trust/decide/evidence_holder.h"
#include "trust/decide/trusted_set.h"
#include "trust/registry_bound/evidence_use.h"
#include "trust/registry_bound/signature_demand.h"
#include "trust/registry_bound/signature_dialect.h"
#include "trust/registry_bound/signature_place.h"
#include "trust/registry_bound/stored_signature.h"

namespace crivet::trust::registry_bound {

/// RegistryWord is what a registry answered about one name a moment ago: which digest it is, and of
/// a digest without a good signature under some demand, why.
struct RegistryWord final : NameAnswer {
  explicit RegistryWord(Sha256Digest the_digest) : digest(the_digest) {}
  Sha256Digest digest;
  std::map<Sha256, Error> refused;  ///< by SignatureDemand::fingerprint
};

/// Verdicts remembers what verifying a signature came to, at the time at which it first did. It is
/// a pure function of what the key says, but that a library can run out of memory over it: what was
/// refused is verified again after a minute. Thread-safe.
class Verdicts {
 public:
  SignatureResult<VerifiedSignature> Of(const StoredSignature& stored, const WantedImage& image,
                                        const SignatureDemand& demand, TimePoint now);
  /// Remembers what that was found to be, at its time.
  void Note(const StoredSignature& stored, const WantedImage& image, const SignatureDemand& demand,
            SignatureResult<VerifiedSignature> verdict, TimePoint now);

 private:
  static constexpr std::size_t kMax = 4096;
  static constexpr std::chrono::minutes kRefusalCounts{1};
  using Key = std::tuple<std::string, Sha256, TimePoint, Sha256Digest, Sha256, std::string,
                         std::optional<std::string>>;
  static Key KeyOf(const StoredSignature& stored, const WantedImage& image,
                   const SignatureDemand& demand);
  struct Known {
    SignatureResult<VerifiedSignature> verdict;
    TimePoint at;
    bool Counts(TimePoint now) const { return verdict || (at <= now && now - at < kRefusalCounts); }
  };
  std::mutex mutex_;
  std::map<Key, Known> known_;
};

/// EvidenceFor is whom new evidence of a repository's images comes for.
struct EvidenceFor {
  Demands demands = {};         ///< all that are in use
  std::string repository = {};  ///< the name that was asked about; empty: the repository's own
};

/// SignatureSet is the evidence that this node has of one repository's images: signatures that were
/// good when they were read. It names no tag: which digest a tag is, is the registry's word, and
/// has to be asked for at each pull. What it holds is judged by today's demand each time
/// (trust/registry_bound/RULES.md#evidence). Immutable but for remembered verdicts and uses;
/// thread-safe.
class SignatureSet final : public TrustedSet, public EvidenceHolder {
 public:
  /// For each demand in use, and of those that satisfy none while an image has no more.
  static constexpr std::size_t kMaxOfImage = 4;
  static constexpr std::size_t kMaxImages = EvidenceUse::kKept;
  static constexpr std::size_t kMaxSignatures = kMaxImages * kMaxOfImage;
  static constexpr std::size_t kMaxBytes = std::size_t{64} * 1024 * 1024;

  /// Nothing. The name of the collection is a SignaturePlace; `dialect` lives as long as the
  /// program.
  SignatureSet(CollectionId id, const SignatureDialect& dialect);

  /// With more signatures, just verified. Beyond the caps the least needed go: of one image those
  /// that every demand which they satisfy has enough of without them, of all images what
  /// LeastNeeded says.
  std::shared_ptr<const SignatureSet> With(std::vector<StoredSignature> more,
                                           const EvidenceFor& whom = {}) const;
  /// With what the store has, within the caps of all images. It counts as here until it is known
  /// not to be.
  std::shared_ptr<const SignatureSet> WithStored(std::vector<StoredSignature> stored,
                                                 TimePoint now) const;
  /// With what is known of tags: that time raised, or all of them as the store had them.
  std::shared_ptr<const SignatureSet> WithTagTime(const std::string& tag,
                                                  TimePoint signed_at) const;
  std::shared_ptr<const SignatureSet> WithFloors(Floors floors) const;

  /// The first signature of the image that the demand accepts; else why none is. What ages may have
  /// aged since it was first verified, by that much (trust/registry_bound/RULES.md#ageing).
  struct Aged {
    TimePoint now;
    std::optional<std::chrono::seconds> at_most;  ///< unset: by any time
    /// Within which it has to have been confirmed; zero: ever.
    std::chrono::seconds confirmed_within{0};
  };
  struct Good {
    const StoredSignature* stored;
    VerifiedSignature verified;
    /// Whether it is so; where one is, that one is given.
    bool confirmed = true;
  };
  SignatureResult<Good> GoodOne(const WantedImage& image, const SignatureDemand& demand,
                                const Aged& aged) const;
  /// Whether it has those very bytes of the image, and the demand accepts them.
  bool HasGood(const WantedImage& image, const SignatureBytes& signature,
               const SignatureDemand& demand, const Aged& aged) const;
  /// Spares whoever asks next the verifying of a signature that is about to be held. Precondition:
  /// that is what the demand said of it at its time.
  void NoteVerified(const StoredSignature& stored, const WantedImage& image,
                    const SignatureDemand& demand, VerifiedSignature verified) const {
    verdicts_->Note(stored, image, demand, std::move(verified), stored.first_verified);
  }
  /// When the image was signed, as far as it is proven: the newest time of any signature that the
  /// demand accepts.
  std::optional<TimePoint> SignedAt(const WantedImage& image, const SignatureDemand& demand,
                                    const Aged& aged) const;
  bool Knows(const Sha256Digest& image) const { return images_.contains(image); }
  bool empty() const { return images_.empty(); }
  /// All of it, as the store wants it; `but` that the store has already.
  std::vector<StoredFile> Files(const SignatureSet* stored_already) const;

  const CollectionId& id() const override { return id_; }
  TimePoint verified_at() const override { return verified_at_; }
  Floors floors() const override { return floors_; }
  const Floors& tag_times() const { return floors_; }  ///< the same, without a copy
  std::shared_ptr<const Anchors> anchors() const override;
  std::size_t resident_bytes() const override { return bytes_; }
  std::optional<Committed> Without(std::size_t bytes, Spares spares, TimePoint now) const override;
  std::size_t images() const override { return images_.size(); }
  Committed WithoutEvidence() const override;
  TagFloor FloorOf(const std::string& tag) const override;
  Committed WithoutFloorOf(const std::string& tag) const override;
  Judgement Current(const Asked& asked) const override;
  Standing StandingOf(const VerifiedRecord& record, const Demand& demand,
                      TimePoint now) const override;
  Records RecordsAfter(Records records) const override;
  std::optional<TimePoint> Expires(const Demands& demands) const override;
  SetStatus Status(const Demands& demands, TimePoint now) const override;
  SetExplanation Explain(const ImageReference& reference, const Demand& demand,
                         TimePoint now) const override;

 private:
  SignatureSet(const SignatureSet& before, Floors floors);
  /// What has come of this set.
  Committed Changed(std::shared_ptr<const SignatureSet> set) const;
  SignatureResult<VerifiedSignature> Judged(const StoredSignature& stored, const WantedImage& image,
                                            const SignatureDemand& demand, const Aged& aged) const;
  enum class Added : std::uint8_t { kNotNew, kNew };
  Added Add(StoredSignature signature, TimePoint now);
  TimePoint LatestTime() const;
  void KeepOfImage(const Sha256Digest& image, const EvidenceFor& whom);
  std::set<Sha256> SatisfiedBy(const StoredSignature& stored, const EvidenceUse::OfImage& use,
                               const EvidenceFor& whom) const;
  bool IsWithinCaps() const;
  void KeepWithinCaps();
  std::vector<Weighed> WeighedAt(TimePoint now) const;
  void Remove(const Sha256Digest& image);
  Judgement OfDigest(const Asked& asked, const Sha256Digest& digest) const;
  Judgement Unconfirmed(const StoredSignature& kept, const Asked& asked,
                        const RegistryWord* word) const;
  Judgement OfTag(const Asked& asked, const Sha256Digest& digest) const;

  const CollectionId id_;
  const SignaturePlace place_;
  const SignatureDialect& dialect_;
  Floors floors_;
  /// Never null, never empty; what one image has is shared with the sets before.
  std::map<Sha256Digest, std::shared_ptr<const std::vector<StoredSignature>>> images_;
  std::size_t bytes_ = 0;
  std::size_t signatures_ = 0;
  TimePoint verified_at_{};
  std::shared_ptr<Verdicts> verdicts_;
  std::shared_ptr<EvidenceUse> use_;
};

/// Why a signature is refused, as a decision says it.
Reason ReasonFor(SignatureReason reason);

}  // namespace crivet::trust::registry_bound
