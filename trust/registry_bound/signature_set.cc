// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: what a set keeps, and what it says of that.
#include "trust/registry_bound/signature_set.h"

#include <algorithm>
#include <set>
#include <utility>

#include "trust/base/limits.h"
#include "trust/decide/finding.h"
#include "trust/decide/record_room.h"
#include "trust/signed/first_good.h"

namespace crivet::trust::registry_bound {
namespace {

constexpr std::string_view kPart = "signature";
constexpr std::string_view kDefaultTag = "latest";
// About what one takes beside its bytes: its names and hashes, what it was good for, and what
// verifying it came to, under one demand.
constexpr std::size_t kEntryBytes = 1200;
constexpr std::chrono::hours kTimeAhead{1};

struct NoAnchors final : Anchors {};

std::size_t BytesOf(const StoredSignature& one) {
  return one.signature.bytes().size() + kEntryBytes;
}

std::optional<std::string> TagOf(const ImageReference& reference) {
  if (reference.tag()) return reference.tag();
  if (reference.digest()) return std::nullopt;
  return std::string(kDefaultTag);
}

// Whether this node itself pulled the digest under that tag, by the registry's word of then.
bool OnRecord(const Records* records, std::string_view tag, const Sha256Digest& digest) {
  return records != nullptr &&
         std::any_of(records->begin(), records->end(), [&](const VerifiedRecord& record) {
           return record.digest == digest && record.tag == tag && !IsWithdrawn(record);
         });
}

Judgement Refused(Reason reason, std::string found) {
  Judgement judgement{Refusal(reason, std::move(found)), {}, true};
  judgement.asks = true;
  return judgement;
}

// What came of asking the registry, where that failed a moment ago.
std::string WhyFailed(const RefreshFailure& failure) {
  std::string found = failure.error.detail;
  if (failure.cause) found += " (" + std::string(WordOf(*failure.cause)) + ")";
  return found;
}

Judgement Failed(const RefreshFailure& failure) {
  return Refused(failure.error.reason, WhyFailed(failure));
}

// Whether at another time there may be no such reason.
bool IsOfItsTime(SignatureReason reason) {
  return reason == SignatureReason::kTimestamp || reason == SignatureReason::kSignatureExpired ||
         reason == SignatureReason::kRevocation || reason == SignatureReason::kTooOld;
}

}  // namespace

Reason ReasonFor(SignatureReason reason) {
  switch (reason) {
    case SignatureReason::kUnsigned:
      return Reason::kUnsigned;
    case SignatureReason::kMalformed:
      return Reason::kMalformed;
    case SignatureReason::kHash:
      return Reason::kHash;
    case SignatureReason::kNotAnImageSignature:
      return Reason::kNotAnImageSignature;
    case SignatureReason::kAlgorithm:
      return Reason::kAlgorithm;
    case SignatureReason::kSignature:
      return Reason::kSignature;
    case SignatureReason::kIdentity:
      return Reason::kIdentity;
    case SignatureReason::kUntrustedRoot:
      return Reason::kUntrustedRoot;
    case SignatureReason::kTransparencyLog:
      return Reason::kTransparencyLog;
    case SignatureReason::kTimestamp:
      return Reason::kTimestamp;
    case SignatureReason::kSignatureExpired:
      return Reason::kSignatureExpired;
    case SignatureReason::kTooOld:
      return Reason::kTooOld;
    case SignatureReason::kRevoked:
      return Reason::kRevoked;
    case SignatureReason::kRevocation:
      return Reason::kRevocation;
    case SignatureReason::kDigestMismatch:
      return Reason::kDigestMismatch;
  }
  return Reason::kMalformed;
}

SignatureResult<VerifiedSignature> Verdicts::Of(const StoredSignature& stored,
                                                const WantedImage& image,
                                                const SignatureDemand& demand, TimePoint now) {
  const Key key = KeyOf(stored, image, demand);
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(key);
    if (known != known_.end() && known->second.Counts(now)) return known->second.verdict;
  }
  SignatureResult<VerifiedSignature> verified =
      demand.Verify(stored.signature, image, stored.first_verified);
  Note(stored, image, demand, verified, now);
  return verified;
}

void Verdicts::Note(const StoredSignature& stored, const WantedImage& image,
                    const SignatureDemand& demand, SignatureResult<VerifiedSignature> verdict,
                    TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMax) known_.clear();
  known_.insert_or_assign(KeyOf(stored, image, demand), Known{std::move(verdict), now});
}

