// SPDX-License-Identifier: Apache-2.0
#include "tests/support/proxy/fake_crio.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/runtime/map_entries.h"
#include "runtime/v1/api.grpc.pb.h"
#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

namespace cri = ::runtime::v1;

std::string HexOf(const std::string& bytes) { return trust::ToHex(trust::Sha256Of(bytes)); }

void AddOnce(std::vector<std::string>& texts, const std::string& text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

std::string RepositoryOf(const std::string& name) {
  return trust::ImageReference::Parse(name).value().repository();
}

void Describe(const FakeCrioStore& store, const FakeCrioStore::Found& found, cri::Image& image) {
  image.set_id(found.id);
  for (const auto& name : store.images.at(found.id).names) {
    if (name.find('@') == std::string::npos) image.add_repo_tags(name);
  }
  for (const auto& text : store.RepoDigestsOf(found.id)) image.add_repo_digests(text);
}

// A list gives a nameless image the name that it had.
void DescribeInList(const FakeCrioStore& store, const std::string& id, cri::Image& image) {
  Describe(store, {id}, image);
  const auto& entry = store.images.at(id);
  if (!image.repo_digests().empty() || entry.previous_name.empty()) return;
  image.add_repo_digests(entry.previous_name + "@" + entry.digests.front());
}

std::vector<cri::Image> List(const FakeCrioStore& store, const cri::ImageFilter& filter) {
  std::vector<cri::Image> images;
  const std::string& one = filter.image().image();
  const auto found = store.Resolve(one);
  for (const auto& [id, entry] : store.images) {
    if (!one.empty() && (!found || found->id != id)) continue;
    DescribeInList(store, id, images.emplace_back());
  }
  return images;
}

}  // namespace

std::string FakeCrioStore::AddManifest(const std::string& content, const std::string& config,
                                       const std::string& annotation) {
  const std::string digest = "sha256:" + HexOf(content + "\n" + config + "\n" + annotation);
  manifests_[digest] = {HexOf(config), annotation};
  return digest;
}

std::string FakeCrioStore::AddIndex(const std::string& manifest, const std::string& content) {
  const std::string digest = "sha256:" + HexOf(content + "\n" + manifest);
  indexes_[digest] = manifest;
  return digest;
}

std::string FakeCrioStore::IdOf(const std::string& digest) const {
  const auto index = indexes_.find(digest);
  return manifests_.at(index == indexes_.end() ? digest : index->second).id;
}

std::optional<std::string> FakeCrioStore::Pull(const std::string& text, std::string& id) {
  const auto reference = trust::ImageReference::Parse(text);
  if (!reference) return "invalid reference format";
  const std::string name = reference->Canonical();
  const auto pushed = registry_.find(name);
  const std::string top = reference->digest()         ? reference->digest()->ToString()
                          : pushed != registry_.end() ? pushed->second
                                                      : std::string();
  const auto index = indexes_.find(top);
  const std::string platform = index == indexes_.end() ? top : index->second;
  if (!registry_up_ || !manifests_.contains(platform)) return "reading manifest: manifest unknown";

  id = manifests_.at(platform).id;
  for (auto& [other, image] : images) {
    if (std::erase(image.names, name) > 0 && other != id) {
      image.previous_name = reference->repository();
    }
  }
  Image& image = images[id];
  AddOnce(image.names, reference->repository() + "@" + platform);
  AddOnce(image.names, name);
  AddOnce(image.digests, platform);
  AddOnce(image.digests, top);
  return std::nullopt;
}

std::optional<FakeCrioStore::Found> FakeCrioStore::Resolve(const std::string& text) const {
  for (const auto& [id, image] : images) {
    if (text.size() >= 3 && id.starts_with(text)) return Found{id};
  }
  const auto reference = trust::ImageReference::Parse(text);
  if (!reference) return std::nullopt;
  const std::string name = reference->Canonical();
  const std::string digest = reference->digest() ? reference->digest()->ToString() : "";
  for (const auto& [id, image] : images) {
    if (std::count(image.names.begin(), image.names.end(), name) > 0) return Found{id, digest};
  }
  if (digest.empty()) return std::nullopt;
  for (const auto& [id, image] : images) {
    if (std::count(image.digests.begin(), image.digests.end(), digest) == 0) continue;
    const bool same = std::any_of(
        image.names.begin(), image.names.end(),
        [&](const std::string& other) { return RepositoryOf(other) == reference->repository(); });
    if (same) return Found{id, digest};
  }
  return std::nullopt;
}

