// RuntimeImages' questions: which manifests an image has here, and what they say.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "proxy/image_names.h"
#include "proxy/map_entries.h"
#include "proxy/relay.h"
#include "proxy/runtime_images.h"

namespace crivet::proxy {
namespace {

// A manifest or an index; registries refuse larger ones.
constexpr std::size_t kMaxManifestBytes = 4 * 1024 * 1024;
constexpr std::size_t kMaxCachedManifests = 4096;
constexpr std::size_t kMaxManifestsOfIndex = 64;
// With more, the runtime is asked for all names that it has: it holds each of its names against
// each filter.
constexpr std::size_t kMaxFilters = 1024;

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

// What a manifest says of its configuration, or an index of its manifests.
struct Contents {
  std::string config;
  std::vector<std::string> manifests;
};

Contents ContentsOf(const std::string& text) {
  using nlohmann::json;
  const auto digest_in = [](const json& descriptor) {
    const bool has = descriptor.is_object() && descriptor.contains("digest");
    return has && descriptor["digest"].is_string() ? descriptor["digest"].get<std::string>()
                                                   : std::string();
  };
  Contents contents;
  const json read = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!read.is_object()) return contents;
  if (read.contains("config")) contents.config = digest_in(read["config"]);
  if (!read.contains("manifests") || !read["manifests"].is_array()) return contents;
  for (const json& manifest : read["manifests"]) {
    if (contents.manifests.size() == kMaxManifestsOfIndex) break;
    if (auto digest = digest_in(manifest); !digest.empty()) {
      contents.manifests.push_back(std::move(digest));
    }
  }
  return contents;
}

// Whether a name can have no other target than one of the image: its ID, which containerd moves
// only to manifests of the same configuration, and a name by the target's own digest.
bool IsFixed(const LocalImage::Name& name, const std::string& id) {
  return name.text == id || (name.target && name.text.ends_with("@" + name.target->ToString()));
}

template <typename Target>
void AddOnce(std::vector<Target>& targets, const Target& target) {
  if (std::find(targets.begin(), targets.end(), target) == targets.end()) targets.push_back(target);
}

std::vector<std::string> NamesOf(const cri::Image& image) {
  std::vector<std::string> names(image.repo_tags().begin(), image.repo_tags().end());
  names.insert(names.end(), image.repo_digests().begin(), image.repo_digests().end());
  names.push_back(image.id());
  return names;
}

bool Mentions(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto is_letter = [&](std::size_t i) {
      return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0);
    };
    if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + word.size())) return true;
  }
  return false;
}

}  // namespace

Task<tl::expected<bool, grpc::Status>> RuntimeImages::Holds(
    const grpc::CallbackServerContext& downstream, const cri::Image& image,
    const trust::Sha256Digest& manifest) {
  using Result = tl::expected<bool, grpc::Status>;
  const std::string digest = manifest.ToString();
  const auto& known = image.repo_digests();
  if (std::any_of(known.begin(), known.end(),
                  [&](const auto& name) { return name.ends_with("@" + digest); })) {
    co_return Result(true);
  }
  // What was imported has no such names.
  auto context = SideContext(downstream);
  auto target = co_await TargetOf(std::move(context), image.id());
  if (auto* failure = std::get_if<grpc::Status>(&target)) {
    co_return Result(tl::unexpect, std::move(*failure));
  }
  const auto* of_id = std::get_if<trust::Sha256Digest>(&target);
  if (of_id != nullptr && *of_id == manifest) co_return Result(true);
  co_return co_await HasConfig(downstream, digest, image.id());
}

Task<RuntimeImages::Found> RuntimeImages::Find(const grpc::CallbackServerContext& downstream,
                                               const std::string& name_or_id) {
  auto shown = co_await Show(downstream, name_or_id);
  if (!shown) co_return Found(tl::unexpect, std::move(shown.error()));
  const cri::ImageStatusResponse& response = shown->status;
  grpc::Status status;
  if (!response.has_image()) co_return Found(std::nullopt);
  if (response.image().repo_tags_size() + response.image().repo_digests_size() > kMaxNamesOfImage) {
    status = grpc::Status(grpc::RESOURCE_EXHAUSTED,
                          "image " + response.image().id() + " has more than " +
                              std::to_string(kMaxNamesOfImage) +
                              " names here, and each of them would have to be judged: remove some");
    co_return Found(tl::unexpect, std::move(status));
  }

  LocalImage local;
  local.id = response.image().id();
  local.by_kept_name = shown->by_kept_name;
  for (const auto& annotation : response.image().spec().annotations()) {
    local.annotation_keys.push_back(annotation.key());
  }
  status = co_await ResolveNames(downstream, response.image(), local);
  if (status.error_code() == grpc::NOT_FOUND) co_return Found(std::nullopt);
  if (!status.ok()) co_return Found(tl::unexpect, std::move(status));
  co_return Found(std::move(local));
}

