// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/image_use.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/gate/unnamed_use.h"
#include "trust/decide/kind.h"

namespace crivet::proxy {
namespace {

using trust::Reason;

constexpr int kLooksAgain = 2;

bool IsAllowRule(const Judgement& judgement) {
  return judgement.decision.applied.rule->action == trust::Action::kAllow;
}

// Under an `allow` rule the ID must be what the name means here now: an allowed name lends nothing
// to an ID that it does not carry.
Task<Judgement> CheckCarries(GateCall& call, Judgement judgement, const LocalImage& image) {
  const auto reference = ReadName(judgement.canonical);
  if (!reference) co_return call.JudgeText(judgement.canonical);
  auto named =
      co_await call.parts().images.Find(call.downstream(), judgement.canonical, *reference);
  if (!named) {
    co_return call.Refuse(std::move(judgement), Reason::kState,
                          "the runtime does not say which image has this name");
  }
  if (named->has_value() && (*named)->id == image.id) co_return judgement;
  co_return call.Refuse(std::move(judgement), Reason::kDigestMismatch,
                        "the image that is to run does not have this name");
}

Judgement WithoutManifests(GateCall& call, Judgement judgement) {
  return call.Refuse(std::move(judgement), Reason::kDigestNotSigned,
                     "the runtime knows no manifest of the image");
}

// The manifests of an image in the order in which they are judged as `reference`: its own first.
std::vector<trust::Sha256Digest> InOrder(const LocalImage& image,
                                         const trust::ImageReference& reference) {
  std::vector<trust::Sha256Digest> targets = image.targets;
  const std::string canonical = reference.Canonical();
  for (const auto& name : image.names) {
    if (name.text != canonical || !name.target) continue;
    const auto own = std::find(targets.begin(), targets.end(), *name.target);
    if (own != targets.end()) std::rotate(targets.begin(), own, own + 1);
  }
  return targets;
}

trust::NameHere NameHereOf(const LocalImage& image, const trust::ImageReference& reference,
                           const trust::Sha256Digest& target) {
  const std::string canonical = reference.Canonical();
  const bool is_this =
      std::any_of(image.names.begin(), image.names.end(), [&](const LocalImage::Name& name) {
        return name.text == canonical && name.target == target;
      });
  return is_this ? trust::NameHere::kIsThis : trust::NameHere::kUnknown;
}

// What is signed under the name now may be here without a name that says so.
Task<std::optional<Judgement>> JudgeSigned(GateCall& call, const Judgement& pull,
                                           const std::string& written,
                                           const trust::ImageReference& reference,
                                           const LocalImage& image) {
  using Result = std::optional<Judgement>;
  const auto& digest = pull.allow()->digest;
  if (!digest) co_return Result();
  const std::string manifest = digest->ToString();
  auto has = co_await call.parts().images.HasConfig(call.downstream(), manifest, image.id);
  if (!has.value_or(false)) co_return Result();
  trust::Question question{.reference = reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = *digest,
                           .credentials = std::nullopt};
  auto judgement = co_await call.Judge(std::move(question), written);
  if (judgement.allow() == nullptr) co_return Result();
  co_return Result(std::move(judgement));
}

// None of the manifests that are known by the image's names is vouched for.
Task<Judgement> JudgeByWhatIsSigned(GateCall& call, const std::string& written,
                                    const trust::ImageReference& reference, const LocalImage& image,
                                    std::optional<Judgement> refused) {
  trust::Question question{.reference = reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt};
  auto judgement = co_await call.Judge(std::move(question), written);
  if (judgement.allow() != nullptr) {
    if (IsAllowRule(judgement)) co_return co_await CheckCarries(call, std::move(judgement), image);
    auto accepted = co_await JudgeSigned(call, judgement, written, reference, image);
    if (accepted) co_return std::move(*accepted);
  }
  if (refused) co_return std::move(*refused);
  co_return WithoutManifests(call, std::move(judgement));
}

// Judges by the one name that the pod's author wrote; other names of the same image neither help
// nor hurt. What their manifests are was found out without asking: only the first of them may send
// for news.
Task<Judgement> JudgeNamed(GateCall& call, const std::string& written,
                           const trust::ImageReference& reference, const LocalImage& image,
                           Needs needs) {
  std::optional<Judgement> refused;
  std::optional<Judgement> accepted;
  auto reach = trust::Question::Reach::kRefresh;
  for (const auto& target : InOrder(image, reference)) {
    trust::Question question{.reference = reference,
                             .pod_namespace = call.pod_namespace(),
                             .local = target,
                             .name_here = NameHereOf(image, reference, target),
                             .credentials = std::nullopt,
                             .reach = reach};
    reach = trust::Question::Reach::kOffline;
    auto judgement = co_await call.Judge(std::move(question), written);
    if (judgement.allow() == nullptr) {
      if (!refused) refused.emplace(std::move(judgement));
      if (needs == Needs::kEveryManifest) co_return std::move(*refused);
      continue;
    }
    if (IsAllowRule(judgement)) co_return co_await CheckCarries(call, std::move(judgement), image);
    if (!accepted) accepted.emplace(std::move(judgement));
    if (needs == Needs::kOneManifest) co_return std::move(*accepted);
  }
  if (!accepted) {
    co_return co_await JudgeByWhatIsSigned(call, written, reference, image, std::move(refused));
  }
  if (image.odd_targets.empty()) co_return std::move(*accepted);
  co_return WithOtherManifests(call, std::move(*accepted));
}

std::string NamespaceOf(const GateCall& call) {
  const auto* name_space = std::get_if<std::string>(&call.pod_namespace());
  return name_space == nullptr ? std::string() : *name_space;
}

// Whether only a registry knows what the name would be by a pull.
bool IsRegistrysWord(const Judgement& refused) {
  const auto& members = refused.decision.applied.rule->members;
  return std::any_of(members.begin(), members.end(), [](const trust::Member& member) {
    return member.kind->asks() == trust::Kind::Asks::kNames;
  });
}

// ImageStatus said that it is here because another namespace's rule vouches for it.
Task<Done> LetHealByAsking(GateCall& call, const trust::ImageReference& reference,
                           const LocalImage& image, const Judgement& refused) {
  const std::string written = reference.Canonical();
  for (const auto& target : InOrder(image, reference)) {
    trust::Question question{.reference = reference,
                             .pod_namespace = trust::AnyNamespace{},
                             .local = target,
                             .name_here = NameHereOf(image, reference, target),
                             .credentials = std::nullopt,
                             .reach = trust::Question::Reach::kOffline};
    const auto any = co_await call.Judge(std::move(question), written);
    if (any.allow() == nullptr || any.decision.applied.rule == refused.decision.applied.rule) {
      continue;
    }
    call.parts().absent_once.AddSeldom(written, NamespaceOf(call), AbsentOnce::Clock::now());
    co_return Done{};
  }
  co_return Done{};
}

// A pod whose namespace would be allowed other content of the name heals by a pull, which kubelet
// makes only where ImageStatus answers absent (trust/RULES.md#namespaces).
Task<Done> LetHeal(GateCall& call, const trust::ImageReference& reference, const LocalImage& image,
                   const Judgement& refused) {
  if (reference.digest()) co_return Done{};
  if (IsRegistrysWord(refused)) {
    co_return co_await LetHealByAsking(call, reference, image, refused);
  }
  trust::Question question{.reference = reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt,
                           .reach = trust::Question::Reach::kOffline};
  const std::string written = reference.Canonical();
  const auto pull = co_await call.Judge(std::move(question), written);
  const auto* allow = pull.allow();
  if (allow == nullptr || !allow->digest) co_return Done{};
  const bool present =
      std::find(image.targets.begin(), image.targets.end(), *allow->digest) != image.targets.end();
  if (!present) {
    call.parts().absent_once.Add(written, NamespaceOf(call), AbsentOnce::Clock::now());
  }
  co_return Done{};
}

// Only asked where it matters: an ID with one manifest has nothing to choose from.
Task<tl::expected<Needs, grpc::Status>> NeedsOf(GateCall& call, const LocalImage& image) {
  using Result = tl::expected<Needs, grpc::Status>;
  if (!image.has_more_names && image.targets.size() + image.odd_targets.size() < 2) {
    co_return Result(Needs::kOneManifest);
  }
  auto remote = co_await call.parts().images.UsesRemoteSnapshotter(
      call.downstream(), call.settings().remote_snapshotters);
  if (!remote) co_return Result(tl::unexpect, remote.error());
  co_return Result(*remote ? Needs::kEveryManifest : Needs::kOneManifest);
}

using Outcome = tl::expected<ImageUse, grpc::Status>;

// What was preloaded, or ran before crivet came, was never pulled through it: from now on it may
// restart without a server.
void RememberUse(GateCall& call, const Judgement& judgement) {
  const auto* allow = judgement.allow();
  if (allow == nullptr || !allow->digest) return;
  const auto reference = ReadName(judgement.canonical);
  if (reference) call.parts().decider.Remember(*reference, judgement.decision);
}

Outcome Conclude(GateCall& call, const Judgement& judgement, std::string rewrite_to) {
  call.Record(judgement);
  if (judgement.Refuses()) return tl::unexpected(judgement.ToStatus());
  RememberUse(call, judgement);
  return ImageUse{judgement.InAudit() ? std::string() : std::move(rewrite_to), std::nullopt};
}

// In the runtime's own words.
grpc::Status NotHere(const std::string& image) {
  return {grpc::NOT_FOUND, "failed to resolve image \"" + image + "\": not found"};
}

// Whoever gives the image another name, of a checkpoint with the same configuration, must not stop
// those who were allowed this manifest: a name of crivet's own goes before his.
Task<RuntimeImages::IsCheckpoint> StaysInFront(GateCall& call, const Judgement& judgement,
                                               const LocalImage& image) {
  using Result = RuntimeImages::IsCheckpoint;
  const auto reference = ReadName(judgement.canonical);
  if (!reference || !judgement.local || call.parts().images.translates()) co_return Result(true);
  // What the author's own name stands for is what he asked for.
  const auto own =
      std::find_if(image.names.begin(), image.names.end(),
                   [&](const LocalImage::Name& it) { return it.text == judgement.canonical; });
  if (own != image.names.end() && own->target != judgement.local) co_return Result(true);
  LocalImage allowed;
  allowed.id = image.id;
  allowed.to_run = {judgement.local->ToString()};
  auto itself = co_await call.parts().images.HasCheckpoint(call.downstream(), allowed);
  if (!itself || *itself) co_return itself;
  grpc::Status front =
      co_await call.parts().own_references.PutInFront(*reference, *judgement.local, image.id);
  if (!front.ok()) co_return Result(tl::unexpect, std::move(front));
  co_return Result(false);
}

// containerd restores a checkpoint inside CreateContainer, and pulls what is named inside it.
Task<tl::expected<Judgement, grpc::Status>> CheckCheckpoint(GateCall& call, Judgement judgement,
                                                            const LocalImage& image) {
  using Result = tl::expected<Judgement, grpc::Status>;
  if (judgement.allow() == nullptr || call.settings().allow_checkpoint) {
    co_return Result(std::move(judgement));
  }
  auto checkpoint = co_await call.parts().images.HasCheckpoint(call.downstream(), image);
  if (!checkpoint && !judgement.InAudit()) co_return Result(tl::unexpect, checkpoint.error());
  if (checkpoint.value_or(false) && !judgement.InAudit()) {
    checkpoint = co_await StaysInFront(call, judgement, image);
    if (!checkpoint) co_return Result(tl::unexpect, checkpoint.error());
  }
  if (checkpoint.value_or(false)) {
    judgement = call.Refuse(std::move(judgement), Reason::kDenied,
                            "the image is a checkpoint, which the runtime would restore");
  }
  co_return Result(std::move(judgement));
}

// A path, a shortened ID or nonsense. With a path containerd restores a checkpoint archive, and a
// shortened ID is an image, whatever the rules say of its names; nothing is nothing to any runtime.
Judgement JudgeNonsense(GateCall& call, const std::string& text) {
  auto judgement = call.JudgeText(text);
  if (judgement.allow() == nullptr || text.empty()) return judgement;
  return call.Refuse(std::move(judgement), Reason::kNotAReference, "not an image reference");
}

struct Looked {
  std::optional<LocalImage> image;
  Needs needs = Needs::kOneManifest;
};

// What there is to be judged: for a pod's author what his name means, else every name.
Task<tl::expected<Looked, grpc::Status>> Look(
    GateCall& call, const std::string& lookup,
    const std::optional<trust::ImageReference>& reference) {
  using Result = tl::expected<Looked, grpc::Status>;
  RuntimeImages& images = call.parts().images;
  auto finding = reference ? images.Find(call.downstream(), lookup, *reference)
                           : images.Find(call.downstream(), lookup);
  auto found = co_await finding;
  if (!found) co_return Result(tl::unexpect, found.error());
  Looked looked{std::move(*found)};
  if (!looked.image) co_return Result(std::move(looked));
  auto needs = co_await NeedsOf(call, *looked.image);
  if (!needs && !OnlyAudited(call, reference)) co_return Result(tl::unexpect, needs.error());
  looked.needs = needs.value_or(Needs::kOneManifest);
  if (looked.needs == Needs::kEveryManifest && looked.image->has_more_names) {
    auto whole = co_await images.Find(call.downstream(), lookup);
    if (!whole) co_return Result(tl::unexpect, whole.error());
    looked.image = std::move(*whole);
  }
  co_return Result(std::move(looked));
}

// Of what is restored nothing hangs from the image's layers.
Task<RuntimeImages::IsCheckpoint> IsRestored(GateCall& call, const LocalImage& image) {
  if (!call.settings().allow_checkpoint) co_return RuntimeImages::IsCheckpoint(false);
  co_return co_await call.parts().images.HasCheckpoint(call.downstream(), image);
}

}  // namespace

Task<Outcome> JudgeImageUse(GateCall& call, const cri::ImageSpec& spec) {
  // The runtime goes by `image`; the pod's author by what kubelet passes on of the pod.
  const bool by_id = IsId(call, spec.image());
  const bool by_author = !spec.user_specified_image().empty();
  const std::string& written = by_author ? spec.user_specified_image() : spec.image();
  std::optional<trust::ImageReference> reference;
  std::string lookup = spec.image();
  for (const std::string* text : {&spec.image(), &written}) {
    if (by_id && text == &spec.image()) continue;
    const auto name = ReadName(*text);
    if (!name) co_return Conclude(call, JudgeNonsense(call, *text), "");
    if (text == &spec.image()) lookup = name->Canonical();
    reference = *name;
  }

  // In audit mode nothing that is found out here, or cannot be, may end the call.
  const bool audit_only = OnlyAudited(call, reference);
  for (int looks = 1;; ++looks) {
    auto found = co_await Look(call, lookup, reference);
    if (!found || !found->image) {
      if (audit_only) co_return Outcome(ImageUse());
      co_return Outcome(tl::unexpect, found ? NotHere(spec.image()) : found.error());
    }
    const LocalImage& image = *found->image;
    auto judging = reference ? JudgeNamed(call, written, *reference, image, found->needs)
                             : JudgeUnnamed(call, written, image, found->needs);
    auto judgement = co_await judging;
    // A name that moves while it is judged is judged again: CRI hears of it a moment later. What is
    // known by its ID and the author's name does not hang on that.
    const bool may_change = image.has_moved && !(by_id && reference);
    if (judgement.Refuses() && may_change && looks <= kLooksAgain) continue;
    if (judgement.Refuses() && reference) co_await LetHeal(call, *reference, image, judgement);
    auto checked = co_await CheckCheckpoint(call, std::move(judgement), image);
    if (!checked) co_return Outcome(tl::unexpect, checked.error());
    auto outcome = Conclude(call, *checked, by_id ? std::string() : image.id);
    // In no mode does the runtime know a name of crivet's keeping.
    if (outcome && image.by_kept_name) outcome->rewrite_to = image.id;
    if (!outcome || checked->InAudit()) co_return outcome;
    auto restored = co_await IsRestored(call, image);
    if (!restored) co_return Outcome(tl::unexpect, restored.error());
    if (!*restored) {
      outcome->judged =
          JudgedImage{*std::move(checked), image.id, image.targets, image.odd_targets};
    }
    co_return outcome;
  }
}

}  // namespace crivet::proxy