Verdicts::Key Verdicts::KeyOf(const StoredSignature& stored, const WantedImage& image,
                              const SignatureDemand& demand) {
  return {stored.signature.form(),
          stored.signature.sha256(),
          stored.first_verified,
          image.digest,
          demand.fingerprint,
          image.repository,
          image.tag};
}

SignatureSet::SignatureSet(CollectionId id, const SignatureDialect& dialect)
    : id_(std::move(id)),
      place_(SignaturePlace::Parse(id_.name).value_or(SignaturePlace{id_.name, {}})),
      dialect_(dialect),
      verdicts_(std::make_shared<Verdicts>()),
      use_(std::make_shared<EvidenceUse>()) {}

SignatureSet::SignatureSet(const SignatureSet& before, Floors floors)
    : id_(before.id_),
      place_(before.place_),
      dialect_(before.dialect_),
      floors_(std::move(floors)),
      images_(before.images_),
      bytes_(before.bytes_),
      signatures_(before.signatures_),
      verified_at_(before.verified_at_),
      verdicts_(before.verdicts_),
      use_(before.use_) {}

std::shared_ptr<const SignatureSet> SignatureSet::With(std::vector<StoredSignature> more,
                                                       const EvidenceFor& whom) const {
  const std::shared_ptr<SignatureSet> set(new SignatureSet(*this, floors_));
  for (StoredSignature& signature : more) {
    const Sha256Digest image = signature.image;
    const TimePoint now = signature.first_verified;
    if (set->Add(std::move(signature), now) == Added::kNew) set->KeepOfImage(image, whom);
  }
  set->KeepWithinCaps();
  return set;
}

std::shared_ptr<const SignatureSet> SignatureSet::WithStored(std::vector<StoredSignature> stored,
                                                             TimePoint now) const {
  const std::shared_ptr<SignatureSet> set(new SignatureSet(*this, floors_));
  // It was last used when it was verified, for all that is known.
  std::stable_sort(stored.begin(), stored.end(), [](const auto& a, const auto& b) {
    return a.first_verified < b.first_verified;
  });
  for (StoredSignature& signature : stored) set->Add(std::move(signature), now);
  set->KeepWithinCaps();
  return set;
}

std::shared_ptr<const SignatureSet> SignatureSet::WithTagTime(const std::string& tag,
                                                              TimePoint signed_at) const {
  Floors floors = floors_;
  RaiseTagTime(floors, tag, signed_at);
  return WithFloors(std::move(floors));
}

std::shared_ptr<const SignatureSet> SignatureSet::WithFloors(Floors floors) const {
  return std::shared_ptr<const SignatureSet>(new SignatureSet(*this, std::move(floors)));
}

SignatureSet::Added SignatureSet::Add(StoredSignature signature, TimePoint now) {
  use_->NoteCame(signature.image, signature.signature.sha256(), now);
  auto& held = images_[signature.image];
  auto all = held ? *held : std::vector<StoredSignature>();
  const auto known = std::find_if(all.begin(), all.end(), [&](const StoredSignature& one) {
    return one.signature.sha256() == signature.signature.sha256();
  });
  if (known != all.end()) {
    // By a clock that was ahead: now it counts from when it was verified again.
    const bool was_ahead = known->first_verified > signature.first_verified;
    if (was_ahead) known->first_verified = signature.first_verified;
    if (!was_ahead && known->confirmed() == signature.confirmed()) return Added::kNotNew;
    known->seen_again = signature.confirmed();
    held = std::make_shared<const std::vector<StoredSignature>>(std::move(all));
    if (was_ahead) verified_at_ = LatestTime();
    return Added::kNotNew;
  }
  bytes_ += BytesOf(signature);
  ++signatures_;
  verified_at_ = std::max(verified_at_, signature.first_verified);
  all.push_back(std::move(signature));
  held = std::make_shared<const std::vector<StoredSignature>>(std::move(all));
  return Added::kNew;
}

TimePoint SignatureSet::LatestTime() const {
  TimePoint latest{};
  for (const auto& [image, held] : images_) {
    for (const StoredSignature& one : *held) latest = std::max(latest, one.first_verified);
  }
  return latest;
}

