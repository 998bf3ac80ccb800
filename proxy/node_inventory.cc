// What a runtime holds and runs, as node_review.h wants it.
#include <set>

#include "containerd/services/images/v1/images.grpc.pb.h"
#include "proxy/map_entries.h"
#include "proxy/node_review.h"
#include "proxy/runtime_client.h"
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

/// Name -> target, from containerd's own API; empty where the runtime has none.
std::map<std::string, trust::Sha256Digest> NativeTargets(const std::string& socket) {
  const auto images = native::Images::NewStub(RuntimeChannel(socket));
  auto context = BlockingContext(kPatience);
  context->AddMetadata("containerd-namespace", "k8s.io");
  native::ListImagesResponse response;
  std::map<std::string, trust::Sha256Digest> targets;
  if (!images->List(context.get(), native::ListImagesRequest(), &response).ok()) return targets;
  for (const native::Image& image : response.images()) {
    if (const auto digest = trust::Sha256Digest::Parse(image.target().digest())) {
      targets.emplace(image.name(), *digest);
    }
  }
  return targets;
}

// Without the native API a tag's target is the digest that stands under the same repository.
std::optional<trust::Sha256Digest> TargetByRepository(const cri::Image& image,
                                                      const std::string& name) {
  const auto reference = trust::ImageReference::Parse(name);
  if (!reference) return std::nullopt;
  if (reference->digest()) return reference->digest();
  for (const std::string& pinned : image.repo_digests()) {
    const auto other = trust::ImageReference::Parse(pinned);
    if (other && other->repository() == reference->repository() && other->digest()) {
      return other->digest();
    }
  }
  return std::nullopt;
}

void AddNames(const cri::Image& image,
              const std::map<std::string, trust::Sha256Digest>& native_targets,
              NodeInventory& inventory) {
  const auto add = [&](const std::string& name) {
    std::optional<trust::Sha256Digest> target;
    if (const auto found = native_targets.find(name); found != native_targets.end()) {
      target = found->second;
    } else {
      target = TargetByRepository(image, name);
    }
    if (!target) return;
    inventory.names_of[image.id()].push_back(inventory.names.size());
    inventory.names.push_back({name, *target});
  };
  for (const std::string& tag : image.repo_tags()) add(tag);
  for (const std::string& pinned : image.repo_digests()) add(pinned);
}

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
                                           const std::string& image_upstream) {
  const auto images = ListImages(image_upstream.empty() ? upstream : image_upstream);
  if (!images) return tl::unexpected(images.error());
  const auto running = ListRunning(upstream);
  if (!running) return tl::unexpected(running.error());
  const auto native_targets = NativeTargets(upstream);

  NodeInventory inventory;
  for (const cri::Image& image : images->images()) AddNames(image, native_targets, inventory);
  for (const cri::Container& container : running->containers()) {
    inventory.containers.push_back(ContainerOf(container));
  }
  return inventory;
}

}  // namespace crivet::proxy
