#include "tests/support/proxy/fake_cri.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <optional>
#include <set>

#include "containerd/services/content/v1/content.grpc.pb.h"
#include "containerd/services/images/v1/images.grpc.pb.h"
#include "runtime/v1/api.grpc.pb.h"
#include "trust/core/bytes.h"

namespace crivet::proxy {
namespace {

namespace cri = ::runtime::v1;
namespace native = ::containerd::services::images::v1;
namespace content = ::containerd::services::content::v1;

std::string DigestText(const std::string& bytes) {
  return "sha256:" + trust::ToHex(trust::Sha256Of(bytes));
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
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + options_.socket, grpc::InsecureServerCredentials());
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(images_service_.get());
    builder.RegisterService(runtime_service_.get());
    if (options_.native_api == NativeApi::kServed) {
      builder.RegisterService(native_service_.get());
      builder.RegisterService(content_service_.get());
    }
    server_ = builder.BuildAndStart();
  }

  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }

  // ---- store ----

  struct Name {
    std::string target;
    std::map<std::string, std::string> labels;
    int hidden_polls = 0;
  };

  std::string IdOfTarget(const std::string& target) const { return ids_.at(target); }

  // Names of an ID, in containerd's order: tags first, each sorted by name.
  std::vector<std::string> NamesOf(const std::string& id) const {
    std::vector<std::string> tags;
    std::vector<std::string> others;
    for (const auto& [name, entry] : names_) {
      if (entry.hidden_polls > 0 || IdOfTarget(entry.target) != id || name == id) continue;
      (name.find('@') == std::string::npos ? tags : others).push_back(name);
    }
    tags.insert(tags.end(), others.begin(), others.end());
    return tags;
  }

  // containerd's lookup: a whole digest is an ID, then a name, then the beginning of an ID.
  std::string Resolve(const std::string& text) {
    std::set<std::string> ids;
    for (const auto& [name, entry] : names_) {
      if (entry.hidden_polls == 0) ids.insert(IdOfTarget(entry.target));
    }
    if (trust::IsImageId(text)) return ids.contains(text) ? text : "";
    if (const auto reference = trust::ImageReference::Parse(text)) {
      const auto found = names_.find(reference->Canonical());
      if (found != names_.end()) {
        if (found->second.hidden_polls == 0) return IdOfTarget(found->second.target);
        --found->second.hidden_polls;
      }
    }
    for (const auto& id : ids) {
      if (id.starts_with(text) || id.substr(7).starts_with(text)) return text.empty() ? "" : id;
    }
    return "";
  }

  void Describe(const std::string& id, cri::Image& image) const {
    image.set_id(id);
    image.set_size(4096);
    for (const auto& name : NamesOf(id)) {
      const auto reference = trust::ImageReference::Parse(name);
      if (!reference) continue;
      (reference->digest() ? image.add_repo_digests(name) : image.add_repo_tags(name));
    }
  }

  // What containerd mounts: the target of the first of the ID's references.
  std::string TargetToRun(const std::string& id) const {
    const auto names = NamesOf(id);
    return names.empty() ? "" : names_.at(names.front()).target;
  }

  std::optional<std::string> Pull(const std::string& text, std::string& id) {
    const auto reference = trust::ImageReference::Parse(text);
    if (!reference) return "invalid reference format";
    const std::string name = reference->Canonical();
    std::string target;
    if (reference->digest()) {
      target = reference->digest()->ToString();
      if (!registry_up_ || !ids_.contains(target)) return name + ": not found";
    } else {
      const auto found = registry_.find(name);
      if (!registry_up_ || found == registry_.end()) return name + ": not found";
      target = found->second;
    }
    id = IdOfTarget(target);
    const auto digest = trust::Sha256Digest::Parse(target);
    const std::map<std::string, std::string> managed = {{"io.cri-containerd.image", "managed"}};
    for (const std::string& made : {name, reference->PinnedTo(*digest), id}) {
      names_[made] = Name{target, managed, 0};
    }
    changed_.notify_all();
    return std::nullopt;
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
      if (const auto problem = s.Pull(request->image().image(), id)) {
        return {grpc::NOT_FOUND, "failed to pull and unpack image: " + *problem};
      }
      response->set_image_ref(id);
      return grpc::Status::OK;
    }

    grpc::Status ImageStatus(grpc::ServerContext* context, const cri::ImageStatusRequest* request,
                             cri::ImageStatusResponse* response) override {
      if (auto status = s.Enter(*context, "ImageStatus", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const std::string id = s.Resolve(request->image().image());
      if (id.empty()) return grpc::Status::OK;
      s.Describe(id, *response->mutable_image());
      if (request->verbose()) (*response->mutable_info())["info"] = "{}";
      return grpc::Status::OK;
    }

    grpc::Status ListImages(grpc::ServerContext* context, const cri::ListImagesRequest* request,
                            cri::ListImagesResponse* response) override {
      if (auto status = s.Enter(*context, "ListImages", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      std::set<std::string> ids;
      const std::string filter = request->filter().image().image();
      for (const auto& [name, entry] : s.names_) ids.insert(s.IdOfTarget(entry.target));
      if (!filter.empty()) ids = {s.Resolve(filter)};
      for (const auto& id : ids) {
        if (!id.empty()) s.Describe(id, *response->add_images());
      }
      return grpc::Status::OK;
    }

    grpc::Status RemoveImage(grpc::ServerContext* context, const cri::RemoveImageRequest* request,
                             cri::RemoveImageResponse*) override {
      if (auto status = s.Enter(*context, "RemoveImage", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const std::string id = s.Resolve(request->image().image());
      std::erase_if(s.names_,
                    [&](const auto& entry) { return s.IdOfTarget(entry.second.target) == id; });
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
      (*response->mutable_info())["config"] =
          "{" + sandbox + "\"containerd\":{\"snapshotter\":\"" + s.options_.snapshotter + "\"}}";
      return grpc::Status::OK;
    }

    grpc::Status CreateContainer(grpc::ServerContext* context,
                                 const cri::CreateContainerRequest* request,
                                 cri::CreateContainerResponse* response) override {
      if (auto status = s.Enter(*context, "CreateContainer", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const std::string text = request->config().image().image();
      if (text.starts_with("/")) {
        s.ran_.push_back("checkpoint archive " + text);
      } else {
        const std::string id = s.Resolve(text);
        if (id.empty()) return {grpc::NOT_FOUND, "failed to resolve image \"" + text + "\""};
        s.ran_.push_back(s.TargetToRun(id));
      }
      response->set_container_id("container-" + std::to_string(s.ran_.size()));
      return grpc::Status::OK;
    }

    grpc::Status RunPodSandbox(grpc::ServerContext* context,
                               const cri::RunPodSandboxRequest* request,
                               cri::RunPodSandboxResponse* response) override {
      if (auto status = s.Enter(*context, "RunPodSandbox", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      std::string id = s.Resolve(s.options_.sandbox_image);
      if (id.empty()) {
        if (const auto problem = s.Pull(s.options_.sandbox_image, id)) {
          return {grpc::UNKNOWN, "failed to get sandbox image: " + *problem};
        }
      }
      s.sandboxes_ran_.push_back(s.TargetToRun(id));
      response->set_pod_sandbox_id("sandbox");
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
      const auto found = s.names_.find(request->name());
      if (found == s.names_.end()) return {grpc::NOT_FOUND, request->name() + ": not found"};
      s.Fill(*found, *response->mutable_image());
      return grpc::Status::OK;
    }

    grpc::Status List(grpc::ServerContext* context, const native::ListImagesRequest* request,
                      native::ListImagesResponse* response) override {
      if (auto status = s.Enter(*context, "Images.List", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      for (const auto& entry : s.names_) {
        const bool wanted =
            request->filters().empty() ||
            std::any_of(request->filters().begin(), request->filters().end(),
                        [&](const auto& f) { return f == "name==\"" + entry.first + "\""; });
        if (wanted) s.Fill(entry, *response->add_images());
      }
      return grpc::Status::OK;
    }

    grpc::Status Create(grpc::ServerContext* context, const native::CreateImageRequest* request,
                        native::CreateImageResponse* response) override {
      if (auto status = s.Enter(*context, "Images.Create", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto& image = request->image();
      if (s.names_.contains(image.name())) {
        return {grpc::ALREADY_EXISTS, "image " + image.name() + " exists"};
      }
      s.names_[image.name()] = Name{image.target().digest(),
                                    {image.labels().begin(), image.labels().end()},
                                    s.options_.shown_after_polls};
      *response->mutable_image() = image;
      s.changed_.notify_all();
      return grpc::Status::OK;
    }

    grpc::Status Update(grpc::ServerContext* context, const native::UpdateImageRequest* request,
                        native::UpdateImageResponse*) override {
      if (auto status = s.Enter(*context, "Images.Update", *request); !status.ok()) return status;
      std::lock_guard lock(s.mutex_);
      const auto found = s.names_.find(request->image().name());
      if (found == s.names_.end()) return {grpc::NOT_FOUND, "not found"};
      const auto& paths = request->update_mask().paths();
      if (paths.empty()) {
        found->second.labels = {request->image().labels().begin(), request->image().labels().end()};
      }
      found->second.target = request->image().target().digest();
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
        const auto found = s.blobs_.find(request->digest());
        if (found == s.blobs_.end()) return {grpc::NOT_FOUND, "content: not found"};
        blob = found->second;
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

  void Fill(const std::pair<const std::string, Name>& entry, native::Image& image) const {
    image.set_name(entry.first);
    image.mutable_target()->set_digest(entry.second.target);
    image.mutable_target()->set_media_type("application/vnd.oci.image.manifest.v1+json");
    image.mutable_target()->set_size(7);
    for (const auto& [key, value] : entry.second.labels) (*image.mutable_labels())[key] = value;
  }

  const Options options_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, std::string> registry_;  // name -> target
  bool registry_up_ = true;
  std::map<std::string, std::string> ids_;    // target -> image ID
  std::map<std::string, std::string> blobs_;  // digest -> manifest
  std::map<std::string, Name> names_;
  std::vector<Call> calls_;
  std::vector<std::string> ran_;
  std::vector<std::string> sandboxes_ran_;
  std::map<std::string, Hook> hooks_;
  std::map<std::string, Failure> failures_;
  std::map<std::string, std::map<std::string, std::string>> initial_;

  std::unique_ptr<ImageService> images_service_;
  std::unique_ptr<RuntimeService> runtime_service_;
  std::unique_ptr<NativeService> native_service_;
  std::unique_ptr<ContentService> content_service_;
  std::unique_ptr<grpc::Server> server_;
};

FakeCri::FakeCri(Options options) : server_(std::make_unique<Server>(std::move(options))) {
  server_->Start();
}

FakeCri::~FakeCri() { server_->Stop(); }

FakeCri::Manifest FakeCri::MakeManifest(const std::string& layers, const std::string& config,
                                        const std::string& annotation) {
  const std::string id = DigestText(config);
  std::string blob = "{\"config\":{\"digest\":\"" + id + "\"},\"content\":\"" + layers + "\"";
  if (!annotation.empty()) blob += ",\"annotations\":{\"" + annotation + "\":\"yes\"}";
  blob += "}";
  const std::string digest = DigestText(blob);
  std::lock_guard lock(server_->mutex_);
  server_->ids_[digest] = id;
  server_->blobs_[digest] = blob;
  return {*trust::Sha256Digest::Parse(digest), id};
}

void FakeCri::Push(const std::string& name, const Manifest& manifest) {
  std::lock_guard lock(server_->mutex_);
  server_->registry_[name] = manifest.digest.ToString();
}

void FakeCri::DisconnectRegistry() {
  std::lock_guard lock(server_->mutex_);
  server_->registry_up_ = false;
}

void FakeCri::Import(const std::string& name, const Manifest& manifest) {
  std::lock_guard lock(server_->mutex_);
  server_->names_[name] = {manifest.digest.ToString(), {}, 0};
}

void FakeCri::Untag(const std::string& name) {
  std::lock_guard lock(server_->mutex_);
  server_->names_.erase(name);
}

std::string FakeCri::TargetOf(const std::string& name) const {
  std::lock_guard lock(server_->mutex_);
  const auto found = server_->names_.find(name);
  return found == server_->names_.end() ? "" : found->second.target;
}

std::map<std::string, std::string> FakeCri::LabelsOf(const std::string& name) const {
  std::lock_guard lock(server_->mutex_);
  return server_->names_.at(name).labels;
}

bool FakeCri::WaitForName(const std::string& name) const {
  std::unique_lock lock(server_->mutex_);
  return server_->changed_.wait_for(lock, std::chrono::seconds(10),
                                    [&] { return server_->names_.contains(name); });
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
  return server_->ran_;
}

std::vector<std::string> FakeCri::SandboxesRan() const {
  std::lock_guard lock(server_->mutex_);
  return server_->sandboxes_ran_;
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