// By any name that its rule may have for the image, and under any tag. What only ages has satisfied
// it all the same.
std::set<Sha256> SignatureSet::SatisfiedBy(const StoredSignature& stored,
                                           const EvidenceUse::OfImage& use,
                                           const EvidenceFor& whom) const {
  const auto known = use.signatures.find(stored.signature.sha256());
  std::set<Sha256> satisfied;
  for (const SharedDemand& one : whom.demands) {
    const SignatureDemand& demand = AsSignatureDemand(*one);
    const bool counted =
        known != use.signatures.end() && known->second.demands.contains(demand.fingerprint);
    const auto accepts = [&](const std::string& repository) {
      return !repository.empty() &&
             verdicts_
                 ->Of(stored, {.digest = stored.image, .repository = repository, .tag = {}}, demand,
                      stored.first_verified)
                 .has_value();
    };
    if (counted || accepts(place_.image) || accepts(whom.repository)) {
      satisfied.insert(demand.fingerprint);
    }
  }
  return satisfied;
}

// trust/registry_bound/RULES.md#evidence
void SignatureSet::KeepOfImage(const Sha256Digest& image, const EvidenceFor& whom) {
  auto& held = images_.at(image);
  if (held->size() <= kMaxOfImage) return;
  const EvidenceUse::OfImage use = use_->Of(image);
  const auto last_use = [&](const StoredSignature* one) {
    const auto known = use.signatures.find(one->signature.sha256());
    return known == use.signatures.end() ? 0 : known->second.last;
  };
  std::vector<const StoredSignature*> by_use;
  for (const StoredSignature& one : *held) by_use.push_back(&one);
  std::stable_sort(by_use.begin(), by_use.end(),
                   [&](auto* a, auto* b) { return last_use(a) > last_use(b); });
  std::map<Sha256, std::size_t> has;
  std::set<const StoredSignature*> kept;
  for (const StoredSignature* one : by_use) {
    for (const Sha256& demand : SatisfiedBy(*one, use, whom)) {
      if (++has[demand] <= kMaxOfImage) kept.insert(one);
    }
  }
  for (const StoredSignature* one : by_use) {
    if (kept.size() < kMaxOfImage) kept.insert(one);
  }
  std::vector<StoredSignature> stay;
  for (const StoredSignature& one : *held) {
    if (kept.contains(&one)) {
      stay.push_back(one);
      continue;
    }
    bytes_ -= BytesOf(one);
    --signatures_;
    use_->Drop(image, one.signature.sha256());
  }
  held = std::make_shared<const std::vector<StoredSignature>>(std::move(stay));
}

bool SignatureSet::IsWithinCaps() const {
  return images_.size() <= kMaxImages && signatures_ <= kMaxSignatures && bytes_ <= kMaxBytes;
}

std::vector<Weighed> SignatureSet::WeighedAt(TimePoint now) const {
  std::vector<Weighed> all;
  all.reserve(images_.size());
  for (const auto& [image, held] : images_) {
    const EvidenceUse::OfImage use = use_->Of(image);
    Weighed one{
        .image = image, .here = now - use.here < EvidenceUse::kCountsAsHere, .last = use.last};
    for (const StoredSignature& stored : *held) one.bytes += BytesOf(stored);
    for (const auto& [signature, of_signature] : use.signatures) {
      one.demands.insert(of_signature.demands.begin(), of_signature.demands.end());
    }
    all.push_back(std::move(one));
  }
  return all;
}

void SignatureSet::Remove(const Sha256Digest& image) {
  const auto gone = images_.find(image);
  for (const StoredSignature& one : *gone->second) bytes_ -= BytesOf(one);
  signatures_ -= gone->second->size();
  images_.erase(gone);
  use_->Drop(image);
}

// trust/registry_bound/RULES.md#evidence
void SignatureSet::KeepWithinCaps() {
  if (IsWithinCaps()) return;
  LeastNeeded least_needed(WeighedAt(use_->newest()));
  while (!IsWithinCaps()) {
    const Weighed* const one = least_needed.Next();
    if (one == nullptr) return;
    Remove(one->image);
  }
}

std::optional<Committed> SignatureSet::Without(std::size_t bytes, Spares spares,
                                               TimePoint now) const {
  const std::shared_ptr<SignatureSet> set(new SignatureSet(*this, floors_));
  LeastNeeded least_needed(WeighedAt(now));
  std::size_t gone = 0;
  while (gone < bytes) {
    const Weighed* const one = least_needed.Next();
    if (one == nullptr || (one->here && spares == Spares::kWhatIsHere)) break;
    for (const StoredSignature& stored : *images_.at(one->image)) {
      gone += StoredSize(stored.signature.bytes().size());
    }
    set->Remove(one->image);
  }
  if (gone == 0) return std::nullopt;
  return Changed(set);
}

