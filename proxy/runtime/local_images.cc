// SPDX-License-Identifier: Apache-2.0

// RuntimeImages' questions: which manifests an image has here, and what they say.

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/image_names.h"
#include "proxy/runtime/manifest_digests.h"
#include "proxy/runtime/map_entries.h"
#include "proxy/runtime/runtime_images.h"

namespace crivet::proxy {
namespace {

// With more, the runtime is asked for all names that it has: it holds each of its names against
// each filter.
constexpr std::size_t kMaxFilters = 1024;

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

std::optional<trust::Sha256Digest> DigestIn(std::string_view name) {
  const auto at = name.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto digest = trust::Sha256Digest::Parse(name.substr(at + 1));
  return digest ? std::optional(*digest) : std::nullopt;
}

// The name by which containerd takes the image: with tag and digest, then tags, then digests.
std::string FirstReference(const cri::Image& image) {
  if (!image.repo_digests().empty()) {
    const std::string& name = image.repo_digests(0);
    const auto path = name.rfind('/');
    const auto colon = name.find(':', path == std::string::npos ? 0 : path);
    if (image.repo_tags().empty() || colon < name.find('@')) return name;
  }
  return image.repo_tags().empty() ? std::string() : image.repo_tags(0);
}

// Where the author's own name is judged, others neither help nor hurt, however many they are. What
// a name by digest points to is known without a question.
std::vector<std::string> NamesThatCount(const cri::Image& image,
                                        const trust::ImageReference& named) {
  std::vector<std::string> names = {named.Canonical()};
  AddOnce(names, image.id());
  if (const std::string first = FirstReference(image); !first.empty()) AddOnce(names, first);
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
  return FindBy(downstream, name_or_id, nullptr);
}

Task<RuntimeImages::Found> RuntimeImages::Find(const grpc::CallbackServerContext& downstream,
                                               const std::string& name_or_id,
                                               const trust::ImageReference& named) {
  return FindBy(downstream, name_or_id, &named);
}

Task<RuntimeImages::Found> RuntimeImages::FindBy(const grpc::CallbackServerContext& downstream,
                                                 const std::string& name_or_id,
                                                 const trust::ImageReference* named) {
  auto shown = co_await Show(downstream, name_or_id);
  if (!shown) co_return Found(tl::unexpect, std::move(shown.error()));
  const cri::ImageStatusResponse& response = shown->status;
  grpc::Status status;
  if (!response.has_image()) co_return Found(std::nullopt);

  LocalImage local;
  local.id = response.image().id();
  local.by_kept_name = shown->by_kept_name;
  for (const auto& annotation : response.image().spec().annotations()) {
    local.annotation_keys.push_back(annotation.key());
  }
  const std::vector<std::string> names =
      named == nullptr ? NamesOf(response.image()) : NamesThatCount(response.image(), *named);
  const auto& tags = response.image().repo_tags();
  local.has_more_names =
      named != nullptr && std::any_of(tags.begin(), tags.end(), [&](const auto& tag) {
        return std::find(names.begin(), names.end(), tag) == names.end();
      });
  status = co_await ResolveNames(downstream, response.image(), names, local);
  if (status.error_code() == grpc::NOT_FOUND) co_return Found(std::nullopt);
  if (!status.ok()) co_return Found(tl::unexpect, std::move(status));
  co_return Found(std::move(local));
}

// The runtime's answer to a List has a limit of its own, which many names reach: then one by one.
Task<grpc::Status> RuntimeImages::ListTargets(const grpc::CallbackServerContext& downstream,
                                              const std::vector<std::string>& names,
                                              std::vector<NamedTarget>& targets) {
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
      if (wanted.contains(found.name())) {
        targets.push_back({found.name(), found.target().digest()});
      }
    }
  }
  if (status.error_code() != grpc::RESOURCE_EXHAUSTED) co_return status;
  for (const auto& name : names) {
    native::GetImageRequest get;
    get.set_name(name);
    native::GetImageResponse got;
    auto get_context = SideContext(downstream);
    ForNativeApi(*get_context);
    status = co_await upstream_.GetImage(*get_context, get, got);
    if (status.error_code() == grpc::NOT_FOUND) continue;
    if (!status.ok()) co_return status;
    targets.push_back({name, got.image().target().digest()});
  }
  co_return grpc::Status::OK;
}

Task<grpc::Status> RuntimeImages::ResolveNames(const grpc::CallbackServerContext& downstream,
                                               const cri::Image& image,
                                               const std::vector<std::string>& names,
                                               LocalImage& local) {
  std::vector<NamedTarget> resolved;
  grpc::Status status = co_await ListTargets(downstream, names, resolved);
  if (status.ok()) {
    // It is being removed: CRI hears of that last.
    if (resolved.empty()) {
      co_return grpc::Status(grpc::NOT_FOUND, "the image has no names any more");
    }
    const std::string first = FirstReference(image);
    std::unordered_set<std::string> known;
    for (auto& [name, text] : resolved) {
      const auto target = trust::Sha256Digest::Parse(text);
      if (name == first || (first.empty() && name == local.id)) AddOnce(local.to_run, text);
      if (known.insert(text).second) {
        if (target) {
          local.targets.push_back(*target);
        } else {
          local.odd_targets.push_back(text);
        }
      }
      local.names.push_back({std::move(name), target ? std::optional(*target) : std::nullopt});
    }
    status = co_await DropMoved(downstream, image, local);
    // What a name says by itself need not be asked for.
    for (const auto& text : image.repo_digests()) {
      const auto digest = DigestIn(text);
      if (digest && known.insert(digest->ToString()).second) local.targets.push_back(*digest);
    }
    co_return status;
  }
  if (status.error_code() != grpc::UNIMPLEMENTED) co_return status;
  NoteMissing();
  co_return co_await AddByKeeping(downstream, image, local);
}

// CRI learns by an event that a name has moved to another image. Until then it shows the name at
// the image that it left, and what the name points to by now would vouch for that.
Task<grpc::Status> RuntimeImages::DropMoved(const grpc::CallbackServerContext& downstream,
                                            const cri::Image& image, LocalImage& local) {
  // Names that can have no other target: the image's ID, which containerd moves only to manifests
  // of the same configuration, and a name by the target's own digest.
  std::unordered_set<std::string> fixed;
  for (const auto& text : image.repo_digests()) {
    if (const auto digest = DigestIn(text)) fixed.insert(digest->ToString());
  }
  for (const auto& name : local.names) {
    if (name.text == local.id && name.target) fixed.insert(name.target->ToString());
  }
  std::unordered_set<std::string> moved;
  for (const auto& target : local.targets) {
    const std::string manifest = target.ToString();
    if (fixed.contains(manifest)) continue;
    auto same = co_await HasConfig(downstream, manifest, local.id);
    if (!same) co_return same.error();
    if (!*same) moved.insert(manifest);
  }
  if (moved.empty()) co_return grpc::Status::OK;
  local.has_moved = true;
  std::erase_if(local.targets,
                [&](const auto& target) { return moved.contains(target.ToString()); });
  for (auto& name : local.names) {
    // It still counts where it is forbidden; it vouches for nothing.
    if (name.target && moved.contains(name.target->ToString())) name.target.reset();
  }
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
    ManifestDigests contents = ReadManifestDigests(content);
    if (contents.config == config) co_return Result(true);
    if (!std::exchange(listed, true)) left = std::move(contents.manifests);
  }
  co_return Result(false);
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
