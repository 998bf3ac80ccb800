// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: the steps of one search, which share what it has come to.
#include "trust/registry_bound/signature_search.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/signed/first_good.h"

namespace crivet::trust::registry_bound {
namespace {

constexpr std::size_t kMaxIndex = 4 * 1024 * 1024;
constexpr std::size_t kMaxReferrer = 128 * 1024;
constexpr std::size_t kMaxBlob = 1024 * 1024;
// Of what one place holds, so many are read before the next place is; the rest after all places.
constexpr std::size_t kAtOnce = 4;
// So far behind the latest refresh a clock is believed.
constexpr std::chrono::hours kClockAhead{1};
// A thousand layers may name one content. It is verified for so many of them as come to this.
constexpr std::size_t kMaxOfContent = 8 * 1024 * 1024;

std::string TagOf(const Sha256Digest& digest, std::string_view ending) {
  return "sha256-" + ToHex(digest.bytes()) + std::string(ending);
}

// An empty type, or that of an empty config, says nothing: signers write it into the fallback
// index.
bool SaysNothing(const oci::Descriptor& descriptor) {
  const std::string& type = descriptor.artifact_type;
  return type.empty() || type == "application/vnd.oci.empty.v1+json";
}

// When what a tag is now was signed, as this search found it.
struct TaggedAt {
  std::string tag;
  TimePoint signed_at;
  TimePoint now;
};

RefreshFailure Failure(Reason reason, std::string detail) {
  RefreshFailure failure;
  failure.error = {reason, std::move(detail)};
  return failure;
}

Committed OnTop(const std::shared_ptr<const SignatureSet>& before,
                const std::vector<StoredSignature>& good, const EvidenceFor& whom,
                const std::shared_ptr<const NameAnswer>& word,
                const std::optional<TaggedAt>& tagged) {
  auto set = good.empty() ? before : before->With(good, whom);
  const bool raised =
      tagged && RaisesTagTime(before->tag_times(), tagged->tag, tagged->signed_at, tagged->now);
  if (raised) set = set->WithTagTime(tagged->tag, tagged->signed_at);
  Committed committed;
  committed.set = set;
  committed.changed = !good.empty() || raised;
  committed.answer = word;
  // Also of what has not changed: the store may not have it yet.
  committed.files = set->Files(before.get());
  committed.onto = [good, whom, word, tagged](std::shared_ptr<const TrustedSet> newer) {
    return OnTop(std::static_pointer_cast<const SignatureSet>(std::move(newer)), good, whom, word,
                 tagged);
  };
  return committed;
}

}  // namespace

SignatureSearch::SignatureSearch(RefreshStart start, const SignatureDialect& dialect)
    : start_(std::move(start)),
      place_(SignaturePlace::Parse(start_.id.name).value_or(SignaturePlace{start_.id.name, {}})),
      dialect_(dialect),
      before_(std::static_pointer_cast<const SignatureSet>(start_.previous)) {
  if (!before_) before_ = SignatureSet(start_.id, dialect_).WithFloors(start_.floors);
  if (!start_.asked) {
    Fail(Reason::kNoTrustData, "signatures are asked for one image at a time");
    return;
  }
  const AskedName& asked = *start_.asked;
  if (asked.local) {
    BeginAt(*asked.local);
  } else if (asked.reference.digest()) {
    BeginAt(*asked.reference.digest());
  } else {
    using What = RegistryRequest::What;
    // trust/registry_bound/RULES.md#tags: where nothing is known, the manifest will be wanted too.
    const bool whole = dialect_.ReadsImage() && before_->empty();
    steps_.push_back({Step::What::kResolve,
                      {.what = whole ? What::kTagged : What::kResolve,
                       .repository = place_.image,
                       .tag = asked.reference.tag().value_or("latest")}});
    Next();
  }
}

WantedImage SignatureSearch::Image() const {
  const ImageReference& reference = start_.asked->reference;
  std::optional<std::string> tag = reference.tag();
  if (!tag && !reference.digest()) tag = "latest";
  return {.digest = *digest_, .repository = reference.repository(), .tag = std::move(tag)};
}

EvidenceFor SignatureSearch::Whom() const {
  return {start_.demands, start_.asked->reference.repository()};
}

bool SignatureSearch::DecidesTag() const {
  return !start_.asked->local && !start_.asked->reference.digest();
}

// A newer one may lie beside it, by a publisher who means to go back.
bool SignatureSearch::IsTooEarly(const std::optional<TimePoint>& signed_at,
                                 const SignatureDemand& demand) const {
  if (demand.tag_order != TagOrder::kRefuse || !DecidesTag()) return false;
  const auto before = TagTime(before_->tag_times(), Image().tag.value_or(""));
  return before && IsBehind(signed_at, *before, demand);
}

// trust/RULES.md#time: what was verified by such a clock is had anew, and verified by today's.
bool SignatureSearch::IsOfAClockAhead(const StoredSignature& stored,
                                      const SignatureDemand& demand) const {
  return demand.ReadsClock() && stored.first_verified > start_.now + kClockAhead;
}

void SignatureSearch::BeginAt(const Sha256Digest& digest) {
  digest_ = digest;
  for (const SharedDemand& demand : start_.demands) {
    const SignatureDemand& wanted = AsSignatureDemand(*demand);
    // What has aged may still count for what runs; another that holds is looked for.
    const std::chrono::seconds within = start_.asked->confirmed_within;
    const SignatureSet::Aged not_aged{start_.now, std::chrono::seconds{0}, within};
    const auto good = before_->GoodOne(Image(), wanted, not_aged);
    const bool holds = good && good->confirmed && !IsOfAClockAhead(*good->stored, wanted);
    if (holds && !IsTooEarly(before_->SignedAt(Image(), wanted, not_aged), wanted)) continue;
    const auto kept = before_->GoodOne(Image(), wanted, {start_.now, std::nullopt, within});
    // trust/registry_bound/RULES.md#confirmed
    const bool confirms = kept && !kept->confirmed;
    // Whoever asks for it is told so by the set.
    if (wanted.NothingNew(start_.now) && !confirms) continue;
    lacking_[wanted.fingerprint] = {};
    if (confirms) {
      unconfirmed_.insert(wanted.fingerprint);
    } else if (kept) {
      aged_.insert(wanted.fingerprint);
    }
  }
  if (!AllHaveOne()) {
    AskPlace(Place::kReferrers, 0);
    AskPlace(Place::kFallbackTag, 0);
    if (!dialect_.tag_ending().empty()) AskPlace(Place::kSignatureTag, 0);
  }
  Next();
}

void SignatureSearch::AskPlace(Place place, std::size_t skip_hosts, std::string page) {
  RegistryRequest request{.repository = place_.signatures(), .skip_hosts = skip_hosts};
  if (place == Place::kReferrers) {
    request.what = RegistryRequest::What::kReferrers;
    request.digest = digest_;
    request.page = std::move(page);
  } else {
    request.what = RegistryRequest::What::kManifest;
    request.tag = TagOf(*digest_, place == Place::kFallbackTag ? "" : dialect_.tag_ending());
  }
  steps_.push_back({Step::What::kPlace, std::move(request), place});
}

SignatureSearch::Step SignatureSearch::ContentStep(Step::What what,
                                                   const Sha256Digest& content) const {
  const bool manifest = what != Step::What::kContent;
  return {what,
          {.what = manifest ? RegistryRequest::What::kManifest : RegistryRequest::What::kBlob,
           .repository = what == Step::What::kImage ? place_.image : place_.signatures(),
           .digest = content}};
}

void SignatureSearch::AskFor(std::vector<Step> best_first, std::size_t at_once) {
  if (best_first.size() > kMaxRequests) {
    cut_off_ = true;
    best_first.resize(kMaxRequests);
  }
  for (std::size_t i = at_once; i < best_first.size(); ++i) {
    steps_.push_back(std::move(best_first[i]));
  }
  for (std::size_t i = std::min(at_once, best_first.size()); i > 0; --i) {
    steps_.push_front(std::move(best_first[i - 1]));
  }
}

void SignatureSearch::Next() {
  wanted_.reset();
  if (outcome_) return;
  if (steps_.empty() || (digest_ && AllHaveOne())) return End();
  if (requests_ == kMaxRequests) {
    cut_off_ = true;
    return End();
  }
  ++requests_;
  const Step& step = steps_.front();
  FileRequest request;
  request.registry = step.request;
  switch (step.what) {
    case Step::What::kResolve:
    case Step::What::kPlace:
    case Step::What::kImage:
      request.max_bytes = kMaxIndex;
      break;
    case Step::What::kManifest:
      request.max_bytes = kMaxReferrer;
      break;
    case Step::What::kContent:
      request.max_bytes = kMaxBlob;
      break;
  }
  if (step.request.digest && step.what != Step::What::kPlace) {
    request.sha256 = step.request.digest->bytes();
  }
  wanted_ = std::move(request);
}

void SignatureSearch::Supply(Fetched answer) {
  if (!wanted_) return;
  const FileRequest request = *std::exchange(wanted_, std::nullopt);
  const Step step = std::move(steps_.front());
  steps_.pop_front();
  if (answer && answer->bytes.size() > request.max_bytes) {
    answer = tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge});
  }
  if (answer && request.sha256 && Sha256Of(answer->bytes) != *request.sha256) {
    answer = tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kServerError});
  }
  if (answer) {
    Take(step, *std::move(answer));
  } else {
    Miss(step, answer.error());
  }
  Next();
}

