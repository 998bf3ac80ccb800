// RuntimeImages' question whether the runtime would restore a checkpoint instead of starting an
// image.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/runtime_images.h"

namespace crivet::proxy {
namespace {

constexpr std::size_t kMaxCachedManifests = 4096;

// What containerd, CRI-O and Podman mark a checkpoint's manifest with.
constexpr std::string_view kCheckpointMarks[] = {
    "org.criu.checkpoint.",
    "io.kubernetes.cri-o.annotations.checkpoint.",
    "io.podman.annotations.checkpoint.",
};

bool IsCheckpointMark(std::string_view key) {
  return std::any_of(std::begin(kCheckpointMarks), std::end(kCheckpointMarks),
                     [key](std::string_view mark) { return key.starts_with(mark); });
}

// containerd reads the manifest with Go's parser: names match in any case, objects of the same name
// merge, and texts pass that ours refuses. So a mark counts wherever it is a name, and what does
// not parse here may be a checkpoint there.
bool MayBeCheckpoint(const std::string& manifest) {
  using nlohmann::json;
  bool marked = false;
  const auto note_mark = [&marked](int /*depth*/, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::key) {
      marked = marked || IsCheckpointMark(parsed.get_ref<const std::string&>());
    }
    return true;
  };
  const json read = json::parse(manifest, note_mark, /*allow_exceptions=*/false);
  return marked || !read.is_object();
}

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
