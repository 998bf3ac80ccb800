// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: every call that is judged begins and ends here, and they share its parts.
#include "proxy/gate/gate.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/gated_message.h"
#include "proxy/gate/sandbox_look.h"
#include "proxy/owned_fd.h"
#include "proxy/runtime/call_context.h"
#include "proxy/runtime/handover.h"
#include "proxy/runtime/image_names.h"
#include "proxy/steady_deadline.h"

namespace crivet::proxy {
namespace {

constexpr int kMaxMetadataBytes = 1024 * 1024;
constexpr int kSocketBufferBytes = 1024 * 1024;
constexpr std::chrono::milliseconds kProbeInterval{200};
// How soon a sandbox is looked for again that has not turned up, or could not be removed.
constexpr std::chrono::milliseconds kFirstLookAgain{1'000};
constexpr std::chrono::milliseconds kLastLookAgain{60'000};

// The full paths, as the method table and the audit log name them.
constexpr std::string_view kPullImage = "/runtime.v1.ImageService/PullImage";
constexpr std::string_view kImageStatus = "/runtime.v1.ImageService/ImageStatus";
constexpr std::string_view kListImages = "/runtime.v1.ImageService/ListImages";
constexpr std::string_view kStreamImages = "/runtime.v1.ImageService/StreamImages";
constexpr std::string_view kRemoveImage = "/runtime.v1.ImageService/RemoveImage";
constexpr std::string_view kCreateContainer = "/runtime.v1.RuntimeService/CreateContainer";
constexpr std::string_view kStartContainer = "/runtime.v1.RuntimeService/StartContainer";
constexpr std::string_view kRunPodSandbox = "/runtime.v1.RuntimeService/RunPodSandbox";

// gRPC names a connection that it was handed by its descriptor: `fd:17`.
std::string PeerName(int fd) { return "fd:" + std::to_string(fd); }

// ImageWriter answers a StreamImages; it frees itself when the call is over.
class ImageWriter : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // False where the caller has gone.
  Task<bool> Write(const cri::StreamImagesResponse& message) {
    if (!WriteMessage(message, bytes_).ok()) co_return false;
    co_return co_await AwaitCallback<bool>([this](std::function<void(bool)> done) {
      on_written_ = std::move(done);
      HandOver(this);
      StartWrite(&bytes_);
    });
  }

  void OnWriteDone(bool ok) override {
    TakeOver(this);
    const auto done = std::move(on_written_);
    done(ok);
  }
  void OnCancel() override {}
  void OnDone() override {
    TakeOver(this);
    delete this;
  }

 private:
  std::function<void(bool)> on_written_;
  grpc::ByteBuffer bytes_;
};

// Methods whose messages come as bytes: gRPC would inflate them to any size before it asks.
using RawImageService = cri::ImageService::WithRawCallbackMethod_PullImage<
    cri::ImageService::WithRawCallbackMethod_ImageStatus<
        cri::ImageService::WithRawCallbackMethod_ListImages<
            cri::ImageService::WithRawCallbackMethod_StreamImages<
                cri::ImageService::WithRawCallbackMethod_RemoveImage<
                    cri::ImageService::CallbackService>>>>>;
using RawRuntimeService = cri::RuntimeService::WithRawCallbackMethod_CreateContainer<
    cri::RuntimeService::WithRawCallbackMethod_StartContainer<
        cri::RuntimeService::WithRawCallbackMethod_RunPodSandbox<
            cri::RuntimeService::CallbackService>>>;

// Takes the bytes of a request: gRPC would keep them until the call is over.
grpc::ByteBuffer Taken(const grpc::ByteBuffer* request) {
  grpc::ByteBuffer taken;
  taken.Swap(const_cast<grpc::ByteBuffer*>(request));
  return taken;
}

}  // namespace

// Server is the gRPC side of the gate: it takes connections, starts a coroutine for each call, and
// sees to it that whatever happens in there the call is answered, never with a yes by accident.
class Gate::Server {
 public:
  explicit Server(Options options)
      : options_(std::move(options)),
        settings_(std::make_shared<const Config::Gate>(options_.gate)),
        upstream_(options_.upstream, options_.image_upstream),
        names_(ImageNames::Load(options_.state_dir)),
        images_(upstream_, names_, [this] { NativeApiMissing(); }),
        containers_(upstream_),
        own_references_(upstream_),
        unseen_sandboxes_(
            options_.state_dir, [this] { LookForSandboxes(); }, options_.log),
        parts_{upstream_,         images_,         containers_,       own_references_,
               unseen_sandboxes_, tag_locks_,      absent_once_,      *options_.tickets,
               *options_.decider, *options_.audit, *options_.metrics, options_.log},
        image_service_(*this),
        runtime_service_(*this) {}

  ~Server() { Shutdown(std::chrono::milliseconds(0)); }