void SignatureSearch::Take(const Step& step, FetchedFile file) {
  switch (step.what) {
    case Step::What::kResolve: {
      const auto digest = file.registry ? file.registry->digest : std::nullopt;
      if (!digest) return Fail(Reason::kMalformed, "the registry does not say what the tag is");
      if (step.request.what == RegistryRequest::What::kTagged) TakeImage(file);
      return BeginAt(*digest);
    }
    case Step::What::kPlace:
      return TakePlace(step, file);
    case Step::What::kManifest:
      return TakeManifest(file);
    case Step::What::kImage:
      return TakeImage(file);
    case Step::What::kContent:
      return TakeContent(step, std::move(file.bytes));
  }
}

void SignatureSearch::TakePlace(const Step& step, const FetchedFile& file) {
  // trust/RULES.md#asking-a-registry: a mirror may not hold signatures. It is asked on behind what
  // this answer holds, once however many pages that has.
  if (file.registry && !file.registry->upstream && step.request.page.empty()) {
    AskPlace(step.place, file.registry->host_number + 1);
  }
  if (step.place != Place::kSignatureTag) return TakeIndex(step, file);
  const auto manifest = oci::Manifest::Parse(file.bytes);
  if (!manifest) return PassOver(manifest.error());
  // Whoever signs the same image may sign the same content.
  std::map<Sha256Digest, std::vector<oci::Descriptor>> contents;
  for (oci::Descriptor& layer : dialect_.LayersUnderTag(*manifest)) {
    contents[layer.digest].push_back(std::move(layer));
  }
  std::vector<Step> steps;
  for (auto& [content, layers] : contents) {
    const auto known = contents_.find(content);
    if (known == contents_.end()) {
      steps.push_back(ContentStep(Step::What::kContent, content));
      steps.back().place = Place::kSignatureTag;
      steps.back().layers = std::move(layers);
    } else {
      JudgeLayers(layers, known->second);
    }
  }
  AskFor(std::move(steps), kAtOnce);
}

