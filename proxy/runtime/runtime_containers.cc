// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/runtime_containers.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace snapshots = ::containerd::services::snapshots::v1;

// A runtime that is busy has as long as it answers other calls; this is for one that loses a call.
constexpr std::chrono::minutes kLongest{10};
// The runtime itself reads a configuration whole; those of real images have kilobytes.
constexpr std::size_t kMaxConfigBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxCachedChains = 4096;

// A mounted image lies in a folder that is named by its manifest's digest, whose path is the key of
// its snapshot; what is mounted may be a folder below.
std::string SnapshotKeyOf(const std::string& source,
                          const std::vector<trust::Sha256Digest>& manifests) {
  std::size_t begin = 0;
  while (begin < source.size()) {
    const std::size_t end = std::min(source.find('/', begin), source.size());
    const auto part = std::string_view(source).substr(begin, end - begin);
    const auto named = trust::Sha256Digest::FromHex(part);
    if (named && std::find(manifests.begin(), manifests.end(), *named) != manifests.end()) {
      return source.substr(0, end);
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace

void CheckedContainers::Add(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(id)) return;
  if (by_id_.size() >= kMax) {
    by_id_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  by_id_[id] = oldest_first_.insert(oldest_first_.end(), id);
}

bool CheckedContainers::Contains(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return by_id_.contains(id);
}

void CheckedContainers::Forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  oldest_first_.erase(found->second);
  by_id_.erase(found);
}

Task<tl::expected<RuntimeContainers::Container, grpc::Status>> RuntimeContainers::Get(
    const std::string& id) {
  using Result = tl::expected<Container, grpc::Status>;
  containers::GetContainerRequest request;
  request.set_id(id);
  containers::GetContainerResponse response;
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  auto call = upstream_.GetContainer(*context, request, response);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(call));
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  co_return Result(std::move(*response.mutable_container()));
}

Task<tl::expected<std::string, grpc::Status>> RuntimeContainers::ParentOf(
    const std::string& snapshotter, const std::string& key) {
  using Result = tl::expected<std::string, grpc::Status>;
  snapshots::StatSnapshotRequest request;
  request.set_snapshotter(snapshotter);
  request.set_key(key);
  snapshots::StatSnapshotResponse response;
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  auto call = upstream_.StatSnapshot(*context, request, response);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(call));
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  co_return Result(response.info().parent());
}

Task<tl::expected<std::string, grpc::Status>> RuntimeContainers::ChainOf(
    const std::string& image_id) {
  using Result = tl::expected<std::string, grpc::Status>;
  {
    const std::lock_guard lock(mutex_);
    const auto known = chains_.find(image_id);
    if (known != chains_.end()) co_return Result(known->second);
  }
  std::string config;
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  auto call = upstream_.ReadContent(*context, image_id, kMaxConfigBytes, config);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(call));
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  auto chain = ReadChainId(config);
  if (!chain || "sha256:" + trust::ToHex(trust::Sha256Of(config)) != image_id) {
    status = grpc::Status(grpc::DATA_LOSS, "the configuration " + image_id + " cannot be read");
    co_return Result(tl::unexpect, std::move(status));
  }
  const std::lock_guard lock(mutex_);
  if (chains_.size() >= kMaxCachedChains) chains_.clear();
  chains_.insert_or_assign(image_id, *chain);
  co_return Result(*std::move(chain));
}

Task<RuntimeContainers::Examined> RuntimeContainers::LiesOn(const Container& container,
                                                            const std::string& key,
                                                            const std::string& chain) {
  const std::string& snapshotter = container.snapshotter();
  auto parent = co_await ParentOf(snapshotter, key);
  if (!parent && parent.error().error_code() == grpc::NOT_FOUND) {
    co_return Examined(Finding::kOther);
  }
  if (!parent) co_return Examined(tl::unexpect, std::move(parent.error()));
  if (*parent == chain) co_return Examined(Finding::kAsJudged);

  const auto spec = ReadContainerSpec(container.spec().value());
  if (!spec) co_return Examined(Finding::kOther);
  const auto remapped = RemappedNames(chain, *spec);
  if (std::find(remapped.begin(), remapped.end(), *parent) == remapped.end()) {
    co_return Examined(Finding::kOther);
  }
  auto below = co_await ParentOf(snapshotter, *parent);
  if (!below) co_return Examined(tl::unexpect, std::move(below.error()));
  co_return Examined(*below == chain ? Finding::kAsJudged : Finding::kOther);
}

