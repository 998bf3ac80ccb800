// SPDX-License-Identifier: Apache-2.0

// RuntimeImages' question whether the runtime would restore a checkpoint instead of starting an
// image.

#include <algorithm>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/checkpoint_mark.h"
#include "proxy/runtime/runtime_images.h"

namespace crivet::proxy {
namespace {

constexpr std::size_t kMaxCachedManifests = 4096;

}  // namespace

Task<RuntimeImages::IsCheckpoint> RuntimeImages::HasCheckpoint(
    const grpc::CallbackServerContext& downstream, const LocalImage& image) {
  if (std::any_of(image.annotation_keys.begin(), image.annotation_keys.end(), IsCheckpointMark)) {
    co_return IsCheckpoint(true);
  }
  for (const auto& manifest : image.to_run) {
    auto checkpoint = co_await ReadsAsCheckpoint(downstream, manifest);
    if (!checkpoint || *checkpoint) co_return checkpoint;
  }
  co_return IsCheckpoint(false);
}

Task<RuntimeImages::IsCheckpoint> RuntimeImages::ReadsAsCheckpoint(
    const grpc::CallbackServerContext& downstream, const std::string& manifest) {
  {
    std::lock_guard lock(mutex_);
    const auto known = checkpoints_.find(manifest);
    if (known != checkpoints_.end()) co_return IsCheckpoint(known->second);
  }
  std::string content;
  auto context = SideContext(downstream);
  ForNativeApi(*context);
  grpc::Status status =
      co_await upstream_.ReadContent(*context, manifest, kMaxManifestBytes, content);
  bool checkpoint = false;
  if (status.ok()) {
    checkpoint = MayBeCheckpoint(content);
  } else if (status.error_code() == grpc::RESOURCE_EXHAUSTED) {
    // Nothing that large is an image; what it says is not known.
    checkpoint = true;
  } else if (status.error_code() == grpc::UNIMPLEMENTED || status.error_code() == grpc::NOT_FOUND) {
    // The runtime cannot read it either, or tells by CRI what it would act on.
    co_return IsCheckpoint(false);
  } else {
    co_return IsCheckpoint(tl::unexpect, std::move(status));
  }
  std::lock_guard lock(mutex_);
  // Whoever fills it makes others read again, no more.
  if (checkpoints_.size() >= kMaxCachedManifests) checkpoints_.clear();
  checkpoints_.insert_or_assign(manifest, checkpoint);
  co_return IsCheckpoint(checkpoint);
}

}  // namespace crivet::proxy