Task<grpc::Status> RuntimeImages::ResolveNames(const grpc::CallbackServerContext& downstream,
                                               const cri::Image& image, LocalImage& local) {
  const auto names = NamesOf(image);
  native::ListImagesRequest request;
  if (names.size() <= kMaxFilters) {
    for (const auto& name : names) request.add_filters("name==\"" + name + "\"");
  }
  native::ListImagesResponse response;
  auto context = SideContext(downstream);
  ForNativeApi(*context);
  grpc::Status status = co_await upstream_.ListNativeImages(*context, request, response);
  if (status.ok()) {
    const std::unordered_set<std::string_view> wanted(names.begin(), names.end());
    for (const auto& found : response.images()) {
      if (!wanted.contains(found.name())) continue;
      const auto target = trust::Sha256Digest::Parse(found.target().digest());
      local.names.push_back({found.name(), target ? std::optional(*target) : std::nullopt});
      if (target) {
        AddOnce(local.targets, *target);
      } else {
        AddOnce(local.odd_targets, found.target().digest());
      }
    }
    // It is being removed: CRI hears of that last.
    if (local.names.empty()) {
      co_return grpc::Status(grpc::NOT_FOUND, "the image has no names any more");
    }
    co_return co_await DropMoved(downstream, local);
  }
  if (status.error_code() != grpc::UNIMPLEMENTED) co_return status;
  NoteMissing();
  co_return co_await AddByKeeping(downstream, image, local);
}

// CRI learns by an event that a name has moved to another image. Until then it shows the name at
// the image that it left, and what the name points to by now would vouch for that.
Task<grpc::Status> RuntimeImages::DropMoved(const grpc::CallbackServerContext& downstream,
                                            LocalImage& local) {
  std::vector<trust::Sha256Digest> moved;
  for (const auto& target : local.targets) {
    const bool fixed = std::any_of(local.names.begin(), local.names.end(), [&](const auto& name) {
      return name.target == target && IsFixed(name, local.id);
    });
    if (fixed) continue;
    const std::string manifest = target.ToString();
    auto same = co_await HasConfig(downstream, manifest, local.id);
    if (!same) co_return same.error();
    if (!*same) moved.push_back(target);
  }
  const auto has_moved = [&](const trust::Sha256Digest& target) {
    return std::find(moved.begin(), moved.end(), target) != moved.end();
  };
  std::erase_if(local.targets, has_moved);
  std::erase_if(local.names,
                [&](const auto& name) { return name.target && has_moved(*name.target); });
  co_return grpc::Status::OK;
}

Task<tl::expected<bool, grpc::Status>> RuntimeImages::HasConfig(
    const grpc::CallbackServerContext& downstream, const std::string& manifest,
    const std::string& config) {
  using Result = tl::expected<bool, grpc::Status>;
  std::vector<std::string> left = {manifest};
  bool listed = false;
  while (!left.empty()) {
    const std::string digest = std::move(left.back());
    left.pop_back();
    std::string content;
    auto context = SideContext(downstream);
    ForNativeApi(*context);
    grpc::Status status =
        co_await upstream_.ReadContent(*context, digest, kMaxManifestBytes, content);
    // An index names manifests for other platforms, which are not here. What cannot be read says
    // nothing for anybody.
    if (status.error_code() == grpc::NOT_FOUND || status.error_code() == grpc::UNIMPLEMENTED ||
        status.error_code() == grpc::RESOURCE_EXHAUSTED) {
      continue;
    }
    if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
    Contents contents = ContentsOf(content);
    if (contents.config == config) co_return Result(true);
    if (!std::exchange(listed, true)) left = std::move(contents.manifests);
  }
  co_return Result(false);
}

Task<RuntimeImages::IsCheckpoint> RuntimeImages::HasCheckpoint(
    const grpc::CallbackServerContext& downstream, const LocalImage& image) {
  if (std::any_of(image.annotation_keys.begin(), image.annotation_keys.end(), IsCheckpointMark)) {
    co_return IsCheckpoint(true);
  }
  std::vector<std::string> manifests = image.odd_targets;
  for (const auto& target : image.targets) manifests.push_back(target.ToString());
  for (const auto& manifest : manifests) {
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
  if (checkpoints_.size() >= kMaxCachedManifests) checkpoints_.clear();
  checkpoints_.insert_or_assign(manifest, checkpoint);
  co_return IsCheckpoint(checkpoint);
}

Task<RuntimeImages::UsesRemote> RuntimeImages::UsesRemoteSnapshotter(
    const grpc::CallbackServerContext& downstream, const std::vector<std::string>& remote) {
  // 1.6 and 1.7 tell it in their configuration, every version in the path of the image file system.
  cri::ImageFsInfoRequest fs_request;
  cri::ImageFsInfoResponse fs_response;
  auto fs_context = SideContext(downstream);
  grpc::Status status = co_await upstream_.ImageFsInfo(*fs_context, fs_request, fs_response);
  if (!status.ok()) co_return UsesRemote(tl::unexpect, std::move(status));
  cri::StatusRequest status_request;
  status_request.set_verbose(true);
  cri::StatusResponse status_response;
  auto status_context = SideContext(downstream);
  status = co_await upstream_.Status(*status_context, status_request, status_response);
  if (!status.ok()) co_return UsesRemote(tl::unexpect, std::move(status));

  const auto uses = [&](const std::string& snapshotter) {
    for (const auto& usage : fs_response.image_filesystems()) {
      if (Mentions(usage.fs_id().mountpoint(), snapshotter)) return true;
    }
    const std::string* config = FindEntry(status_response.info(), "config");
    return config != nullptr && Mentions(*config, "\"snapshotter\":\"" + snapshotter + "\"");
  };
  co_return UsesRemote(std::any_of(remote.begin(), remote.end(), uses));
}

}  // namespace crivet::proxy