void FakeCrioStore::Remove(const std::string& text) {
  const auto found = Resolve(text);
  if (!found) return;
  Image& image = images.at(found->id);
  const auto reference = trust::ImageReference::Parse(text);
  if (!found->id.starts_with(text) && reference) {
    std::erase(image.names, reference->Canonical());
    if (!image.names.empty()) return;
  }
  images.erase(found->id);
}

std::vector<std::string> FakeCrioStore::RepoDigestsOf(const std::string& id) const {
  std::vector<std::string> repo_digests;
  const Image& image = images.at(id);
  for (const auto& name : image.names) {
    for (const auto& digest : image.digests)
      AddOnce(repo_digests, RepositoryOf(name) + "@" + digest);
  }
  std::sort(repo_digests.begin(), repo_digests.end());
  return repo_digests;
}

std::string FakeCrioStore::AnnotationOf(const Found& found) const {
  const std::string& digest =
      found.digest.empty() ? images.at(found.id).digests.front() : found.digest;
  const auto manifest = manifests_.find(digest);
  return manifest == manifests_.end() ? "" : manifest->second.annotation;
}

class FakeCrio::ImageService : public cri::ImageService::Service {
 public:
  explicit ImageService(FakeCrio& runtime) : r(runtime) {}

  grpc::Status PullImage(grpc::ServerContext*, const cri::PullImageRequest* request,
                         cri::PullImageResponse* response) override {
    std::lock_guard lock(r.mutex_);
    r.pulled_.push_back(request->image().image());
    std::string id;
    if (const auto problem = r.store_.Pull(request->image().image(), id)) {
      return {grpc::UNKNOWN, "unable to pull image: " + *problem};
    }
    response->set_image_ref(id);
    return grpc::Status::OK;
  }

  grpc::Status ImageStatus(grpc::ServerContext*, const cri::ImageStatusRequest* request,
                           cri::ImageStatusResponse* response) override {
    std::lock_guard lock(r.mutex_);
    const auto found = r.store_.Resolve(request->image().image());
    if (!found) return grpc::Status::OK;
    Describe(r.store_, *found, *response->mutable_image());
    const std::string annotation = r.store_.AnnotationOf(*found);
    if (annotation.empty()) return grpc::Status::OK;
    AddEntry(*response->mutable_image()->mutable_spec()->mutable_annotations(), annotation, "yes");
    return grpc::Status::OK;
  }

  grpc::Status ListImages(grpc::ServerContext*, const cri::ListImagesRequest* request,
                          cri::ListImagesResponse* response) override {
    std::lock_guard lock(r.mutex_);
    for (auto& image : List(r.store_, request->filter())) *response->add_images() = image;
    return grpc::Status::OK;
  }

  grpc::Status StreamImages(grpc::ServerContext*, const cri::StreamImagesRequest* request,
                            grpc::ServerWriter<cri::StreamImagesResponse>* writer) override {
    std::vector<cri::Image> images;
    {
      std::lock_guard lock(r.mutex_);
      images = List(r.store_, request->filter());
    }
    for (auto& image : images) {
      cri::StreamImagesResponse message;
      *message.add_images() = image;
      writer->Write(message);
    }
    return grpc::Status::OK;
  }

  grpc::Status RemoveImage(grpc::ServerContext*, const cri::RemoveImageRequest* request,
                           cri::RemoveImageResponse*) override {
    std::lock_guard lock(r.mutex_);
    r.store_.Remove(request->image().image());
    return grpc::Status::OK;
  }

  grpc::Status ImageFsInfo(grpc::ServerContext*, const cri::ImageFsInfoRequest*,
                           cri::ImageFsInfoResponse* response) override {
    response->add_image_filesystems()->mutable_fs_id()->set_mountpoint(
        "/var/lib/containers/storage/overlay-images");
    return grpc::Status::OK;
  }

 private:
  FakeCrio& r;
};

class FakeCrio::RuntimeService : public cri::RuntimeService::Service {
 public:
  explicit RuntimeService(FakeCrio& runtime) : r(runtime) {}

  grpc::Status Version(grpc::ServerContext*, const cri::VersionRequest*,
                       cri::VersionResponse* response) override {
    response->set_runtime_name("cri-o");
    response->set_runtime_version("1.36.3");
    return grpc::Status::OK;
  }

  grpc::Status Status(grpc::ServerContext*, const cri::StatusRequest* request,
                      cri::StatusResponse* response) override {
    if (!request->verbose()) return grpc::Status::OK;
    AddEntry(*response->mutable_info(), "config",
             "[crio.image]\n    pause_image = \"" + r.sandbox_image_ + "\"\n");
    return grpc::Status::OK;
  }

