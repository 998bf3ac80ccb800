// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/word_kind.h"

#include <map>
#include <sstream>
#include <utility>

#include "trust/decide/finding.h"
#include "trust/decide/trusted_set.h"

namespace crivet::trust {
namespace {

struct WordDemand final : Demand {
  std::string word;
  bool Equals(const Demand& other) const override {
    return word == static_cast<const WordDemand&>(other).word;
  }
};

const std::string& WordOf(const Demand& demand) {
  return static_cast<const WordDemand&>(demand).word;
}

struct NoAnchors final : Anchors {};

class WordSet final : public TrustedSet {
 public:
  WordSet(CollectionId id, std::string_view file, TimePoint verified_at)
      : id_(std::move(id)), verified_at_(verified_at) {
    std::istringstream lines{std::string(file)};
    lines >> word_;
    std::string tag;
    std::string digest;
    while (lines >> tag >> digest) tags_.emplace(tag, Sha256Digest::Parse(digest).value());
    SignedPart part;
    part.name = "words";
    part.version = 1;
    part.signed_by = {word_};
    part.threshold = 1;
    part_ = std::make_shared<const SignedPart>(std::move(part));
  }

  const std::string& word() const { return word_; }
  const CollectionId& id() const override { return id_; }
  TimePoint verified_at() const override { return verified_at_; }
  Floors floors() const override { return floors_; }
  std::shared_ptr<const Anchors> anchors() const override {
    return std::make_shared<const NoAnchors>();
  }
  std::size_t resident_bytes() const override { return 100 * tags_.size(); }

  Judgement Current(const Asked& asked) const override {
    Judgement judgement{Refusal(Reason::kUntrustedRoot, "it begins with another word"), {}, false};
    if (WordOf(asked.demand) != word_) return judgement;
    judgement.readable = true;
    judgement.evidence.parts = {part_};
    judgement.evidence.asked_end = 1;
    judgement.evidence.verified_at = verified_at_;
    judgement.verdict = Of(asked.reference, judgement.evidence);
    return judgement;
  }

  Standing StandingOf(const VerifiedRecord& record, const Demand& demand,
                      TimePoint /*now*/) const override {
    if (!tags_.contains(record.tag)) return Standing::kWithdrawn;
    return WordOf(demand) == word_ ? Standing::kStands : Standing::kNotAccepted;
  }
  Records RecordsAfter(Records records) const override { return records; }
  std::optional<TimePoint> Expires(const Demands& /*demands*/) const override {
    return std::nullopt;
  }
  SetStatus Status(const Demands& /*demands*/, TimePoint /*now*/) const override { return {}; }
  SetExplanation Explain(const ImageReference& /*reference*/, const Demand& /*demand*/,
                         TimePoint /*now*/) const override {
    return {};
  }

 private:
  Verdict Of(const ImageReference& reference, Evidence& evidence) const {
    for (const auto& [tag, digest] : tags_) {
      const bool named = reference.digest() ? *reference.digest() == digest
                                            : reference.tag().value_or("latest") == tag;
      if (!named) continue;
      evidence.tag = tag;
      evidence.vouching = {part_->name};
      return Allow{digest};
    }
    return reference.digest() ? DigestNotSigned() : TagNotSigned(evidence);
  }

  const CollectionId id_;
  const TimePoint verified_at_;
  std::string word_;
  std::map<std::string, Sha256Digest> tags_;
  std::shared_ptr<const SignedPart> part_;
  Floors floors_;
};

class WordRefresh final : public Refresh {
 public:
  explicit WordRefresh(RefreshStart start) : start_(std::move(start)) {
    FileRequest request;
    request.path = WordPath(start_.id.name);
    request.file_names = {"words"};
    request.stored_as = "words";
    request.max_bytes = 4096;
    wanted_ = request;
  }

  std::optional<FileRequest> Wanted() const override { return wanted_; }

  void Supply(Fetched answer) override {
    wanted_.reset();
    if (!answer) {
      RefreshFailure failure;
      failure.error = {answer.error().kind == FetchFailure::Kind::kNotFound ? Reason::kNoTrustData
                                                                            : Reason::kUnreachable,
                       "there are no words"};
      failure.at = "words";
      if (answer.error().kind == FetchFailure::Kind::kNetwork) failure.cause = answer.error().cause;
      failure.not_found = answer.error().kind == FetchFailure::Kind::kNotFound;
      outcome_ = tl::unexpected(std::move(failure));
      return;
    }
    const bool stored = start_.source == RefreshStart::Source::kStore;
    Committed committed;
    committed.set = std::make_shared<const WordSet>(start_.id, answer->bytes,
                                                    stored ? start_.verified_at : start_.now);
    committed.files = {{"words", Sha256Of(answer->bytes), answer->bytes}};
    committed.changed = true;
    outcome_ = std::move(committed);
  }

  RefreshOutcome Finish() override { return *std::move(outcome_); }

 private:
  const RefreshStart start_;
  std::optional<FileRequest> wanted_;
  std::optional<RefreshOutcome> outcome_;
};

class Words final : public Kind {
 public:
  std::string_view name() const override { return "word"; }
  const std::vector<std::string>& rule_keys() const override {
    static const std::vector<std::string> keys = {"word", "written_as"};
    return keys;
  }
  std::string_view signed_as_key() const override { return "written_as"; }
  RuleDemand ReadDemand(KeyReader& keys) const override {
    if (!keys.Has("word") && keys.verifies()) keys.Missing("word", "what the file begins with");
    const auto word = keys.String("word");
    return {WordDemandOf(word ? word->value : ""), std::nullopt};
  }
  std::optional<std::string> CollectionFor(std::string_view signed_as) const override {
    return std::string(signed_as);
  }
  bool MayHold(const std::string& name, const ImagePattern& images) const override {
    return images.Matches(name);
  }
  std::optional<std::string> ParseName(std::string_view text) const override {
    return std::string(text);
  }
  std::unique_ptr<Refresh> Begin(RefreshStart start) const override {
    return std::make_unique<WordRefresh>(std::move(start));
  }
  bool IsAnchorFile(std::string_view /*stored_as*/) const override { return false; }
  FileRequest AnchorRequest(const CollectionId& id, const Limits& /*limits*/) const override {
    FileRequest request;
    request.path = WordPath(id.name);
    return request;
  }
  Result<AnchorText> DescribeAnchor(std::string file, const CollectionId& /*id*/,
                                    const std::string& /*image*/, const std::string& /*trust*/,
                                    TimePoint /*now*/) const override {
    return AnchorText{{std::move(file)}, {}};
  }
  std::string NobodySigns(const Evidence& /*judged*/) const override { return ""; }
  std::string HowToSign(std::string_view image) const override {
    return "write a line for " + std::string(image);
  }
};

}  // namespace

const Kind& WordKind() {
  static const Words kind;
  return kind;
}

SharedDemand WordDemandOf(std::string word) {
  auto demand = std::make_shared<WordDemand>();
  demand->word = std::move(word);
  return demand;
}

std::string WordPath(const std::string& collection) { return "/words/" + collection; }

}  // namespace crivet::trust
