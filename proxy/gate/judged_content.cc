// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/judged_content.h"

#include <algorithm>
#include <utility>

namespace crivet::proxy {
namespace {

using Examined = RuntimeContainers::Examined;
using Finding = RuntimeContainers::Finding;
using Use = tl::expected<ImageUse, grpc::Status>;

Task<Use> JudgeSpec(GateCall& call, cri::ImageSpec& spec) {
  auto use = co_await JudgeImageUse(call, spec);
  if (!use) co_return use;
  if (!use->rewrite_to.empty()) spec.set_image(use->rewrite_to);
  if (spec.image_ref().empty() || spec.image_ref() == spec.image()) co_return use;

  // No runtime goes by `image_ref` yet; one that will must not find anything there unjudged.
  cri::ImageSpec by_ref = spec;
  by_ref.set_image(spec.image_ref());
  auto ref_use = co_await JudgeImageUse(call, by_ref);
  if (!ref_use) co_return ref_use;
  if (!ref_use->rewrite_to.empty()) spec.set_image_ref(ref_use->rewrite_to);
  co_return use;
}

template <typename Manifest>
bool AllIn(const std::vector<Manifest>& all, const std::vector<Manifest>& known) {
  return std::all_of(all.begin(), all.end(), [&](const Manifest& one) {
    return std::find(known.begin(), known.end(), one) != known.end();
  });
}

// A remote snapshotter does not look into layers: equal names say nothing there of what is in them,
// so that every manifest counts, those too that came while the container was made.
Task<Examined> ExamineManifests(GateCall& call, const JudgedImage& judged,
                                const std::string& snapshotter) {
  const auto& remote = call.settings().remote_snapshotters;
  if (std::find(remote.begin(), remote.end(), snapshotter) == remote.end()) {
    co_return Examined(Finding::kAsJudged);
  }
  auto found = co_await call.parts().images.Find(call.downstream(), judged.id);
  if (!found) co_return Examined(tl::unexpect, std::move(found.error()));
  const bool same = found->has_value() && AllIn((*found)->targets, judged.manifests) &&
                    AllIn((*found)->odd_targets, judged.odd_manifests);
  co_return Examined(same ? Finding::kAsJudged : Finding::kOther);
}

}  // namespace

Task<tl::expected<JudgedContent, grpc::Status>> JudgeContent(GateCall& call,
                                                             cri::ContainerConfig& config) {
  using Result = tl::expected<JudgedContent, grpc::Status>;
  JudgedContent content;
  auto root = co_await JudgeSpec(call, *config.mutable_image());
  if (!root) co_return Result(tl::unexpect, std::move(root.error()));
  content.root = std::move(root->judged);
  for (auto& mount : *config.mutable_mounts()) {
    if (!mount.has_image()) continue;
    auto volume = co_await JudgeSpec(call, *mount.mutable_image());
    if (!volume) co_return Result(tl::unexpect, std::move(volume.error()));
    if (!volume->judged) continue;
    content.volumes.push_back({mount.container_path(), *std::move(volume->judged)});
  }
  co_return Result(std::move(content));
}

Task<grpc::Status> CanBeExamined(GateCall& call, const Judgement& judgement) {
  if (!call.parts().images.translates()) co_return grpc::Status::OK;
  auto containerd = co_await call.parts().containers.IsContainerd(call.downstream());
  if (!containerd) co_return containerd.error();
  if (!*containerd) co_return grpc::Status::OK;
  co_return RefuseContent(call, judgement, trust::Reason::kState,
                          "containerd's own API is not served at the upstream socket, so that what "
                          "it makes of an image cannot be checked: see \"crivet check\"");
}

Task<grpc::Status> CanBeExamined(GateCall& call, const JudgedContent& content) {
  if (content.empty()) co_return grpc::Status::OK;
  co_return co_await CanBeExamined(call, content.any());
}

Task<Examined> ExamineContent(GateCall& call, const std::string& container_id,
                              const JudgedContent& content) {
  RuntimeContainers& containers = call.parts().containers;
  if (content.root) {
    auto root = co_await containers.ExamineRoot(container_id, content.root->id);
    if (!root) co_return Examined(tl::unexpect, std::move(root.error()));
    if (root->finding != Finding::kAsJudged) co_return Examined(root->finding);
    auto manifests = co_await ExamineManifests(call, *content.root, root->snapshotter);
    if (!manifests || *manifests != Finding::kAsJudged) co_return manifests;
  }
  std::vector<RuntimeContainers::Volume> volumes;
  for (const auto& [path, image] : content.volumes) {
    volumes.push_back({path, image.id, image.manifests});
  }
  auto mounted = co_await containers.ExamineVolumes(container_id, volumes);
  if (!mounted) co_return Examined(tl::unexpect, std::move(mounted.error()));
  if (mounted->finding != Finding::kAsJudged) co_return Examined(mounted->finding);
  for (const auto& volume : content.volumes) {
    auto manifests = co_await ExamineManifests(call, volume.image, mounted->snapshotter);
    if (!manifests || *manifests != Finding::kAsJudged) co_return manifests;
  }
  co_return Examined(Finding::kAsJudged);
}

Task<grpc::Status> PutOwnInFront(GateCall& call, const JudgedImage& image) {
  const auto reference = ReadName(image.judgement.canonical);
  const auto& local = image.judgement.local;
  if (!reference || (!local && image.manifests.empty())) {
    // Nothing to name it by. What is made of it is looked at all the same.
    co_return grpc::Status::OK;
  }
  const trust::Sha256Digest manifest = local ? *local : image.manifests.front();
  co_return co_await call.parts().own_references.PutInFront(*reference, manifest, image.id);
}

Task<grpc::Status> PutOwnInFront(GateCall& call, const JudgedContent& content) {
  if (content.root) {
    grpc::Status status = co_await PutOwnInFront(call, *content.root);
    if (!status.ok()) co_return status;
  }
  for (const auto& volume : content.volumes) {
    grpc::Status status = co_await PutOwnInFront(call, volume.image);
    if (!status.ok()) co_return status;
  }
  co_return grpc::Status::OK;
}

grpc::Status RefuseContent(GateCall& call, const Judgement& judged, trust::Reason reason,
                           std::string found) {
  const Judgement refused = call.Refuse(judged, reason, std::move(found));
  call.Record(refused);
  return refused.ToStatus();
}

}  // namespace crivet::proxy