  grpc::Status CreateContainer(grpc::ServerContext*, const cri::CreateContainerRequest* request,
                               cri::CreateContainerResponse* response) override {
    std::lock_guard lock(r.mutex_);
    const auto& config = request->config();
    const auto image = r.store_.Resolve(config.image().image());
    if (!image) return {grpc::UNKNOWN, "image " + config.image().image() + " not known"};
    for (const auto& mount : config.mounts()) {
      const auto volume = r.store_.Resolve(mount.image().image());
      if (!volume) return {grpc::UNKNOWN, "image does not exist locally"};
      r.mounted_.push_back(volume->id);
    }
    const bool restores = r.store_.AnnotationOf(*image).find("checkpoint") != std::string::npos;
    r.ran_.push_back(restores ? "checkpoint " + image->id : image->id);
    r.containers_.emplace_back(image->id, config.image().user_specified_image());
    response->set_container_id("container");
    return grpc::Status::OK;
  }

  grpc::Status ListContainers(grpc::ServerContext*, const cri::ListContainersRequest*,
                              cri::ListContainersResponse* response) override {
    std::lock_guard lock(r.mutex_);
    for (const auto& [id, written] : r.containers_) {
      cri::Container& container = *response->add_containers();
      container.set_image_id(id);
      container.mutable_image()->set_user_specified_image(written);
    }
    return grpc::Status::OK;
  }

  grpc::Status RunPodSandbox(grpc::ServerContext*, const cri::RunPodSandboxRequest*,
                             cri::RunPodSandboxResponse* response) override {
    std::lock_guard lock(r.mutex_);
    const auto found = r.store_.Resolve(r.sandbox_image_);
    std::string id = found ? found->id : "";
    if (id.empty()) {
      if (const auto problem = r.store_.Pull(r.sandbox_image_, id)) {
        return {grpc::UNKNOWN, "creating pod sandbox: " + *problem};
      }
    }
    r.sandboxes_ran_.push_back(id);
    response->set_pod_sandbox_id("sandbox");
    return grpc::Status::OK;
  }

 private:
  FakeCrio& r;
};

FakeCrio::FakeCrio(std::string sandbox_image)
    : sandbox_image_(std::move(sandbox_image)),
      socket_(folder_.path() + "/crio.sock"),
      images_(std::make_unique<ImageService>(*this)),
      runtime_(std::make_unique<RuntimeService>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
  builder.RegisterService(images_.get());
  builder.RegisterService(runtime_.get());
  server_ = builder.BuildAndStart();
}

FakeCrio::~FakeCrio() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

FakeCrio::Manifest FakeCrio::MakeManifest(const std::string& content, const std::string& config,
                                          const std::string& annotation) {
  std::lock_guard lock(mutex_);
  const std::string digest = store_.AddManifest(content, config, annotation);
  return {*trust::Sha256Digest::Parse(digest), store_.IdOf(digest)};
}

FakeCrio::Manifest FakeCrio::MakeIndex(const Manifest& manifest, const std::string& content) {
  std::lock_guard lock(mutex_);
  const std::string digest = store_.AddIndex(manifest.digest.ToString(), content);
  return {*trust::Sha256Digest::Parse(digest), manifest.image_id};
}

void FakeCrio::Push(const std::string& name, const Manifest& manifest) {
  std::lock_guard lock(mutex_);
  store_.Push(name, manifest.digest.ToString());
}

void FakeCrio::DisconnectRegistry() {
  std::lock_guard lock(mutex_);
  store_.DisconnectRegistry();
}

void FakeCrio::PullBehind(const std::string& name) {
  std::lock_guard lock(mutex_);
  std::string id;
  static_cast<void>(store_.Pull(name, id));
}

void FakeCrio::RemoveBehind(const std::string& name_or_id) {
  std::lock_guard lock(mutex_);
  store_.Remove(name_or_id);
}

std::optional<std::vector<std::string>> FakeCrio::NamesOf(const std::string& id) const {
  std::lock_guard lock(mutex_);
  const auto found = store_.images.find(id);
  if (found == store_.images.end()) return std::nullopt;
  return found->second.names;
}

std::vector<std::string> FakeCrio::Ran() const {
  std::lock_guard lock(mutex_);
  return ran_;
}

std::vector<std::string> FakeCrio::Mounted() const {
  std::lock_guard lock(mutex_);
  return mounted_;
}

std::vector<std::string> FakeCrio::SandboxesRan() const {
  std::lock_guard lock(mutex_);
  return sandboxes_ran_;
}

std::vector<std::string> FakeCrio::Pulled() const {
  std::lock_guard lock(mutex_);
  return pulled_;
}

}  // namespace crivet::proxy
