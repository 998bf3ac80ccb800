// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/signature_folder.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <string_view>
#include <utility>

#include "trust/oci/manifest.h"

namespace crivet::trust {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxIndex = 4 * 1024 * 1024;
constexpr std::size_t kMaxReferrers = 10'000;
constexpr std::size_t kMaxSignature = 1024 * 1024;
constexpr std::string_view kOfDigest = "sha256-";
// An index may name the one under the tag that registries without the API have.
constexpr int kMaxDepth = 2;
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

std::optional<std::string> ReadFile(const fs::path& path, std::size_t max_bytes) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed)) return std::nullopt;
  const std::uintmax_t size = fs::file_size(path, failed);
  if (failed || size > max_bytes) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  // No more than there is: what is good of it is kept as it is.
  std::string content(static_cast<std::size_t>(size), '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(in.gcount()) != size) return std::nullopt;
  return content;
}

fs::path BlobPath(const fs::path& layout, const Sha256Digest& digest) {
  return layout / "blobs" / "sha256" / ToHex(digest.bytes());
}

std::optional<std::string> ReadBlob(const fs::path& layout, const Sha256Digest& digest,
                                    std::size_t max_bytes) {
  auto content = ReadFile(BlobPath(layout, digest), max_bytes);
  if (!content || Sha256Digest(Sha256Of(*content)) != digest) return std::nullopt;
  return content;
}

// As it may stand between double quotes.
bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("./+-_;=").find(c) != std::string_view::npos;
  });
}

// What the manifest about a file says that it is.
struct Types {
  std::string artifact;
  std::string layer;
};

// As a registry would have it.
std::string ManifestAbout(const Sha256Digest& image, const Types& types,
                          const Sha256Digest& content, std::size_t size) {
  const std::string manifest = "application/vnd.oci.image.manifest.v1+json";
  return R"({"schemaVersion":2,"mediaType":")" + manifest + R"(","artifactType":")" +
         types.artifact +
         R"(","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
         Sha256Digest(Sha256Of("{}")).ToString() + R"(","size":2},"layers":[{"mediaType":")" +
         types.layer + R"(","digest":")" + content.ToString() + R"(","size":)" +
         std::to_string(size) + R"(}],"subject":{"mediaType":")" + manifest + R"(","digest":")" +
         image.ToString() + R"(","size":0}})";
}

}  // namespace

const Kind::LooseSignature* SignatureFolder::LooseOf(const Path& file) const {
  const std::string name = file.filename().string();
  const auto found = std::find_if(loose_.begin(), loose_.end(),
                                  [&](const auto& loose) { return name.ends_with(loose.ending); });
  return found == loose_.end() ? nullptr : &*found;
}

std::optional<Sha256Digest> SignatureFolder::ImageOf(const Path& file) const {
  constexpr std::size_t kHex = 64;
  const std::string name = file.filename().string();
  const bool is_named = name.ends_with(".json") || LooseOf(file) != nullptr;
  if (!name.starts_with(kOfDigest) || !is_named) return std::nullopt;
  const std::size_t after = kOfDigest.size() + kHex;
  if (name.size() <= after || name[after] != '.') return std::nullopt;
  const auto image = Sha256FromHex(name.substr(kOfDigest.size(), kHex));
  if (!image) return std::nullopt;
  return Sha256Digest(*image);
}

