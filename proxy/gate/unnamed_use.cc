// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/unnamed_use.h"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

namespace crivet::proxy {
namespace {

using trust::Question;
using trust::Reason;

// So many names are asked about at once where memory is not enough.
constexpr std::size_t kAtOnce = 64;

bool IsDenyRule(const Judgement& judgement) {
  return judgement.decision.applied.rule->action == trust::Action::kDeny;
}

Question About(GateCall& call, const trust::ImageReference& reference,
               const std::optional<trust::Sha256Digest>& target, Question::Reach reach) {
  return Question{.reference = reference,
                  .pod_namespace = call.pod_namespace(),
                  .local = target,
                  .name_here = target ? trust::NameHere::kIsThis : trust::NameHere::kUnknown,
                  .credentials = std::nullopt,
                  .reach = reach};
}

// Tally is what the names of an image come to.
class Tally {
 public:
  Tally(const LocalImage& image, Needs needs) : image_(image), needs_(needs) {}

  void Add(Judgement judgement) {
    if (judgement.Refuses()) {
      if (!refused_) refused_.emplace(std::move(judgement));
      return;
    }
    if (!judgement.local) return;
    vouched_.insert(judgement.local->ToString());
    if (!accepted_) accepted_.emplace(std::move(judgement));
  }

  // They are asked again, and the newest word is the one to tell.
  void ForgetRefusals() { refused_.reset(); }

  bool Suffices() const {
    return accepted_ && (needs_ == Needs::kOneManifest || EveryManifestIsVouchedFor());
  }

  Judgement Conclude(GateCall& call, const std::string& written) && {
    if (Suffices()) return std::move(*accepted_);
    if (refused_) return std::move(*refused_);
    if (accepted_) return WithOtherManifests(call, std::move(*accepted_));
    return call.Refuse(call.JudgeText(written), Reason::kDigestNotSigned,
                       "the image has no name here that a rule could vouch for");
  }

 private:
  bool EveryManifestIsVouchedFor() const {
    return image_.odd_targets.empty() &&
           std::all_of(image_.targets.begin(), image_.targets.end(),
                       [&](const auto& target) { return vouched_.contains(target.ToString()); });
  }

  const LocalImage& image_;
  Needs needs_;
  std::optional<Judgement> refused_;
  std::optional<Judgement> accepted_;
  std::unordered_set<std::string> vouched_;
};

}  // namespace

Judgement WithOtherManifests(GateCall& call, Judgement judgement) {
  return call.Refuse(std::move(judgement), Reason::kDigestNotSigned,
                     "another manifest of the image is not vouched for, and the snapshotter does "
                     "not check layers");
}

Task<Judgement> JudgeUnnamed(GateCall& call, const std::string& written, const LocalImage& image,
                             Needs needs) {
  // Who forbids a name is known without asking anybody, and so is most of what is vouched for.
  Tally tally(image, needs);
  std::vector<Question> open;
  for (const auto& name : image.names) {
    const auto reference = ReadName(name.text);
    if (!reference) continue;
    auto question = About(call, *reference, name.target, Question::Reach::kOffline);
    auto judgement = co_await call.Judge(std::move(question), written);
    if (judgement.Refuses() && IsDenyRule(judgement)) co_return judgement;
    // Nothing more can be found out about content that is not known.
    if (judgement.Refuses() && name.target) {
      open.push_back(About(call, *reference, name.target, Question::Reach::kRefresh));
    }
    tally.Add(std::move(judgement));
  }
  if (tally.Suffices() || open.empty()) co_return std::move(tally).Conclude(call, written);

  tally.ForgetRefusals();
  for (std::size_t at = 0; at < open.size() && !tally.Suffices(); at += kAtOnce) {
    const std::size_t end = std::min(open.size(), at + kAtOnce);
    const std::span<Question> next(open.data() + at, end - at);
    std::vector<Question> some(std::make_move_iterator(next.begin()),
                               std::make_move_iterator(next.end()));
    auto judgements = co_await call.JudgeAll(std::move(some), written);
    for (auto& judgement : judgements) tally.Add(std::move(judgement));
    if (call.downstream().IsCancelled()) break;
  }
  co_return std::move(tally).Conclude(call, written);
}

}  // namespace crivet::proxy