Task<RuntimeContainers::Found> RuntimeContainers::ExamineRoot(const std::string& id,
                                                              const std::string& image_id) {
  auto container = co_await Get(id);
  if (!container && container.error().error_code() == grpc::NOT_FOUND) {
    co_return Found(Origin{Finding::kNoRecord});
  }
  if (!container) co_return Found(tl::unexpect, std::move(container.error()));
  const std::string key = container->snapshot_key();
  if (key.empty()) co_return Found(Origin{Finding::kNoRecord});
  auto chain = co_await ChainOf(image_id);
  if (!chain) co_return Found(tl::unexpect, std::move(chain.error()));
  auto lies = co_await LiesOn(*container, key, *chain);
  if (!lies) co_return Found(tl::unexpect, std::move(lies.error()));
  co_return Found(Origin{*lies, container->snapshotter()});
}

Task<RuntimeContainers::Examined> RuntimeContainers::ExamineMount(const Container& container,
                                                                  const std::string& source,
                                                                  const Volume& volume) {
  const std::string key = SnapshotKeyOf(source, volume.manifests);
  if (key.empty()) co_return Examined(Finding::kOther);
  auto chain = co_await ChainOf(volume.image_id);
  if (!chain) co_return Examined(tl::unexpect, std::move(chain.error()));
  co_return co_await LiesOn(container, key, *chain);
}

Task<RuntimeContainers::Found> RuntimeContainers::ExamineVolumes(
    const std::string& id, const std::vector<Volume>& volumes) {
  if (volumes.empty()) co_return Found(Origin{Finding::kAsJudged});
  auto container = co_await Get(id);
  if (!container) co_return Found(tl::unexpect, std::move(container.error()));
  const Origin other{Finding::kOther, container->snapshotter()};
  const auto spec = ReadContainerSpec(container->spec().value());
  if (!spec) co_return Found(other);
  for (const Volume& volume : volumes) {
    bool mounted = false;
    for (const auto& mount : spec->mounts) {
      if (mount.destination != TextInSpec(volume.container_path)) continue;
      auto finding = co_await ExamineMount(*container, mount.source, volume);
      if (!finding) co_return Found(tl::unexpect, std::move(finding.error()));
      if (*finding != Finding::kAsJudged) co_return Found(other);
      mounted = true;
    }
    if (!mounted) co_return Found(other);
  }
  co_return Found(Origin{Finding::kAsJudged, container->snapshotter()});
}

Task<grpc::Status> RuntimeContainers::Remove(const std::string& container_id) {
  cri::RemoveContainerRequest request;
  request.set_container_id(container_id);
  cri::RemoveContainerResponse response;
  auto context = OwnContext(kLongest);
  auto call = upstream_.RemoveContainer(*context, request, response);
  co_return co_await upstream_.ToItsEnd(*context, std::move(call));
}

Task<grpc::Status> RuntimeContainers::RemoveSandbox(const std::string& sandbox_id) {
  cri::StopPodSandboxRequest stop;
  stop.set_pod_sandbox_id(sandbox_id);
  cri::StopPodSandboxResponse stopped;
  auto stop_context = OwnContext(kLongest);
  auto stopping = upstream_.StopPodSandbox(*stop_context, stop, stopped);
  grpc::Status status = co_await upstream_.ToItsEnd(*stop_context, std::move(stopping));
  if (!status.ok()) co_return status;
  cri::RemovePodSandboxRequest remove;
  remove.set_pod_sandbox_id(sandbox_id);
  cri::RemovePodSandboxResponse removed;
  auto remove_context = OwnContext(kLongest);
  auto removing = upstream_.RemovePodSandbox(*remove_context, remove, removed);
  co_return co_await upstream_.ToItsEnd(*remove_context, std::move(removing));
}

Task<tl::expected<bool, grpc::Status>> RuntimeContainers::IsContainerd(
    const grpc::CallbackServerContext& downstream) {
  using Result = tl::expected<bool, grpc::Status>;
  cri::VersionRequest request;
  cri::VersionResponse response;
  auto context = SideContext(downstream);
  grpc::Status status = co_await upstream_.Version(*context, request, response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  co_return Result(response.runtime_name() == "containerd");
}

}  // namespace crivet::proxy
