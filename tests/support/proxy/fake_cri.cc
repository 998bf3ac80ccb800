// SPDX-License-Identifier: Apache-2.0
#include "tests/support/proxy/fake_cri.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "containerd/services/containers/v1/containers.grpc.pb.h"
#include "containerd/services/content/v1/content.grpc.pb.h"
#include "containerd/services/images/v1/images.grpc.pb.h"
#include "containerd/services/snapshots/v1/snapshots.grpc.pb.h"
#include "proxy/runtime/map_entries.h"
#include "runtime/v1/api.grpc.pb.h"
#include "tests/support/proxy/fake_image_store.h"

namespace crivet::proxy {
namespace {

namespace cri = ::runtime::v1;
namespace native = ::containerd::services::images::v1;
namespace content = ::containerd::services::content::v1;
namespace containers = ::containerd::services::containers::v1;
namespace snapshots = ::containerd::services::snapshots::v1;

grpc::Status NoContainer(const std::string& id) {
  return {grpc::NOT_FOUND,
          "an error occurred when try to find container \"" + id + "\": not found"};
}

std::map<std::string, std::string> NativeLabels(const native::Image& image) {
  std::map<std::string, std::string> labels;
  for (const auto& label : image.labels()) labels.insert_or_assign(label.key(), label.value());
  return labels;
}

}  // namespace

class FakeCri::Server {
 public:
  explicit Server(Options options) : options_(std::move(options)) {}