Committed SignatureSet::Changed(std::shared_ptr<const SignatureSet> set) const {
  Committed committed;
  committed.files = set->Files(this);
  committed.set = std::move(set);
  committed.changed = true;
  return committed;
}

Committed SignatureSet::WithoutEvidence() const {
  const std::shared_ptr<SignatureSet> set(new SignatureSet(*this, floors_));
  while (!set->images_.empty()) set->Remove(Sha256Digest(set->images_.begin()->first));
  return Changed(set);
}

EvidenceHolder::TagFloor SignatureSet::FloorOf(const std::string& tag) const {
  return {OwnTagTime(floors_, tag), OtherTagsTime(floors_)};
}

Committed SignatureSet::WithoutFloorOf(const std::string& tag) const {
  Floors floors = floors_;
  DropTagTime(floors, tag);
  return Changed(WithFloors(std::move(floors)));
}

// trust/registry_bound/RULES.md#ageing
SignatureResult<VerifiedSignature> SignatureSet::Judged(const StoredSignature& stored,
                                                        const WantedImage& image,
                                                        const SignatureDemand& demand,
                                                        const Aged& aged) const {
  SignatureResult<VerifiedSignature> then = verdicts_->Of(stored, image, demand, aged.now);
  if (!demand.ages()) return then;
  const auto counts = [&](const Ageing& ageing) {
    return !aged.at_most || aged.now <= ageing.until + *aged.at_most;
  };
  if (then && (!then->ageing || counts(*then->ageing))) return then;
  if (!then && !IsOfItsTime(then.error().reason)) return then;
  // What proves it now may be another thing than proved it then.
  SignatureResult<VerifiedSignature> now = demand.Verify(stored.signature, image, aged.now);
  return now || !then ? std::move(now) : tl::unexpected(then->ageing->then);
}

SignatureResult<SignatureSet::Good> SignatureSet::GoodOne(const WantedImage& image,
                                                          const SignatureDemand& demand,
                                                          const Aged& aged) const {
  const auto held = images_.find(image.digest);
  std::vector<SignatureResult<VerifiedSignature>> verified;
  const auto stage_of = [this](SignatureReason reason) { return dialect_.StageOf(reason); };
  if (held == images_.end()) {
    return tl::unexpected(FirstGood(std::move(verified), stage_of).error());
  }
  std::optional<Good> unconfirmed;
  for (const StoredSignature& one : *held->second) {
    SignatureResult<VerifiedSignature> judged = Judged(one, image, demand, aged);
    if (!judged) {
      verified.push_back(std::move(judged));
      continue;
    }
    // trust/RULES.md#time: a time that lies ahead says nothing of when.
    const bool in_time = one.confirmed() <= aged.now + kTimeAhead &&
                         aged.now <= one.confirmed() + aged.confirmed_within;
    const bool confirmed = aged.confirmed_within.count() == 0 || in_time;
    if (confirmed) return Good{&one, *std::move(judged)};
    if (!unconfirmed || unconfirmed->stored->confirmed() < one.confirmed()) {
      unconfirmed = Good{&one, *std::move(judged), false};
    }
  }
  if (unconfirmed) return *std::move(unconfirmed);
  return tl::unexpected(FirstGood(std::move(verified), stage_of).error());
}

bool SignatureSet::HasGood(const WantedImage& image, const SignatureBytes& signature,
                           const SignatureDemand& demand, const Aged& aged) const {
  const auto held = images_.find(image.digest);
  return held != images_.end() &&
         std::any_of(held->second->begin(), held->second->end(), [&](const StoredSignature& one) {
           return one.signature.sha256() == signature.sha256() &&
                  Judged(one, image, demand, aged).has_value();
         });
}

std::optional<TimePoint> SignatureSet::SignedAt(const WantedImage& image,
                                                const SignatureDemand& demand,
                                                const Aged& aged) const {
  std::optional<TimePoint> newest;
  const auto held = images_.find(image.digest);
  if (held == images_.end()) return newest;
  for (const StoredSignature& one : *held->second) {
    const auto verified = Judged(one, image, demand, aged);
    if (!verified || verified->times.empty()) continue;
    newest = std::max(newest.value_or(TimePoint::min()), verified->times.back());
  }
  return newest;
}