void SignatureSearch::PassOver(const Error& place) {
  // What is no index and no manifest holds nothing.
  cut_off_ = cut_off_ || place.reason == Reason::kTooMany;
}

void SignatureSearch::TakeIndex(const Step& step, const FetchedFile& file) {
  if (file.registry && !file.registry->next_page.empty()) {
    AskPlace(step.place, file.registry->host_number, file.registry->next_page);
  }
  auto index = oci::Index::Parse(file.bytes);
  if (!index) return PassOver(index.error());
  const auto is_own = [this](const oci::Descriptor& descriptor) {
    return dialect_.IsOwn(descriptor.artifact_type);
  };
  std::erase_if(index->manifests, [&](const oci::Descriptor& descriptor) {
    return !SaysNothing(descriptor) && !is_own(descriptor);
  });
  // Those that say what they are come first, each of them by digest.
  std::sort(index->manifests.begin(), index->manifests.end(),
            [&](const oci::Descriptor& a, const oci::Descriptor& b) {
              return is_own(a) != is_own(b) ? is_own(a) : a.digest < b.digest;
            });
  std::vector<Step> steps;
  for (const oci::Descriptor& descriptor : index->manifests) {
    if (seen_manifests_.insert(descriptor.digest).second)
      steps.push_back(ContentStep(Step::What::kManifest, descriptor.digest));
  }
  AskFor(std::move(steps), kAtOnce);
}