  void Start() {
    images_service_ = std::make_unique<ImageService>(*this);
    runtime_service_ = std::make_unique<RuntimeService>(*this);
    native_service_ = std::make_unique<NativeService>(*this);
    content_service_ = std::make_unique<ContentService>(*this);
    containers_service_ = std::make_unique<ContainersService>(*this);
    snapshots_service_ = std::make_unique<SnapshotsService>(*this);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + options_.socket, grpc::InsecureServerCredentials());
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(images_service_.get());
    builder.RegisterService(runtime_service_.get());
    if (options_.native_api == NativeApi::kServed) {
      builder.RegisterService(native_service_.get());
      builder.RegisterService(content_service_.get());
      if (options_.native_containers == NativeApi::kServed) {
        builder.RegisterService(containers_service_.get());
        builder.RegisterService(snapshots_service_.get());
      }
    }
    server_ = builder.BuildAndStart();
  }

  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }

  void Describe(const std::string& id, cri::Image& image) const {
    image.set_id(id);
    for (const auto& name : store_.NamesOf(id)) {
      const auto reference = trust::ImageReference::Parse(name);
      if (!reference) continue;
      (reference->digest() ? image.add_repo_digests(name) : image.add_repo_tags(name));
    }
  }

  // Records a call and runs its hook; the status says how it shall fail, if it shall.
  template <typename Request>
  grpc::Status Enter(grpc::ServerContext& context, const std::string& method,
                     const Request& request) {
    Hook hook;
    grpc::Status status;
    {
      std::lock_guard lock(mutex_);
      Call call{method, request.SerializeAsString(), {}, false};
      for (const auto& [key, value] : context.client_metadata()) {
        call.metadata.emplace(std::string(key.data(), key.size()),
                              std::string(value.data(), value.size()));
      }
      call.has_deadline =
          context.deadline() < std::chrono::system_clock::now() + std::chrono::hours(24);
      calls_.push_back(std::move(call));
      changed_.notify_all();
      if (const auto found = hooks_.find(method); found != hooks_.end()) hook = found->second;
      if (const auto found = initial_.find(method); found != initial_.end()) {
        for (const auto& [key, value] : found->second) context.AddInitialMetadata(key, value);
      }
      if (const auto found = failures_.find(method); found != failures_.end()) {
        const Failure& failure = found->second;
        for (const auto& [key, value] : failure.trailers) context.AddTrailingMetadata(key, value);
        status = grpc::Status(static_cast<grpc::StatusCode>(failure.code), failure.message,
                              failure.details);
      }
    }
    if (hook) hook([&context] { return context.IsCancelled(); });
    return status;
  }

  class ImageService : public cri::ImageService::Service {
   public:
    explicit ImageService(Server& server) : s(server) {}

    grpc::Status PullImage(grpc::ServerContext* context, const cri::PullImageRequest* request,
                           cri::PullImageResponse* response) override {
      if (auto status = s.Enter(*context, "PullImage", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      std::string id;
      if (const auto problem = s.store_.Pull(request->image().image(), id)) {
        return {grpc::NOT_FOUND, "failed to pull and unpack image: " + *problem};
      }
      response->set_image_ref(id);
      return grpc::Status::OK;
    }

    grpc::Status ImageStatus(grpc::ServerContext* context, const cri::ImageStatusRequest* request,
                             cri::ImageStatusResponse* response) override {
      if (auto status = s.Enter(*context, "ImageStatus", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const std::string id = s.store_.Resolve(request->image().image());
      if (id.empty()) return grpc::Status::OK;
      s.Describe(id, *response->mutable_image());
      if (request->verbose()) AddEntry(*response->mutable_info(), "info", "{}");
      return grpc::Status::OK;
    }

    grpc::Status ListImages(grpc::ServerContext* context, const cri::ListImagesRequest* request,
                            cri::ListImagesResponse* response) override {
      if (auto status = s.Enter(*context, "ListImages", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      std::set<std::string> ids;
      const std::string filter = request->filter().image().image();
      for (const auto& [name, entry] : s.store_.names) ids.insert(s.store_.IdOf(entry.target));
      if (!filter.empty()) ids = {s.store_.Resolve(filter)};
      for (const auto& id : ids) {
        if (!id.empty()) s.Describe(id, *response->add_images());
      }
      return grpc::Status::OK;
    }

    grpc::Status RemoveImage(grpc::ServerContext* context, const cri::RemoveImageRequest* request,
                             cri::RemoveImageResponse*) override {
      if (auto status = s.Enter(*context, "RemoveImage", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const std::string id = s.store_.Resolve(request->image().image());
      s.store_.RemoveId(id);
      return grpc::Status::OK;
    }

    grpc::Status ImageFsInfo(grpc::ServerContext* context, const cri::ImageFsInfoRequest* request,
                             cri::ImageFsInfoResponse* response) override {
      if (auto status = s.Enter(*context, "ImageFsInfo", *request); !status.ok()) return status;
      response->add_image_filesystems()->mutable_fs_id()->set_mountpoint(
          "/var/lib/containerd/io.containerd.snapshotter.v1." + s.options_.snapshotter);
      return grpc::Status::OK;
    }

   private:
    Server& s;
  };

  class RuntimeService : public cri::RuntimeService::Service {
   public:
    explicit RuntimeService(Server& server) : s(server) {}

    grpc::Status Status(grpc::ServerContext* context, const cri::StatusRequest* request,
                        cri::StatusResponse* response) override {
      if (auto status = s.Enter(*context, "Status", *request); !status.ok()) return status;
      if (!request->verbose()) return grpc::Status::OK;
      const std::string sandbox = s.options_.sandbox_image.empty()
                                      ? ""
                                      : "\"sandboxImage\":\"" + s.options_.sandbox_image + "\",";
      AddEntry(
          *response->mutable_info(), "config",
          "{" + sandbox + "\"containerd\":{\"snapshotter\":\"" + s.options_.snapshotter + "\"}}");
      return grpc::Status::OK;
    }

    grpc::Status CreateContainer(grpc::ServerContext* context,
                                 const cri::CreateContainerRequest* request,
                                 cri::CreateContainerResponse* response) override {
      if (auto status = s.Enter(*context, "CreateContainer", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const std::string text = request->config().image().image();
      if (text.starts_with("/")) {
        s.restored_.push_back("checkpoint archive " + text);
        return grpc::Status::OK;
      }
      const std::string id = s.store_.Resolve(text);
      if (id.empty()) return {grpc::NOT_FOUND, "failed to resolve image \"" + text + "\""};
      response->set_container_id(s.containers_.Create(*request, id));
      return grpc::Status::OK;
    }

    grpc::Status StartContainer(grpc::ServerContext* context,
                                const cri::StartContainerRequest* request,
                                cri::StartContainerResponse*) override {
      if (auto status = s.Enter(*context, "StartContainer", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto id = s.containers_.Find(request->container_id());
      if (!id) return NoContainer(request->container_id());
      auto& container = s.containers_.containers[*id];
      if (container.state != cri::CONTAINER_CREATED) return {grpc::UNKNOWN, "not in created state"};
      container.state = cri::CONTAINER_RUNNING;
      return grpc::Status::OK;
    }

    grpc::Status RemoveContainer(grpc::ServerContext* context,
                                 const cri::RemoveContainerRequest* request,
                                 cri::RemoveContainerResponse*) override {
      if (auto status = s.Enter(*context, "RemoveContainer", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      s.containers_.Remove(request->container_id());
      return grpc::Status::OK;
    }

    grpc::Status ContainerStatus(grpc::ServerContext* context,
                                 const cri::ContainerStatusRequest* request,
                                 cri::ContainerStatusResponse* response) override {
      if (auto status = s.Enter(*context, "ContainerStatus", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto id = s.containers_.Find(request->container_id());
      if (!id) return NoContainer(request->container_id());
      const auto& container = s.containers_.containers[*id];
      response->mutable_status()->set_id(*id);
      response->mutable_status()->set_state(container.state);
      // Not as it was asked for: by the first tag that the image has now.
      cri::Image image;
      s.Describe(container.image_id, image);
      response->mutable_status()->mutable_image()->set_image(
          image.repo_tags().empty() ? container.config.image().image() : image.repo_tags(0));
      if (request->verbose()) {
        const nlohmann::json config = {
            {"image",
             {{"image", container.config.image().image()},
              {"user_specified_image", container.config.image().user_specified_image()}}}};
        AddEntry(*response->mutable_info(), "info",
                 nlohmann::json{{"config", config}}.dump(-1, ' ', false,
                                                         nlohmann::json::error_handler_t::replace));
      }
      *response->mutable_status()->mutable_mounts() = container.config.mounts();
      return grpc::Status::OK;
    }

    grpc::Status ListContainers(grpc::ServerContext* context,
                                const cri::ListContainersRequest* request,
                                cri::ListContainersResponse* response) override {
      if (auto status = s.Enter(*context, "ListContainers", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      for (const auto& [id, container] : s.containers_.containers) {
        if (!id.starts_with(request->filter().id())) continue;
        auto& listed = *response->add_containers();
        listed.set_id(id);
        listed.set_pod_sandbox_id(container.sandbox);
        listed.set_image_ref(container.image_id);
      }
      return grpc::Status::OK;
    }

    grpc::Status PodSandboxStatus(grpc::ServerContext* context,
                                  const cri::PodSandboxStatusRequest* request,
                                  cri::PodSandboxStatusResponse* response) override {
      if (auto status = s.Enter(*context, "PodSandboxStatus", *request); !status.ok()) {
        return status;
      }
      std::lock_guard lock(s.mutex_);
      response->mutable_status()->set_id(request->pod_sandbox_id());
      *response->mutable_status()->mutable_metadata() =
          s.containers_.pods[request->pod_sandbox_id()];
      return grpc::Status::OK;
    }

    grpc::Status ListPodSandbox(grpc::ServerContext* context,
                                const cri::ListPodSandboxRequest* request,
                                cri::ListPodSandboxResponse* response) override {
      if (auto status = s.Enter(*context, "ListPodSandbox", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      for (const auto& [id, sandbox] : s.containers_.sandboxes) {
        auto& item = *response->add_items();
        item.set_id(id);
        *item.mutable_metadata() = s.containers_.pods[id];
      }
      return grpc::Status::OK;
    }

    grpc::Status StopPodSandbox(grpc::ServerContext* context,
                                const cri::StopPodSandboxRequest* request,
                                cri::StopPodSandboxResponse*) override {
      return s.Enter(*context, "StopPodSandbox", *request);
    }

    grpc::Status RemovePodSandbox(grpc::ServerContext* context,
                                  const cri::RemovePodSandboxRequest* request,
                                  cri::RemovePodSandboxResponse*) override {
      if (auto status = s.Enter(*context, "RemovePodSandbox", *request); !status.ok()) {
        return status;
      }
      std::lock_guard lock(s.mutex_);
      s.containers_.sandboxes.erase(request->pod_sandbox_id());
      return grpc::Status::OK;
    }

    grpc::Status Version(grpc::ServerContext* context, const cri::VersionRequest* request,
                         cri::VersionResponse* response) override {
      if (auto status = s.Enter(*context, "Version", *request); !status.ok()) return status;
      const bool native = s.options_.native_api == NativeApi::kServed;
      response->set_runtime_name(!s.options_.runtime_name.empty() ? s.options_.runtime_name
                                 : native                         ? "containerd"
                                                                  : "cri-o");
      return grpc::Status::OK;
    }

    grpc::Status RunPodSandbox(grpc::ServerContext* context,
                               const cri::RunPodSandboxRequest* request,
                               cri::RunPodSandboxResponse* response) override {
      if (auto status = s.Enter(*context, "RunPodSandbox", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      std::string id = s.store_.Resolve(s.options_.sandbox_image);
      if (id.empty()) {
        if (const auto problem = s.store_.Pull(s.options_.sandbox_image, id)) {
          return {grpc::UNKNOWN, "failed to get sandbox image: " + *problem};
        }
      }
      response->set_pod_sandbox_id(s.containers_.RunSandbox(request->config(), id));
      return grpc::Status::OK;
    }

   private:
    Server& s;
  };

  class NativeService : public native::Images::Service {
   public:
    explicit NativeService(Server& server) : s(server) {}

    grpc::Status Get(grpc::ServerContext* context, const native::GetImageRequest* request,
                     native::GetImageResponse* response) override {
      if (auto status = s.Enter(*context, "Images.Get", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto found = s.store_.names.find(request->name());
      if (found == s.store_.names.end()) return {grpc::NOT_FOUND, request->name() + ": not found"};
      s.Fill(*found, *response->mutable_image());
      return grpc::Status::OK;
    }

    grpc::Status List(grpc::ServerContext* context, const native::ListImagesRequest* request,
                      native::ListImagesResponse* response) override {
      if (auto status = s.Enter(*context, "Images.List", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      for (const auto& entry : s.store_.names) {
        const bool wanted =
            request->filters().empty() ||
            std::any_of(request->filters().begin(), request->filters().end(), [&](const auto& f) {
              return f == "name==\"" + entry.first + "\"" ||
                     f == "target.digest==\"" + entry.second.target + "\"";
            });
        if (wanted) s.Fill(entry, *response->add_images());
      }
      return grpc::Status::OK;
    }

    grpc::Status Create(grpc::ServerContext* context, const native::CreateImageRequest* request,
                        native::CreateImageResponse* response) override {
      if (auto status = s.Enter(*context, "Images.Create", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto& image = request->image();
      if (s.store_.names.contains(image.name())) {
        return {grpc::ALREADY_EXISTS, "image " + image.name() + " exists"};
      }
      s.store_.names[image.name()] = FakeImageStore::Name{
          image.target().digest(), NativeLabels(image), s.options_.shown_after_polls};
      *response->mutable_image() = image;
      s.changed_.notify_all();
      return grpc::Status::OK;
    }

    grpc::Status Update(grpc::ServerContext* context, const native::UpdateImageRequest* request,
                        native::UpdateImageResponse*) override {
      if (auto status = s.Enter(*context, "Images.Update", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto found = s.store_.names.find(request->image().name());
      if (found == s.store_.names.end()) return {grpc::NOT_FOUND, "not found"};
      const auto& paths = request->update_mask().paths();
      if (paths.empty()) {
        found->second.labels = NativeLabels(request->image());
      }
      found->second.target = request->image().target().digest();
      return grpc::Status::OK;
    }

    grpc::Status Delete(grpc::ServerContext* context, const native::DeleteImageRequest* request,
                        google::protobuf::Empty*) override {
      if (auto status = s.Enter(*context, "Images.Delete", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const bool removed = s.store_.names.erase(request->name()) == 1;
      return removed ? grpc::Status::OK : grpc::Status(grpc::NOT_FOUND, "not found");
    }

   private:
    Server& s;
  };

  class ContainersService : public containers::Containers::Service {
   public:
    explicit ContainersService(Server& server) : s(server) {}

    grpc::Status Get(grpc::ServerContext* context, const containers::GetContainerRequest* request,
                     containers::GetContainerResponse* response) override {
      if (auto status = s.Enter(*context, "Containers.Get", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      for (const auto* all : {&s.containers_.containers, &s.containers_.sandboxes}) {
        const auto found = all->find(request->id());
        if (found == all->end()) continue;
        auto& container = *response->mutable_container();
        container.set_id(request->id());
        container.set_snapshotter(s.options_.snapshotter);
        container.set_snapshot_key(request->id());
        container.mutable_spec()->set_value(found->second.spec);
        return grpc::Status::OK;
      }
      return {grpc::NOT_FOUND, "container \"" + request->id() + "\" in namespace: not found"};
    }

   private:
    Server& s;
  };

  class SnapshotsService : public snapshots::Snapshots::Service {
   public:
    explicit SnapshotsService(Server& server) : s(server) {}

    grpc::Status Stat(grpc::ServerContext* context, const snapshots::StatSnapshotRequest* request,
                      snapshots::StatSnapshotResponse* response) override {
      if (auto status = s.Enter(*context, "Snapshots.Stat", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto found = s.containers_.snapshots.find(request->key());
      if (found == s.containers_.snapshots.end() ||
          request->snapshotter() != s.options_.snapshotter) {
        return {grpc::NOT_FOUND, "snapshot " + request->key() + " does not exist: not found"};
      }
      response->mutable_info()->set_name(found->first);
      response->mutable_info()->set_parent(found->second);
      return grpc::Status::OK;
    }

   private:
    Server& s;
  };

  class ContentService : public content::Content::Service {
   public:
    explicit ContentService(Server& server) : s(server) {}

    grpc::Status Read(grpc::ServerContext* context, const content::ReadContentRequest* request,
                      grpc::ServerWriter<content::ReadContentResponse>* writer) override {
      if (auto status = s.Enter(*context, "Content.Read", *request); !status.ok()) return status;
      std::string blob;
      {
        std::lock_guard lock(s.mutex_);
        const std::string* found = s.store_.Blob(request->digest());
        if (found == nullptr) return {grpc::NOT_FOUND, "content: not found"};
        blob = *found;
      }
      // In pieces, as containerd sends what does not fit one message.
      for (std::size_t at = 0; at < blob.size(); at += 16) {
        content::ReadContentResponse piece;
        piece.set_offset(static_cast<std::int64_t>(at));
        piece.set_data(blob.substr(at, 16));
        writer->Write(piece);
      }
      return grpc::Status::OK;
    }

   private:
    Server& s;
  };

  void Fill(const std::pair<const std::string, FakeImageStore::Name>& entry,
            native::Image& image) const {
    image.set_name(entry.first);
    image.mutable_target()->set_digest(entry.second.target);
    image.mutable_target()->set_media_type("application/vnd.oci.image.manifest.v1+json");
    image.mutable_target()->set_size(7);
    for (const auto& [key, value] : entry.second.labels) {
      AddEntry(*image.mutable_labels(), key, value);
    }
  }

  const Options options_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  FakeImageStore store_;
  std::vector<Call> calls_;
  FakeContainers containers_{store_};
  std::vector<std::string> restored_;
  std::map<std::string, Hook> hooks_;
  std::map<std::string, Failure> failures_;
  std::map<std::string, std::map<std::string, std::string>> initial_;

  std::unique_ptr<ImageService> images_service_;
  std::unique_ptr<RuntimeService> runtime_service_;
  std::unique_ptr<NativeService> native_service_;
  std::unique_ptr<ContentService> content_service_;
  std::unique_ptr<ContainersService> containers_service_;
  std::unique_ptr<SnapshotsService> snapshots_service_;
  std::unique_ptr<grpc::Server> server_;
};

FakeCri::FakeCri(Options options) : server_(std::make_unique<Server>(std::move(options))) {
  server_->Start();
}

FakeCri::~FakeCri() { server_->Stop(); }

FakeCri::Manifest FakeCri::MakeManifest(const std::string& content, const std::string& config,
                                        const std::string& annotation) {
  std::lock_guard lock(server_->mutex_);
  const std::string digest = server_->store_.AddManifest(content, config, annotation);
  return {*trust::Sha256Digest::Parse(digest), server_->store_.IdOf(digest)};
}

FakeCri::Manifest FakeCri::MakeRawManifest(const std::string& bytes, const std::string& config) {
  std::lock_guard lock(server_->mutex_);
  const std::string digest = server_->store_.AddRawManifest(bytes, config);
  return {*trust::Sha256Digest::Parse(digest), server_->store_.IdOf(digest)};
}

void FakeCri::Push(const std::string& name, const Manifest& manifest) {
  std::lock_guard lock(server_->mutex_);
  server_->store_.Push(name, manifest.digest.ToString());
}

void FakeCri::DisconnectRegistry() {
  std::lock_guard lock(server_->mutex_);
  server_->store_.DisconnectRegistry();
}

void FakeCri::Import(const std::string& name, const Manifest& manifest) {
  std::lock_guard lock(server_->mutex_);
  server_->store_.Import(name, manifest.digest.ToString());
}

void FakeCri::ImportBySha512(const std::string& name, const std::string& content,
                             const std::string& config, const std::string& annotation) {
  std::lock_guard lock(server_->mutex_);
  const std::string digest = server_->store_.AddBySha512(content, config, annotation);
  server_->store_.names[name] = {digest, {}, 0};
}

void FakeCri::Move(const std::string& name, const Manifest& manifest, int polls) {
  std::lock_guard lock(server_->mutex_);
  server_->store_.Move(name, manifest.digest.ToString(), polls);
}

void FakeCri::Untag(const std::string& name) {
  std::lock_guard lock(server_->mutex_);
  server_->store_.Untag(name);
}

std::string FakeCri::TargetOf(const std::string& name) const {
  std::lock_guard lock(server_->mutex_);
  const auto found = server_->store_.names.find(name);
  return found == server_->store_.names.end() ? "" : found->second.target;
}

std::map<std::string, std::string> FakeCri::LabelsOf(const std::string& name) const {
  std::lock_guard lock(server_->mutex_);
  return server_->store_.names.at(name).labels;
}

bool FakeCri::WaitForName(const std::string& name) const {
  std::unique_lock lock(server_->mutex_);
  return server_->changed_.wait_for(lock, std::chrono::seconds(10),
                                    [&] { return server_->store_.names.contains(name); });
}

bool FakeCri::WaitForCall(const std::string& method) const {
  std::unique_lock lock(server_->mutex_);
  return server_->changed_.wait_for(lock, std::chrono::seconds(10), [&] {
    return std::any_of(server_->calls_.begin(), server_->calls_.end(),
                       [&](const Call& call) { return call.method == method; });
  });
}

std::vector<FakeCri::Call> FakeCri::Calls(const std::string& method) const {
  std::lock_guard lock(server_->mutex_);
  std::vector<Call> calls;
  for (const auto& call : server_->calls_) {
    if (call.method == method) calls.push_back(call);
  }
  return calls;
}

std::vector<std::string> FakeCri::Ran() const {
  std::lock_guard lock(server_->mutex_);
  auto ran = server_->containers_.Targets(server_->containers_.containers);
  ran.insert(ran.end(), server_->restored_.begin(), server_->restored_.end());
  return ran;
}

std::vector<std::string> FakeCri::SandboxesRan() const {
  std::lock_guard lock(server_->mutex_);
  return server_->containers_.Targets(server_->containers_.sandboxes);
}

void FakeCri::WithContainers(const std::function<void(FakeContainers&)>& use) {
  std::lock_guard lock(server_->mutex_);
  use(server_->containers_);
}

void FakeCri::OnCall(const std::string& method, Hook hook) {
  std::lock_guard lock(server_->mutex_);
  server_->hooks_[method] = std::move(hook);
}

void FakeCri::Fail(const std::string& method, Failure failure) {
  std::lock_guard lock(server_->mutex_);
  server_->failures_[method] = std::move(failure);
}

void FakeCri::SendInitialMetadata(const std::string& method,
                                  std::map<std::string, std::string> metadata) {
  std::lock_guard lock(server_->mutex_);
  server_->initial_[method] = std::move(metadata);
}

void FakeCri::Stop() { server_->Stop(); }
void FakeCri::Start() { server_->Start(); }

}  // namespace crivet::proxy
