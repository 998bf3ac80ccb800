#include "proxy/image_use.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace crivet::proxy {
namespace {

using trust::Reason;

// Whether one accepted manifest of an ID speaks for all of them: equal configuration means equal
// layers, and containerd checks that when it unpacks. A remote snapshotter does not unpack.
enum class Needs { kOneManifest, kEveryManifest };

bool IsAllowRule(const Judgement& judgement) {
  return judgement.decision.applied.rule->action == trust::Action::kAllow;
}

bool IsDenyRule(const Judgement& judgement) {
  return judgement.decision.applied.rule->action == trust::Action::kDeny;
}

// Under an `allow` rule the ID must be what the name means here now: an allowed name lends nothing
// to an ID that it does not carry.
Task<Judgement> CheckCarries(GateCall& call, Judgement judgement, const LocalImage& image) {
  auto named = co_await call.parts().images.Find(call.downstream(), judgement.canonical);
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

Judgement WithOtherManifests(GateCall& call, Judgement judgement) {
  return call.Refuse(std::move(judgement), Reason::kDigestNotSigned,
                     "another manifest of the image is not vouched for, and the snapshotter does "
                     "not check layers");
}

// Judges by the one name that the pod's author wrote; other names of the same image never help.
Task<Judgement> JudgeNamed(GateCall& call, const std::string& written,
                           const trust::ImageReference& reference, const LocalImage& image,
                           Needs needs) {
  std::optional<Judgement> refused;
  std::optional<Judgement> accepted;
  for (const auto& target : image.targets) {
    trust::Question question{.reference = reference,
                             .pod_namespace = call.pod_namespace(),
                             .local = target,
                             .credentials = std::nullopt};
    auto judgement = co_await call.Judge(std::move(question), written);
    if (judgement.allow() == nullptr) {
      if (!refused) refused.emplace(std::move(judgement));
      continue;
    }
    if (IsAllowRule(judgement)) co_return co_await CheckCarries(call, std::move(judgement), image);
    if (!accepted) accepted.emplace(std::move(judgement));
  }
  const bool every = !refused && image.odd_targets.empty();
  if (accepted && (needs == Needs::kOneManifest || every)) co_return std::move(*accepted);
  if (refused) co_return std::move(*refused);
  if (accepted) co_return WithOtherManifests(call, std::move(*accepted));
  trust::Question question{.reference = reference,
                           .pod_namespace = call.pod_namespace(),
                           .local = std::nullopt,
                           .credentials = std::nullopt};
  auto judgement = co_await call.Judge(std::move(question), written);
  if (judgement.allow() != nullptr && IsAllowRule(judgement)) {
    co_return co_await CheckCarries(call, std::move(judgement), image);
  }
  co_return WithoutManifests(call, std::move(judgement));
}

// kubelet before 1.28 sends the ID alone: some name of it must satisfy its rule, and none may fall
// under `deny`.
Task<Judgement> JudgeUnnamed(GateCall& call, const std::string& written, const LocalImage& image,
                             Needs needs) {
  std::optional<Judgement> refused;
  std::optional<Judgement> accepted;
  std::vector<trust::Sha256Digest> vouched;
  for (const auto& name : image.names) {
    const auto reference = ReadName(name.text);
    if (!reference) continue;
    trust::Question question{.reference = *reference,
                             .pod_namespace = call.pod_namespace(),
                             .local = name.target,
                             .credentials = std::nullopt};
    // Nothing can be found out about content that is not known, but who forbids the name.
    if (!name.target) question.reach = trust::Question::Reach::kOffline;
    auto judgement = co_await call.Judge(std::move(question), written);
    if (IsDenyRule(judgement) && judgement.Refuses()) co_return judgement;
    if (judgement.Refuses()) {
      if (!refused) refused.emplace(std::move(judgement));
      continue;
    }
    if (!name.target) continue;
    vouched.push_back(*name.target);
    if (!accepted) accepted.emplace(std::move(judgement));
  }
  const bool every = image.odd_targets.empty() &&
                     std::all_of(image.targets.begin(), image.targets.end(), [&](const auto& it) {
                       return std::find(vouched.begin(), vouched.end(), it) != vouched.end();
                     });
  if (accepted && (needs == Needs::kOneManifest || every)) co_return std::move(*accepted);
  if (refused) co_return std::move(*refused);
  if (accepted) co_return WithOtherManifests(call, std::move(*accepted));
  auto nameless = call.JudgeText(written);
  co_return call.Refuse(std::move(nameless), Reason::kDigestNotSigned,
                        "the image has no name here that a rule could vouch for");
}

// A pod whose namespace would be allowed other content of the name heals by a pull, which kubelet
// makes only where ImageStatus answers absent (DESIGN 4, namespaces).
Task<Done> LetHeal(GateCall& call, const trust::ImageReference& reference,
                   const LocalImage& image) {
  if (reference.digest()) co_return Done{};
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
  if (!present) call.parts().healing.Add(written, HealingNames::Clock::now());
  co_return Done{};
}

// Only asked where it matters: an ID with one manifest has nothing to choose from.
Task<tl::expected<Needs, grpc::Status>> NeedsOf(GateCall& call, const LocalImage& image) {
  using Result = tl::expected<Needs, grpc::Status>;
  if (image.targets.size() + image.odd_targets.size() < 2) co_return Result(Needs::kOneManifest);
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
  return ImageUse{judgement.InAudit() ? std::string() : std::move(rewrite_to)};
}

// In the runtime's own words.
grpc::Status NotHere(const std::string& image) {
  return {grpc::NOT_FOUND, "failed to resolve image \"" + image + "\": not found"};
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
  if (checkpoint.value_or(false)) {
    judgement = call.Refuse(std::move(judgement), Reason::kDenied,
                            "the image is a checkpoint, which the runtime would restore");
  }
  co_return Result(std::move(judgement));
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
    // A path, a shortened ID or nonsense. With a path containerd restores a checkpoint archive.
    if (!name) co_return Conclude(call, call.JudgeText(*text), "");
    if (text == &spec.image()) lookup = name->Canonical();
    reference = *name;
  }

  // In audit mode nothing that is found out here, or cannot be, may end the call.
  const bool audit_only = OnlyAudited(call, reference);
  auto found = co_await call.parts().images.Find(call.downstream(), lookup);
  if (!found || !found->has_value()) {
    if (audit_only) co_return Outcome(ImageUse());
    co_return Outcome(tl::unexpect, found ? NotHere(spec.image()) : found.error());
  }
  const LocalImage& image = **found;

  auto needs = co_await NeedsOf(call, image);
  if (!needs && audit_only) needs = Needs::kOneManifest;
  if (!needs) co_return Outcome(tl::unexpect, needs.error());
  auto judging = reference ? JudgeNamed(call, written, *reference, image, *needs)
                           : JudgeUnnamed(call, written, image, *needs);
  auto judgement = co_await judging;
  if (judgement.Refuses() && reference) co_await LetHeal(call, *reference, image);
  auto checked = co_await CheckCheckpoint(call, std::move(judgement), image);
  if (!checked) co_return Outcome(tl::unexpect, checked.error());
  auto outcome = Conclude(call, *checked, by_id ? std::string() : image.id);
  // In no mode does the runtime know a name of crivet's keeping.
  if (outcome && image.by_kept_name) outcome->rewrite_to = image.id;
  co_return outcome;
}

}  // namespace crivet::proxy