std::vector<SignatureFolder::Layout> SignatureFolder::LayoutsNow() const {
  std::vector<Path> folders = {path_};
  std::vector<Path> files;
  std::error_code failed;
  for (fs::directory_iterator at(path_, failed), end; !failed && at != end; at.increment(failed)) {
    const bool is_file = ImageOf(at->path()).has_value();
    if (is_file && files.size() < kMaxFiles) files.push_back(at->path());
    if (!is_file && folders.size() < kMaxLayouts) folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  std::sort(files.begin(), files.end());
  std::vector<Layout> layouts;
  const auto add = [&](const Path& path, const Path& of) {
    std::error_code none;
    const auto written = fs::last_write_time(of, none);
    if (!none) layouts.push_back({path, written});
  };
  for (const Path& folder : folders) add(folder, folder / "index.json");
  for (const Path& file : files) add(file, file);
  return layouts;
}

void SignatureFolder::ReadAgainIfChanged() {
  std::vector<Layout> now = LayoutsNow();
  if (now == layouts_) return;
  layouts_ = std::move(now);
  referrers_.clear();
  tags_.clear();
  made_.clear();
  files_.clear();
  for (const Layout& layout : layouts_) {
    if (ImageOf(layout.folder)) {
      ReadSignature(layout.folder);
      continue;
    }
    if (const auto index = ReadFile(layout.folder / "index.json", kMaxIndex)) {
      ReadIndex(layout, *index, 1);
    }
  }
}

void SignatureFolder::ReadIndex(const Layout& layout, std::string_view text, int depth) {
  const auto index = oci::Index::Parse(text);
  if (!index) return;
  for (const oci::Descriptor& descriptor : index->manifests) {
    if (referrers_.size() >= kMaxReferrers) return;
    if (const auto name = descriptor.annotations.find(kRefName);
        depth == 1 && name != descriptor.annotations.end()) {
      tags_.try_emplace(name->second, Tagged{layout.folder, descriptor.digest});
    }
    const auto content = ReadBlob(layout.folder, descriptor.digest, kMaxIndex);
    if (!content) continue;
    if (descriptor.media_type == kIndexType) {
      if (depth < kMaxDepth) ReadIndex(layout, *content, depth + 1);
      continue;
    }
    const auto manifest = oci::Manifest::Parse(*content);
    if (!manifest || !manifest->subject) continue;
    std::vector<Referrer>& all = referrers_[*manifest->subject];
    const bool known = std::any_of(all.begin(), all.end(), [&](const Referrer& one) {
      return one.digest == descriptor.digest;
    });
    if (!known) all.push_back({descriptor.digest, content->size(), manifest->artifact_type});
  }
}

void SignatureFolder::ReadSignature(const Path& file) {
  const auto image = ImageOf(file);
  const auto content = ReadFile(file, kMaxSignature);
  if (!image || !content) return;
  const Sha256Digest digest(Sha256Of(*content));
  if (digest == *image) {
    files_.try_emplace(digest, file);
    return;
  }
  Types types;
  if (const Kind::LooseSignature* const loose = LooseOf(file)) {
    types = {std::string(loose->artifact_type), std::string(loose->media_type)};
  } else {
    types.artifact = types.layer = oci::MediaTypeOf(*content);
  }
  if (types.artifact.empty() || !IsPlain(types.artifact)) return;
  std::string manifest = ManifestAbout(*image, types, digest, content->size());
  const Sha256Digest referrer(Sha256Of(manifest));
  if (!made_.try_emplace(referrer, manifest).second) return;
  files_.try_emplace(digest, file);
  referrers_[*image].push_back({referrer, manifest.size(), types.artifact});
}

std::optional<std::string> SignatureFolder::Content(const Sha256Digest& digest,
                                                    std::size_t max_bytes) const {
  if (const auto made = made_.find(digest); made != made_.end()) return made->second;
  if (const auto file = files_.find(digest); file != files_.end()) {
    auto content = ReadFile(file->second, max_bytes);
    if (content && Sha256Digest(Sha256Of(*content)) == digest) return content;
  }
  for (const Layout& layout : layouts_) {
    if (auto content = ReadBlob(layout.folder, digest, max_bytes)) return content;
  }
  return std::nullopt;
}

std::optional<std::string> SignatureFolder::ReferrersOf(const Sha256Digest& image) const {
  const auto found = referrers_.find(image);
  if (found == referrers_.end()) return std::nullopt;
  std::string list;
  for (const Referrer& one : found->second) {
    list += list.empty() ? "{" : ",{";
    if (!one.artifact_type.empty() && IsPlain(one.artifact_type)) {
      list += R"("artifactType":")" + one.artifact_type + R"(",)";
    }
    list += R"("mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
            one.digest.ToString() + R"(","size":)" + std::to_string(one.size) + '}';
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(kIndexType) + R"(","manifests":[)" +
         list + "]}";
}

std::vector<Sha256Digest> SignatureFolder::Images() {
  constexpr std::size_t kHex = 64;
  std::set<Sha256Digest> images;
  if (!IsThere()) return {};
  const std::lock_guard lock(mutex_);
  ReadAgainIfChanged();
  for (const auto& [image, referrers] : referrers_) images.insert(image);
  for (const auto& [tag, tagged] : tags_) {
    if (!tag.starts_with(kOfDigest)) continue;
    if (const auto image = Sha256FromHex(tag.substr(kOfDigest.size(), kHex))) {
      images.insert(Sha256Digest(*image));
    }
  }
  return {images.begin(), images.end()};
}

std::optional<FetchedFile> SignatureFolder::Answer(const FileRequest& request) {
  if (!IsThere() || !request.registry || !request.registry->page.empty()) return std::nullopt;
  const RegistryRequest& asked = *request.registry;
  const std::size_t most = request.max_bytes == 0 ? kMaxIndex : request.max_bytes;
  const std::lock_guard lock(mutex_);
  ReadAgainIfChanged();
  RegistryAnswer with{.host = path_};
  std::optional<std::string> content;
  switch (asked.what) {
    case RegistryRequest::What::kResolve:
    case RegistryRequest::What::kTagged:
      return std::nullopt;
    case RegistryRequest::What::kReferrers:
      content = ReferrersOf(asked.digest.value());
      break;
    case RegistryRequest::What::kManifest:
      if (const auto tagged = tags_.find(asked.tag); !asked.digest && tagged != tags_.end()) {
        with.digest = tagged->second.digest;
        content = ReadBlob(tagged->second.folder, tagged->second.digest, most);
        break;
      }
      [[fallthrough]];
    case RegistryRequest::What::kBlob:
      if (!asked.digest) return std::nullopt;
      with.digest = asked.digest;
      content = Content(*asked.digest, most);
      break;
  }
  if (!content) return std::nullopt;
  return FetchedFile(*std::move(content), std::move(with));
}

}  // namespace crivet::trust
