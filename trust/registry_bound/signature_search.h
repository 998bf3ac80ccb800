// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trust/decide/refresh.h"
#include "trust/oci/manifest.h"
#include "trust/registry_bound/signature_set.h"

namespace crivet::trust::registry_bound {

/// SignatureSearch asks a registry about one name: which digest it is, and what signatures lie
/// beside that, in all places where its dialect has them, until every demand has a good one
/// (trust/registry_bound/RULES.md#places). It asks at most kMaxRequests times. A place that could
/// not be asked is never taken for one that has nothing.
class SignatureSearch final : public Refresh {
 public:
  static constexpr std::size_t kMaxRequests = 32;

  SignatureSearch(RefreshStart start, const SignatureDialect& dialect);

  std::optional<FileRequest> Wanted() const override { return wanted_; }
  void Supply(Fetched answer) override;
  RefreshOutcome Finish() override { return *std::move(outcome_); }

 private:
  enum class Place : std::uint8_t { kReferrers, kFallbackTag, kSignatureTag };
  /// What is asked next, and what the answer is for.
  struct Step {
    enum class What : std::uint8_t { kResolve, kPlace, kManifest, kImage, kContent } what;
    RegistryRequest request;
    Place place = Place::kReferrers;
    /// Of kContent: whose it is.
    std::vector<oci::Descriptor> layers = {};
  };

  void BeginAt(const Sha256Digest& digest);
  void Take(const Step& step, FetchedFile file);
  void TakePlace(const Step& step, const FetchedFile& file);
  /// Of what lies in a place and cannot be read.
  void PassOver(const Error& place);
  void TakeIndex(const Step& step, const FetchedFile& file);
  void TakeManifest(const FetchedFile& file);
  void TakeImage(const FetchedFile& file);
  void TakeContent(const Step& step, std::string content);
  void JudgeLayers(const std::vector<oci::Descriptor>& layers, const std::string& content);
  void Miss(const Step& step, const FetchFailure& failure);
  void Judge(SignatureBytes signature);
  Error WhyRefused(std::vector<SignatureResult<VerifiedSignature>> refused) const;
  void Next();
  void End();
  void Fail(Reason reason, std::string detail);
  void AskPlace(Place place, std::size_t skip_hosts, std::string page = {});
  Step ContentStep(Step::What what, const Sha256Digest& content) const;
  /// What was found: the first `at_once` of it next, the rest when every place was asked, so that
  /// whoever may push hides no place by what is put into another.
  void AskFor(std::vector<Step> best_first, std::size_t at_once);
  WantedImage Image() const;
  EvidenceFor Whom() const;
  bool AllHaveOne() const { return lacking_.empty(); }
  RefreshOutcome Verified() const;
  /// Whether it is asked which digest a tag is.
  bool DecidesTag() const;
  /// Whether what was signed then is older than what the tag has been, for a demand that minds.
  bool IsTooEarly(const std::optional<TimePoint>& signed_at, const SignatureDemand& demand) const;
  bool IsOfAClockAhead(const StoredSignature& stored, const SignatureDemand& demand) const;
  std::optional<TimePoint> TimeOfTag() const;

  const RefreshStart start_;
  const SignaturePlace place_;
  const SignatureDialect& dialect_;
  std::shared_ptr<const SignatureSet> before_;
  std::optional<Sha256Digest> digest_;
  std::deque<Step> steps_;
  std::optional<FileRequest> wanted_;
  std::size_t requests_ = 0;
  /// Whether something that may hold a signature was not read to its end.
  bool cut_off_ = false;

  /// Demands without a good signature, by their fingerprint, with what was found for each.
  std::map<Sha256, std::vector<SignatureResult<VerifiedSignature>>> lacking_;
  /// Those among them for which what is kept holds no longer, and may still count.
  std::set<Sha256> aged_;
  /// Those for which what is kept has not been confirmed for long, whether it has aged or not.
  std::set<Sha256> unconfirmed_;
  std::vector<StoredSignature> good_;
  std::set<Sha256Digest> seen_manifests_;
  std::set<std::pair<Sha256Digest, std::string>> seen_contents_;  ///< with the layer's type
  /// Of the layers under a tag: several may have the same.
  std::map<Sha256Digest, std::string> contents_;
  bool image_is_asked_ = false;
  std::optional<ImageManifest> image_;
  std::optional<FetchFailure> away_;
  std::optional<RefreshOutcome> outcome_;
};

/// StoredSignatures reads back what was stored, each file by its name.
class StoredSignatures final : public Refresh {
 public:
  StoredSignatures(RefreshStart start, const SignatureDialect& dialect);

  std::optional<FileRequest> Wanted() const override;
  void Supply(Fetched answer) override;
  RefreshOutcome Finish() override;

 private:
  const RefreshStart start_;
  const SignatureDialect& dialect_;
  std::size_t next_ = 0;
  std::vector<StoredSignature> read_;
};

}  // namespace crivet::trust::registry_bound