  bool Start() {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    // The road lets nothing larger through.
    builder.SetMaxReceiveMessageSize(static_cast<int>(options_.budget->limits().message));
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterService(&image_service_);
    builder.RegisterService(&runtime_service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return false;
    std::promise<void> ended;
    probe_ended_ = ended.get_future();
    Probe(std::move(ended));
    LookForSandboxes();
    return true;
  }

  int Connect(const PeerCredentials& peer) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
      return -1;
    }
    OwnedFd router_end(ends[0]);
    OwnedFd gate_end(ends[1]);
    for (const int fd : ends) {
      setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
    }
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return -1;
      peers_.insert_or_assign(PeerName(gate_end.get()), peer);
    }
    grpc::AddInsecureChannelFromFd(server_.get(), gate_end.Release());
    return router_end.Release();
  }

  void Reconfigure(Config::Gate gate) {
    auto next = std::make_shared<const Config::Gate>(std::move(gate));
    std::lock_guard lock(mutex_);
    settings_.swap(next);
  }

  void Shutdown(std::chrono::milliseconds drain) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(stopping_, true)) return;
    }
    if (server_ == nullptr) return;
    upstream_.HurryIn(drain);
    server_->Shutdown(DeadlineIn(drain));
    server_->Wait();
    if (probe_ended_.valid()) probe_ended_.wait();
    std::unique_lock lock(mutex_);
    look_ended_.wait(lock, [this] { return !looks_; });
  }

 private:
  class ImageService : public RawImageService {
   public:
    explicit ImageService(Server& server) : server_(server) {}
    grpc::ServerUnaryReactor* PullImage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerPullImage>(context, kPullImage, request, response);
    }
    grpc::ServerUnaryReactor* ImageStatus(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerImageStatus>(context, kImageStatus, request, response);
    }
    grpc::ServerUnaryReactor* ListImages(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerListImages>(context, kListImages, request, response);
    }
    grpc::ServerWriteReactor<grpc::ByteBuffer>* StreamImages(
        grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override {
      auto* writer = new ImageWriter;
      server_.ServeStream(*context, Taken(request), *writer);
      return writer;
    }
    grpc::ServerUnaryReactor* RemoveImage(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerRemoveImage>(context, kRemoveImage, request, response);
    }

   private:
    Server& server_;
  };

  class RuntimeService : public RawRuntimeService {
   public:
    explicit RuntimeService(Server& server) : server_(server) {}
    grpc::ServerUnaryReactor* CreateContainer(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerCreateContainer>(context, kCreateContainer, request, response);
    }
    grpc::ServerUnaryReactor* StartContainer(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerStartContainer>(context, kStartContainer, request, response);
    }
    grpc::ServerUnaryReactor* RunPodSandbox(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override {
      return server_.Begin<AnswerRunPodSandbox>(context, kRunPodSandbox, request, response);
    }

   private:
    Server& server_;
  };

  template <auto Answer>
  grpc::ServerUnaryReactor* Begin(grpc::CallbackServerContext* context, std::string_view method,
                                  const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    Serve(Answer, *context, method, Taken(request), *response, *reactor);
    return reactor;
  }

  // The edge: nothing thrown gets past it, and what was thrown is a refusal.
  template <typename Request, typename Response>
  Detached Serve(Task<grpc::Status> (*answer)(GateCall&, const Request&, Response&),
                 grpc::CallbackServerContext& context, std::string_view method,
                 grpc::ByteBuffer bytes, grpc::ByteBuffer& answered,
                 grpc::ServerUnaryReactor& reactor) {
    grpc::Status status(grpc::INTERNAL, "crivet failed to judge this call");
    try {
      const PeerCredentials peer = PeerOf(context);
      GatedMessage<Request> request(options_.budget, peer.pid);
      grpc::Status ended = request.Read(bytes);
      if (ended.ok()) {
        GateCall call(parts_, context, method, peer, Settings());
        Response response;
        ended = co_await answer(call, *request, response);
        if (ended.ok()) ended = WriteMessage(response, answered);
      }
      status = ended;
    } catch (const std::exception& error) {
      options_.log("defect: " + std::string(method) + ": " + error.what());
      parts_.metrics.CountInternalError();
    } catch (...) {
      options_.log("defect: " + std::string(method) + ": unknown exception");
      parts_.metrics.CountInternalError();
    }
    reactor.Finish(status);
  }

  // The same edge for a stream.
  Detached ServeStream(grpc::CallbackServerContext& context, grpc::ByteBuffer bytes,
                       ImageWriter& writer) {
    grpc::Status status(grpc::INTERNAL, "crivet failed to answer this call");
    try {
      const PeerCredentials peer = PeerOf(context);
      GatedMessage<cri::StreamImagesRequest> request(options_.budget, peer.pid);
      grpc::Status ended = request.Read(bytes);
      if (ended.ok()) {
        GateCall call(parts_, context, kStreamImages, peer, Settings());
        const SendImages send = [&writer](const cri::StreamImagesResponse& message) {
          return writer.Write(message);
        };
        ended = co_await AnswerStreamImages(call, *request, send);
      }
      status = ended;
    } catch (const std::exception& error) {
      options_.log("defect: " + std::string(kStreamImages) + ": " + error.what());
      parts_.metrics.CountInternalError();
    } catch (...) {
      options_.log("defect: " + std::string(kStreamImages) + ": unknown exception");
      parts_.metrics.CountInternalError();
    }
    HandOver(&writer);
    writer.Finish(status);
  }

  PeerCredentials PeerOf(const grpc::CallbackServerContext& context) {
    const std::string name = context.peer();
    std::lock_guard lock(mutex_);
    const auto found = peers_.find(name);
    return found == peers_.end() ? PeerCredentials() : found->second;
  }

  std::shared_ptr<const Config::Gate> Settings() {
    std::lock_guard lock(mutex_);
    return settings_;
  }

  void NativeApiMissing() {
    if (!native_missing_.exchange(true)) options_.on_translation();
  }

  bool IsStopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  // Asks the runtime once whether it has an images API, as soon as it answers at all.
  Detached Probe(std::promise<void> ended) {
    try {
      while (!IsStopping()) {
        auto context = OwnContext(std::chrono::seconds(1));
        const std::string name = "crivet.invalid/probe:latest";
        auto target = co_await images_.TargetOf(std::move(context), name);
        if (!std::holds_alternative<grpc::Status>(target)) break;
        co_await upstream_.Pause(kProbeInterval);
      }
    } catch (...) {
      parts_.metrics.CountInternalError();
    }
    ended.set_value();
  }

  // Looks for sandboxes that were lost sight of, by calls that ended here or by an earlier process,
  // for as long as there are any.
  void LookForSandboxes() {
    {
      std::lock_guard lock(mutex_);
      looks_soon_ = true;
      if (stopping_ || looks_ || !unseen_sandboxes_.HasLost()) return;
      looks_ = true;
    }
    Look();
  }

  bool HasToLook() {
    std::lock_guard lock(mutex_);
    looks_ = !stopping_ && unseen_sandboxes_.HasLost();
    if (!looks_) look_ended_.notify_all();
    return looks_;
  }

  bool TakeLooksSoon() {
    std::lock_guard lock(mutex_);
    return std::exchange(looks_soon_, false);
  }

  Detached Look() {
    std::chrono::milliseconds waited{0};
    std::chrono::milliseconds wait{0};
    while (HasToLook()) {
      try {
        if (TakeLooksSoon()) waited = wait = kFirstLookAgain;
        if (waited >= wait) {
          co_await SeeLostSandboxes(parts_, Settings());
          waited = std::chrono::milliseconds{0};
          wait = std::min(wait * 2, kLastLookAgain);
        }
        co_await upstream_.Pause(kProbeInterval);
      } catch (...) {
        parts_.metrics.CountInternalError();
      }
      waited += kProbeInterval;
    }
  }

  const Options options_;
  std::mutex mutex_;
  std::condition_variable look_ended_;
  bool looks_ = false;
  bool looks_soon_ = false;
  std::shared_ptr<const Config::Gate> settings_;
  // By gRPC's name of the connection. Descriptors are used again, so the map stays small.
  std::unordered_map<std::string, PeerCredentials> peers_;
  bool stopping_ = false;
  std::atomic<bool> native_missing_{false};
  std::future<void> probe_ended_;

  Upstream upstream_;
  ImageNames names_;
  RuntimeImages images_;
  RuntimeContainers containers_;
  OwnReferences own_references_;
  UnseenSandboxes unseen_sandboxes_;
  NameLocks tag_locks_;
  AbsentOnce absent_once_;
  GateParts parts_;
  ImageService image_service_;
  RuntimeService runtime_service_;
  std::unique_ptr<grpc::Server> server_;
};

trust::Result<std::unique_ptr<Gate>> Gate::Create(Options options) {
  auto server = std::make_unique<Server>(std::move(options));
  if (!server->Start()) {
    return trust::Fail(trust::Reason::kState, "the gate's gRPC server cannot be started");
  }
  return std::unique_ptr<Gate>(new Gate(std::move(server)));
}

Gate::Gate(std::unique_ptr<Server> server) : server_(std::move(server)) {}
Gate::~Gate() = default;

int Gate::Connect(const PeerCredentials& peer) { return server_->Connect(peer); }
void Gate::Reconfigure(Config::Gate gate) { server_->Reconfigure(std::move(gate)); }
void Gate::Shutdown(std::chrono::milliseconds drain) { server_->Shutdown(drain); }

}  // namespace crivet::proxy