void SignatureSearch::TakeManifest(const FetchedFile& file) {
  const auto manifest = oci::Manifest::Parse(file.bytes);
  if (!manifest) return;
  std::vector<Step> steps;
  for (oci::Descriptor& layer : dialect_.LayersOf(*manifest, *digest_)) {
    if (!seen_contents_.emplace(layer.digest, layer.media_type).second) continue;
    steps.push_back(ContentStep(Step::What::kContent, layer.digest));
    steps.back().layers.push_back(std::move(layer));
  }
  const bool wants_image = dialect_.ReadsImage() && !image_is_asked_ && !steps.empty();
  // Signers put one into each.
  AskFor(std::move(steps), 1);
  if (!wants_image) return;
  steps_.push_front(ContentStep(Step::What::kImage, *digest_));
}

void SignatureSearch::TakeImage(const FetchedFile& file) {
  image_is_asked_ = true;
  std::string media_type = oci::MediaTypeOf(file.bytes);
  if (media_type.empty() && file.registry) media_type = file.registry->media_type;
  image_ = ImageManifest{std::move(media_type), file.bytes.size()};
}

void SignatureSearch::TakeContent(const Step& step, std::string content) {
  if (step.place != Place::kSignatureTag) {
    return Judge(
        dialect_.Of(step.layers.front(), std::move(content), image_.value_or(ImageManifest{})));
  }
  JudgeLayers(step.layers, content);
  contents_.emplace(*step.request.digest, std::move(content));
}

void SignatureSearch::JudgeLayers(const std::vector<oci::Descriptor>& layers,
                                  const std::string& content) {
  std::size_t left = kMaxOfContent;
  for (const oci::Descriptor& layer : layers) {
    if (AllHaveOne()) return;
    if (content.size() > left) {
      cut_off_ = true;
      return;
    }
    left -= content.size();
    Judge(dialect_.OfUnderTag(layer, content));
  }
}

void SignatureSearch::Miss(const Step& step, const FetchFailure& failure) {
  const bool none = failure.kind == FetchFailure::Kind::kNotFound;
  if (step.what == Step::What::kResolve) {
    RefreshFailure outcome =
        none ? Failure(Reason::kNoTrustData, "the registry has no such tag")
             : Failure(Reason::kUnreachable, "the registry does not say what the tag is");
    outcome.at = "the tag";
    outcome.not_found = none;
    if (!none) outcome.cause = failure.cause;
    outcome.why = failure.why;
    outcome_ = tl::unexpected(std::move(outcome));
    return;
  }
  // That a place holds nothing is an answer; that content which it names is not there is none: who
  // takes the bytes away must not make an image unsigned.
  if (none && step.what == Step::What::kPlace) return;
  // Nothing can be judged without it.
  if (step.what == Step::What::kImage) {
    away_ = failure;
    return End();
  }
  if (failure.kind == FetchFailure::Kind::kTooLarge) {
    // Nothing of that size is a signature; a place of that size may hold one.
    cut_off_ = cut_off_ || step.what == Step::What::kPlace;
    return;
  }
  if (!away_) away_ = failure;
}

void SignatureSearch::Judge(SignatureBytes signature) {
  bool good = false;
  const StoredSignature judged{*digest_, start_.now, std::move(signature)};
  for (const SharedDemand& demand : start_.demands) {
    const SignatureDemand& wanted = AsSignatureDemand(*demand);
    const auto lacking = lacking_.find(wanted.fingerprint);
    if (lacking == lacking_.end()) continue;
    auto verified = wanted.Verify(judged.signature, Image(), start_.now);
    // That it is still there, not that it verifies again, is what was asked: where it has aged, or
    // nothing new can be judged, it counts on as it did.
    if (!verified && unconfirmed_.contains(wanted.fingerprint) &&
        before_->HasGood(Image(), judged.signature, wanted, {start_.now, std::nullopt})) {
      good = true;
      aged_.insert(wanted.fingerprint);
    }
    if (verified) {
      good = true;
      before_->NoteVerified(judged, Image(), wanted, *verified);
      const auto& times = verified->times;
      const auto newest = times.empty() ? std::nullopt : std::optional(times.back());
      if (IsTooEarly(newest, wanted)) {
        aged_.insert(wanted.fingerprint);
      } else {
        lacking_.erase(lacking);
      }
    } else {
      lacking->second.push_back(std::move(verified));
    }
  }
  if (good) good_.push_back(judged);
}