std::vector<StoredFile> SignatureSet::Files(const SignatureSet* stored_already) const {
  std::set<std::string> already;
  if (stored_already != nullptr) {
    for (const auto& [image, signatures] : stored_already->images_) {
      for (const StoredSignature& one : *signatures) already.insert(one.FileName());
    }
  }
  std::vector<StoredFile> files;
  for (const auto& [image, signatures] : images_) {
    for (const StoredSignature& one : *signatures) {
      StoredFile file{one.FileName(), one.signature.sha256(), std::nullopt};
      if (!already.contains(file.name)) file.bytes = one.signature.bytes();
      files.push_back(std::move(file));
    }
  }
  return files;
}

std::shared_ptr<const Anchors> SignatureSet::anchors() const {
  return std::make_shared<const NoAnchors>();
}

Judgement SignatureSet::Current(const Asked& asked) const {
  if (asked.reference.NamesOtherDigest()) return {DigestNotSigned(), {}, true};
  // trust/registry_bound/RULES.md#tags
  if (asked.local != nullptr) {
    const std::optional<std::string> tag = TagOf(asked.reference);
    const bool has_tag = asked.name_here == NameHere::kIsThis ||
                         (tag && OnRecord(asked.records, *tag, *asked.local));
    if (!asked.reference.digest() && !has_tag) {
      return {Refusal(Reason::kTagNotSigned,
                      "this node does not have the tag at " + asked.local->ToString()),
              {},
              true};
    }
    return OfDigest(asked, *asked.local);
  }
  if (asked.reference.digest()) return OfDigest(asked, *asked.reference.digest());
  if (asked.named != nullptr) return OfDigest(asked, *asked.named);
  const auto* word = static_cast<const RegistryWord*>(asked.answer);
  if (word != nullptr) return OfTag(asked, word->digest);
  if (asked.failure != nullptr) return Failed(*asked.failure);
  return Refused(Reason::kNoTrustData, "the registry has not been asked what the tag is now");
}

Judgement SignatureSet::OfDigest(const Asked& asked, const Sha256Digest& digest) const {
  if (Knows(digest)) {
    use_->NoteAsked(
        digest, asked.local != nullptr ? EvidenceUse::AskedAs::kHere : EvidenceUse::AskedAs::kPull,
        asked.now);
  }
  const SignatureDemand& demand = AsSignatureDemand(asked.demand);
  const WantedImage image{
      .digest = digest, .repository = asked.reference.repository(), .tag = TagOf(asked.reference)};
  Aged aged{asked.now, std::nullopt};
  if (asked.present_max_age.count() > 0) aged.at_most = asked.present_max_age;
  aged.confirmed_within = asked.confirmed_within;
  const SignatureResult<Good> good = GoodOne(image, demand, aged);
  if (good && good->confirmed) {
    use_->NoteCounted(digest, good->stored->signature.sha256(), demand.fingerprint);
    SignedPart part;
    part.name = kPart;
    part.version = 1;
    part.signed_by = {good->verified.signer};
    part.threshold = 1;
    Judgement judgement{Allow{digest}, {}, true};
    judgement.evidence.parts = {std::make_shared<const SignedPart>(std::move(part))};
    judgement.evidence.asked_end = 1;
    judgement.evidence.vouching = {std::string(kPart)};
    if (!asked.reference.digest()) judgement.evidence.tag = image.tag;
    judgement.evidence.verified_at = good->stored->first_verified;
    judgement.evidence.confirmed_at = good->stored->confirmed();
    judgement.evidence.binding = Evidence::Binding::kRegistry;
    judgement.evidence.from_record = asked.local != nullptr;
    return judgement;
  }
  const auto* word = static_cast<const RegistryWord*>(asked.answer);
  if (good) return Unconfirmed(*good->stored, asked, word);
  // trust/RULES.md#files-of-another-trust: nobody is asked for what could not be judged.
  if (auto why = demand.NothingNew(asked.now)) {
    return {Refusal(why->reason, std::move(why->detail)), {}, true};
  }
  if (word != nullptr && word->digest == digest) {
    const auto refused = word->refused.find(demand.fingerprint);
    if (refused != word->refused.end()) {
      return Refused(refused->second.reason, refused->second.detail);
    }
  }
  if (word == nullptr && asked.failure != nullptr) return Failed(*asked.failure);
  if (!Knows(digest)) {
    return Refused(Reason::kNoTrustData,
                   "no signature of " + digest.ToString() + " has been read yet");
  }
  return Refused(ReasonFor(good.error().reason), digest.ToString() + ": " + good.error().detail);
}

