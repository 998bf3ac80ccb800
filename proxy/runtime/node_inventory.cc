// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/node_inventory.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "containerd/services/images/v1/images.grpc.pb.h"
#include "proxy/runtime/image_names.h"
#include "proxy/runtime/map_entries.h"
#include "proxy/runtime/runtime_client.h"
#include "runtime/v1/api.grpc.pb.h"

namespace crivet::proxy {
namespace {

namespace cri = ::runtime::v1;
namespace native = ::containerd::services::images::v1;

constexpr std::chrono::seconds kPatience{10};

trust::Result<cri::ListImagesResponse> ListImages(const std::string& socket) {
  const auto images = cri::ImageService::NewStub(RuntimeChannel(socket));
  cri::ListImagesResponse response;
  const grpc::Status status =
      images->ListImages(BlockingContext(kPatience).get(), cri::ListImagesRequest(), &response);
  if (status.ok()) return response;
  return trust::Fail(trust::Reason::kUnreachable, "the runtime does not answer at " + socket +
                                                      ": ListImages: " + status.error_message());
}

trust::Result<cri::ListContainersResponse> ListRunning(const std::string& socket) {
  const auto runtime = cri::RuntimeService::NewStub(RuntimeChannel(socket));
  cri::ListContainersRequest request;
  request.mutable_filter()->mutable_state()->set_state(cri::CONTAINER_RUNNING);
  cri::ListContainersResponse response;
  const grpc::Status status =
      runtime->ListContainers(BlockingContext(kPatience).get(), request, &response);
  if (status.ok()) return response;
  return trust::Fail(
      trust::Reason::kUnreachable,
      "the runtime does not answer at " + socket + ": ListContainers: " + status.error_message());
}

using Targets = std::map<std::string, trust::Sha256Digest>;

/// Name -> target, from containerd's own API; nothing where the runtime has none.
trust::Result<std::optional<Targets>> NativeTargets(const std::string& socket) {
  const auto images = native::Images::NewStub(RuntimeChannel(socket));
  auto context = BlockingContext(kPatience);
  context->AddMetadata("containerd-namespace", "k8s.io");
  native::ListImagesResponse response;
  const grpc::Status status = images->List(context.get(), native::ListImagesRequest(), &response);
  if (status.error_code() == grpc::UNIMPLEMENTED) return std::nullopt;
  if (!status.ok()) {
    return trust::Fail(trust::Reason::kUnreachable, "Images.List: " + status.error_message());
  }
  Targets targets;
  for (const native::Image& image : response.images()) {
    if (const auto digest = trust::Sha256Digest::Parse(image.target().digest())) {
      targets.emplace(image.name(), *digest);
    }
  }
  return targets;
}

void Add(const cri::Image& image, NodeImage name, NodeInventory& inventory) {
  inventory.names_of[image.id()].push_back(inventory.names.size());
  inventory.names.push_back(std::move(name));
}

void AddNativeNames(const cri::Image& image, const Targets& targets, NodeInventory& inventory) {
  for (const auto* names : {&image.repo_tags(), &image.repo_digests()}) {
    for (const std::string& name : *names) {
      if (const auto found = targets.find(name); found != targets.end()) {
        Add(image, {name, found->second}, inventory);
      }
    }
  }
}

/// The names of images where crivet keeps those that the runtime cannot be given: what the gate
/// shows of them.
class KeptInventory {
 public:
  KeptInventory(const cri::ListImagesResponse& images, const std::string& state_dir)
      : kept_(ImageNames::Load(state_dir)) {
    for (const cri::Image& image : images.images()) {
      pinned_.insert(image.repo_digests().begin(), image.repo_digests().end());
    }
  }

  void AddNames(const cri::Image& image, NodeInventory& inventory) const {
    std::set<std::string> tags;
    for (const std::string& tag : image.repo_tags()) {
      if (!IsKeptElsewhere(image, tag)) tags.insert(tag);
    }
    for (const std::string& pinned : image.repo_digests()) {
      for (std::string& tag : kept_.TagsOf(pinned)) tags.insert(std::move(tag));
    }
    for (const std::string& tag : tags) AddName(image, tag, inventory);
    for (const std::string& pinned : image.repo_digests()) AddName(image, pinned, inventory);
  }

 private:
  bool IsKeptElsewhere(const cri::Image& image, const std::string& tag) const {
    const auto reference = trust::ImageReference::Parse(tag);
    const auto kept = reference ? kept_.Look(reference->Canonical()) : std::nullopt;
    const auto& own = image.repo_digests();
    return kept && std::find(own.begin(), own.end(), kept->pinned) == own.end() &&
           pinned_.contains(kept->pinned);
  }

  void AddName(const cri::Image& image, const std::string& name, NodeInventory& inventory) const {
    const auto reference = trust::ImageReference::Parse(name);
    if (!reference) return;
    std::optional<trust::Sha256Digest> target = reference->digest();
    if (!target) target = kept_.Find(reference->Canonical());
    std::vector<trust::Sha256Digest> equals;
    for (const std::string& pinned : image.repo_digests()) {
      const auto other = trust::ImageReference::Parse(pinned);
      if (!other || !other->digest() || other->repository() != reference->repository()) continue;
      if (!target) target = other->digest();
      if (*other->digest() != *target) equals.push_back(*other->digest());
    }
    if (target) Add(image, {name, *target, std::move(equals)}, inventory);
  }

  ImageNames kept_;
  std::set<std::string> pinned_;
};

NodeContainer ContainerOf(const cri::Container& container) {
  const auto label = [&](const char* key) {
    const std::string* value = FindEntry(container.labels(), key);
    return value == nullptr ? std::string() : *value;
  };
  NodeContainer out;
  out.pod_namespace = label("io.kubernetes.pod.namespace");
  out.who =
      out.pod_namespace + "/" + label("io.kubernetes.pod.name") + "/" + container.metadata().name();
  // `image_id` is of newer runtimes; older ones give the ID in image_ref.
  out.image_id = container.image_id().empty() ? container.image_ref() : container.image_id();
  out.written = container.image().user_specified_image();
  return out;
}

}  // namespace

std::optional<std::uint64_t> CountImages(const std::string& image_upstream,
                                         std::chrono::milliseconds limit) {
  const auto images = cri::ImageService::NewStub(RuntimeChannel(image_upstream));
  cri::ListImagesResponse response;
  const grpc::Status status =
      images->ListImages(BlockingContext(limit).get(), cri::ListImagesRequest(), &response);
  if (!status.ok()) return std::nullopt;
  return static_cast<std::uint64_t>(response.images_size());
}

trust::Result<NodeInventory> TakeInventory(const std::string& upstream,
                                           const std::string& image_upstream,
                                           const std::string& state_dir) {
  const auto images = ListImages(image_upstream.empty() ? upstream : image_upstream);
  if (!images) return tl::unexpected(images.error());
  const auto running = ListRunning(upstream);
  if (!running) return tl::unexpected(running.error());
  const auto native_targets = NativeTargets(upstream);
  if (!native_targets) return tl::unexpected(native_targets.error());

  NodeInventory inventory;
  if (const auto& targets = *native_targets) {
    for (const cri::Image& image : images->images()) AddNativeNames(image, *targets, inventory);
  } else {
    const KeptInventory kept(*images, state_dir);
    for (const cri::Image& image : images->images()) kept.AddNames(image, inventory);
  }
  for (const cri::Container& container : running->containers()) {
    inventory.containers.push_back(ContainerOf(container));
  }
  return inventory;
}

}  // namespace crivet::proxy