void SignatureSearch::Fail(Reason reason, std::string detail) {
  outcome_ = tl::unexpected(Failure(reason, std::move(detail)));
}

void SignatureSearch::End() { outcome_ = Verified(); }

Error SignatureSearch::WhyRefused(std::vector<SignatureResult<VerifiedSignature>> refused) const {
  if (cut_off_) {
    return {Reason::kTooMany, "too much lies beside " + digest_->ToString() +
                                  ", and nothing good was among the first of it"};
  }
  // trust/registry_bound/RULES.md#places
  if (away_) {
    return {Reason::kUnreachable, "the signatures of " + digest_->ToString() + " cannot be had"};
  }
  const auto stage_of = [this](SignatureReason reason) { return dialect_.StageOf(reason); };
  const SignatureError why = FirstGood(std::move(refused), stage_of).error();
  return {ReasonFor(why.reason), digest_->ToString() + ": " + why.detail};
}

// Of what a tag is now, by all that is known of it: the earliest of what its demands prove, so that
// what one signer signs later makes nobody else's signature of the same image too old. Nothing
// where one that refuses accepts it at a time which nobody proves: it would be refused from then
// on.
std::optional<TimePoint> SignatureSearch::TimeOfTag() const {
  if (!DecidesTag()) return std::nullopt;
  const auto known = before_->With(good_, Whom());
  const SignatureSet::Aged aged{start_.now, std::nullopt};
  std::optional<TimePoint> earliest;
  for (const SharedDemand& demand : start_.demands) {
    const SignatureDemand& wanted = AsSignatureDemand(*demand);
    const auto at = known->SignedAt(Image(), wanted, aged);
    if (at) {
      earliest = std::min(earliest.value_or(*at), *at);
    } else if (wanted.tag_order == TagOrder::kRefuse && wanted.ProvesTimes() &&
               known->GoodOne(Image(), wanted, aged)) {
      return std::nullopt;
    }
  }
  return earliest;
}

RefreshOutcome SignatureSearch::Verified() const {
  auto word = std::make_shared<RegistryWord>(*digest_);
  std::vector<SignatureResult<VerifiedSignature>> all;
  std::size_t without = 0;
  for (const auto& [demand, refused] : lacking_) {
    word->refused.emplace(demand, WhyRefused(refused));
    if (aged_.contains(demand)) continue;
    ++without;
    all.insert(all.end(), refused.begin(), refused.end());
  }
  const bool nobody_has_one = without > 0 && without == start_.demands.size();
  if (!nobody_has_one) {
    std::optional<TaggedAt> tagged;
    if (const auto signed_at = TimeOfTag()) {
      tagged = TaggedAt{Image().tag.value_or(""), *signed_at, start_.now};
    }
    return OnTop(before_, good_, Whom(), word, tagged);
  }
  RefreshFailure failure;
  failure.error = WhyRefused(std::move(all));
  failure.at = "signatures";
  if (failure.error.reason == Reason::kUnreachable) {
    failure.cause = away_->cause;
    failure.why = away_->why;
  }
  return tl::unexpected(std::move(failure));
}

StoredSignatures::StoredSignatures(RefreshStart start, const SignatureDialect& dialect)
    : start_(std::move(start)), dialect_(dialect) {}

std::optional<FileRequest> StoredSignatures::Wanted() const {
  if (next_ == start_.stored.size()) return std::nullopt;
  FileRequest request;
  request.stored_as = start_.stored[next_];
  request.max_bytes = SignatureBytes::kMaxSize;
  return request;
}

void StoredSignatures::Supply(Fetched answer) {
  const std::string& name = start_.stored[next_++];
  if (!answer) return;
  if (auto stored = StoredSignature::Of(name, std::move(answer->bytes))) {
    read_.push_back(*std::move(stored));
  }
}

RefreshOutcome StoredSignatures::Finish() {
  Committed committed;
  committed.set = SignatureSet(start_.id, dialect_)
                      .WithStored(std::move(read_), start_.now)
                      ->WithFloors(start_.floors);
  committed.changed = true;
  return committed;
}

}  // namespace crivet::trust::registry_bound