// trust/registry_bound/RULES.md#confirmed: why it does not count any more, and what came of asking.
Judgement SignatureSet::Unconfirmed(const StoredSignature& kept, const Asked& asked,
                                    const RegistryWord* word) const {
  const std::string until = FormatRfc3339(kept.confirmed() + asked.confirmed_within);
  const std::string why = "the signature that is kept of " + kept.image.ToString() +
                          " was last confirmed at " + FormatRfc3339(kept.confirmed()) +
                          " and counted until " + until + " (present_max_age)";
  const Demand& demand = asked.demand;
  if (word != nullptr && word->digest == kept.image) {
    const auto refused = word->refused.find(AsSignatureDemand(demand).fingerprint);
    if (refused != word->refused.end()) {
      return Refused(refused->second.reason, refused->second.detail + "; " + why);
    }
  }
  if (word == nullptr && asked.failure != nullptr) {
    return Refused(asked.failure->error.reason, WhyFailed(*asked.failure) + "; " + why);
  }
  return Refused(Reason::kExpired, why);
}

// trust/registry_bound/RULES.md#order-of-tags
Judgement SignatureSet::OfTag(const Asked& asked, const Sha256Digest& digest) const {
  Judgement judgement = OfDigest(asked, digest);
  if (!std::holds_alternative<Allow>(judgement.verdict)) return judgement;
  const SignatureDemand& demand = AsSignatureDemand(asked.demand);
  const std::string tag = TagOf(asked.reference).value_or("");
  const auto before = TagTime(floors_, tag);
  const auto now =
      SignedAt({.digest = digest, .repository = asked.reference.repository(), .tag = tag}, demand,
               {asked.now, std::nullopt});
  if (!before || !IsBehind(now, *before, demand)) return judgement;
  if (demand.tag_order == TagOrder::kRefuse) {
    const std::string when =
        now ? " was signed at " + FormatRfc3339(*now) : ": nothing proves when it was signed";
    const std::string_view why =
        floors_.contains(tag)
            ? ", and this node has seen the tag at what was signed at "
            : ", and of this repository's tags, more than this node keeps apart, it has seen one "
              "that it no longer tells from this at what was signed at ";
    return Refused(Reason::kRollback,
                   digest.ToString() + when + std::string(why) + FormatRfc3339(*before));
  }
  judgement.evidence.tag_went_back = *before;
  return judgement;
}

Standing SignatureSet::StandingOf(const VerifiedRecord& record, const Demand& demand,
                                  TimePoint now) const {
  const WantedImage image{.digest = record.digest, .repository = place_.image, .tag = record.tag};
  const Aged not_aged{now, std::chrono::seconds{0}};
  return GoodOne(image, AsSignatureDemand(demand), not_aged) ? Standing::kStands
                                                             : Standing::kNotAccepted;
}

// Of nothing is withdrawn what a record says. Where there are too many, those of images that
// satisfy one rule push out none of another's.
Records SignatureSet::RecordsAfter(Records records) const {
  // So many go at once that it is seldom done.
  constexpr std::size_t kMost = Limits{}.records;
  if (records.size() < kMost) return records;
  MakeRoom(records, kMost / 4 * 3, [this](const VerifiedRecord& record) {
    RecordOwner owner;
    std::set<Sha256> demands;
    for (const auto& [signature, of_signature] : use_->Of(record.digest).signatures) {
      demands.insert(of_signature.demands.begin(), of_signature.demands.end());
    }
    for (const Sha256& demand : demands) owner.who += ToHex(demand);
    return owner;
  });
  return records;
}

std::optional<TimePoint> SignatureSet::Expires(const Demands& /*demands*/) const {
  return std::nullopt;
}

SetStatus SignatureSet::Status(const Demands& demands, TimePoint now) const {
  SetStatus status;
  for (const SharedDemand& demand : demands) {
    for (const TimePoint end : AsSignatureDemand(*demand).Ends()) {
      // One that has ended vouches for nothing new, and may have been replaced long ago.
      if (end >= now && (!status.expires || end < *status.expires)) status.expires = end;
    }
  }
  return status;
}

SetExplanation SignatureSet::Explain(const ImageReference& /*reference*/, const Demand& /*demand*/,
                                     TimePoint /*now*/) const {
  return {};
}

}  // namespace crivet::trust::registry_bound
