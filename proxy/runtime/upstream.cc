// SPDX-License-Identifier: Apache-2.0

// Over 400 lines: a method for each call of the runtime, all of one shape.
#include "proxy/runtime/upstream.h"

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/handover.h"
#include "proxy/runtime/vigil.h"
#include "proxy/steady_deadline.h"

namespace crivet::proxy {
namespace {

namespace native_containers = ::containerd::services::containers::v1;
namespace native_snapshots = ::containerd::services::snapshots::v1;

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{1000};
constexpr milliseconds kLongestPause{20};
constexpr milliseconds kProbeBudget{4000};
constexpr int kMaxMetadataBytes = 1024 * 1024;

// proxy/RULES.md#grpc-at-the-gate: the runtime's own errors must survive whole, CRI-O wants a plain
// content-type, and a runtime that comes back must be found within a second.
grpc::ChannelArguments ChannelSettings() {
  grpc::ChannelArguments settings;
  settings.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  settings.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  settings.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  settings.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  settings.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  settings.SetMaxReceiveMessageSize(-1);
  settings.SetMaxSendMessageSize(-1);
  settings.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // This one is also how long a busy runtime may take to say its first word.
  settings.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  settings.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  return settings;
}

// Whatever a runtime says, it has time to say it.
bool IsAnAnswer(const grpc::Status& status) {
  return status.error_code() != grpc::DEADLINE_EXCEEDED &&
         status.error_code() != grpc::UNAVAILABLE && status.error_code() != grpc::CANCELLED;
}

// Budget ends a call that has a deadline of its own a moment after it, where gRPC does not: its
// timers wait by the wall clock, and stand still for as long as that was set back.
class Budget {
 public:
  Budget(trust::Timetable& timetable, grpc::ClientContext& context) : timetable_(timetable) {
    const auto left = TimeUntil(context.raw_deadline());
    if (!left) return;
    state_ = std::make_shared<State>();
    state_->context = &context;
    ticket_ = timetable.At(steady_clock::now() + *left + kGrace, [state = state_] {
      const std::lock_guard lock(state->mutex);
      if (state->context == nullptr) return;
      state->is_spent = true;
      state->context->TryCancel();
    });
  }
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;
  ~Budget() { End(); }

  // The call is over; true where it was this that ended it.
  bool End() {
    if (state_ == nullptr) return false;
    timetable_.Drop(ticket_);
    const std::lock_guard lock(state_->mutex);
    state_->context = nullptr;
    return state_->is_spent;
  }

 private:
  static constexpr milliseconds kGrace{100};
  struct State {
    std::mutex mutex;
    grpc::ClientContext* context = nullptr;
    bool is_spent = false;
  };

  trust::Timetable& timetable_;
  std::shared_ptr<State> state_;
  trust::Timetable::Ticket ticket_;
};

class ContentReader
    : public grpc::ClientReadReactor<::containerd::services::content::v1::ReadContentResponse> {
 public:
  ContentReader(std::size_t max_bytes, std::string& content, grpc::ClientContext& context,
                std::function<void(grpc::Status)> done)
      : max_bytes_(max_bytes), content_(content), context_(context), done_(std::move(done)) {}

  void Begin() {
    HandOver(this);
    StartRead(&piece_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    TakeOver(this);
    if (ok) Append();
  }

  void OnDone(const grpc::Status& status) override {
    TakeOver(this);
    // The callback ends the coroutine that owns this object.
    auto done = std::move(done_);
    done(too_large_ ? grpc::Status(grpc::RESOURCE_EXHAUSTED, "content is too large") : status);
  }

 private:
  void Append() {
    if (content_.size() + piece_.data().size() > max_bytes_) {
      too_large_ = true;
      context_.TryCancel();
      return;
    }
    content_ += piece_.data();
    HandOver(this);
    StartRead(&piece_);
  }

  std::size_t max_bytes_;
  std::string& content_;
  grpc::ClientContext& context_;
  std::function<void(grpc::Status)> done_;
  ::containerd::services::content::v1::ReadContentResponse piece_;
  bool too_large_ = false;
};

// What a call's end means here.
grpc::Status StatusOf(const std::string& socket, const grpc::ClientContext& context,
                      grpc::Status status, Budget& budget) {
  if (budget.End() && status.error_code() == grpc::CANCELLED) {
    return {grpc::DEADLINE_EXCEEDED, "Deadline Exceeded"};
  }
  if (status.error_code() == grpc::UNAVAILABLE && !CameFromPeer(context, status)) {
    return {grpc::UNAVAILABLE, "the container runtime at " + socket + " is not available"};
  }
  return status;
}

// One message after the other; the hold keeps the call from ending between them.
class ImageReader : public grpc::ClientReadReactor<::runtime::v1::StreamImagesResponse> {
 public:
  void Begin() {
    HandOver(this);
    AddHold();
    StartCall();
  }

  // False at the end.
  Task<bool> Read(::runtime::v1::StreamImagesResponse& message) {
    co_return co_await AwaitCallback<bool>([this, &message](std::function<void(bool)> done) {
      on_read_ = std::move(done);
      HandOver(this);
      StartRead(&message);
    });
  }

  Task<grpc::Status> End() {
    co_return co_await AwaitCallback<grpc::Status>([this](std::function<void(grpc::Status)> done) {
      on_done_ = std::move(done);
      HandOver(this);
      RemoveHold();
    });
  }

  void OnReadDone(bool ok) override {
    TakeOver(this);
    const auto done = std::move(on_read_);
    done(ok);
  }

  void OnDone(const grpc::Status& status) override {
    TakeOver(this);
    // The callback ends the coroutine that owns this object.
    const auto done = std::move(on_done_);
    done(status);
  }

 private:
  std::function<void(bool)> on_read_;
  std::function<void(grpc::Status)> on_done_;
};

}  // namespace

struct Upstream::Endpoint {
  explicit Endpoint(const std::string& path)
      : socket(path),
        channel(grpc::CreateCustomChannel("unix:" + path, grpc::InsecureChannelCredentials(),
                                          ChannelSettings())),
        images(cri::ImageService::NewStub(channel)),
        runtime(cri::RuntimeService::NewStub(channel)),
        native_images(native::Images::NewStub(channel)),
        containers(native_containers::Containers::NewStub(channel)),
        snapshots(native_snapshots::Snapshots::NewStub(channel)),
        content(::containerd::services::content::v1::Content::NewStub(channel)) {}

  std::string socket;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<cri::ImageService::Stub> images;
  std::unique_ptr<cri::RuntimeService::Stub> runtime;
  std::unique_ptr<native::Images::Stub> native_images;
  std::unique_ptr<native_containers::Containers::Stub> containers;
  std::unique_ptr<native_snapshots::Snapshots::Stub> snapshots;
  std::unique_ptr<::containerd::services::content::v1::Content::Stub> content;
};

Upstream::Upstream(const std::string& socket, const std::string& image_socket)
    : runtime_(std::make_unique<Endpoint>(socket)) {
  if (!image_socket.empty() && image_socket != socket) {
    image_ = std::make_unique<Endpoint>(image_socket);
  }
}

Upstream::~Upstream() = default;

Task<Done> Upstream::Pause(milliseconds duration) {
  const auto end = steady_clock::now() + duration;
  co_await AwaitCallback<Done>([this, end](std::function<void(Done)> done) {
    pauses_.At(end, [done = std::move(done)] { done(Done{}); });
  });
  co_return Done{};
}

Task<Done> Elsewhere() {
  grpc::Alarm alarm;
  co_await AwaitCallback<bool>([&alarm](std::function<void(bool)> done) {
    alarm.Set(gpr_inf_past(GPR_CLOCK_MONOTONIC), std::move(done));
  });
  co_return Done{};
}

Task<Done> Upstream::WaitUntilReady(Endpoint& endpoint, grpc::ClientContext& context) {
  const auto begin = steady_clock::now();
  milliseconds pause{1};
  while (endpoint.channel->GetState(/*try_to_connect=*/true) != GRPC_CHANNEL_READY) {
    if (steady_clock::now() - begin >= kPatience) break;
    const auto left = TimeUntil(context.raw_deadline());
    if (left && *left <= milliseconds(0)) break;
    // Without its own pauses between attempts, which are as long and are timed by the wall clock.
    grpc::experimental::ChannelResetConnectionBackoff(endpoint.channel.get());
    co_await Pause(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  co_return Done{};
}

template <typename Start>
Task<grpc::Status> Upstream::Call(Endpoint& endpoint, grpc::ClientContext& context, Start start) {
  co_await WaitUntilReady(endpoint, context);
  Budget budget(pauses_, context);
  grpc::Status status = co_await AwaitCallback<grpc::Status>(std::move(start));
  co_return StatusOf(endpoint.socket, context, std::move(status), budget);
}

Task<grpc::Status> Upstream::ToItsEnd(grpc::ClientContext& context, Task<grpc::Status> call) {
  Vigil vigil(
      pauses_, context, [this](std::function<void(bool)> done) { Probe(std::move(done)); },
      hurried_);
  grpc::Status status = co_await call;
  if (vigil.End() && status.error_code() == grpc::CANCELLED) {
    co_return grpc::Status(grpc::DEADLINE_EXCEEDED,
                           "the container runtime at " + runtime_->socket + " does not answer");
  }
  co_return status;
}

void Upstream::HurryIn(milliseconds drain) {
  pauses_.At(steady_clock::now() + drain,
             [this] { hurried_.store(true, std::memory_order_relaxed); });
}

void Upstream::Probe(std::function<void(bool answered)> done) {
  struct Question {
    grpc::ClientContext context;
    cri::VersionRequest request;
    cri::VersionResponse response;
    std::function<void(bool)> done;
  };
  auto question = std::make_unique<Question>();
  question->context.set_deadline(DeadlineIn(kProbeBudget));
  question->done = std::move(done);
  // The callback's own: gRPC calls it once.
  Question* const asked = question.release();
  HandOver(asked);
  runtime_->runtime->async()->Version(&asked->context, &asked->request, &asked->response,
                                      [asked](const grpc::Status& status) {
                                        TakeOver(asked);
                                        const std::unique_ptr<Question> owner(asked);
                                        owner->done(IsAnAnswer(status));
                                      });
}

Task<grpc::Status> Upstream::PullImage(grpc::ClientContext& context,
                                       const cri::PullImageRequest& request,
                                       cri::PullImageResponse& response) {
  Endpoint& endpoint = image_ ? *image_ : *runtime_;
  return Call(endpoint, context, [&](std::function<void(grpc::Status)> done) {
    endpoint.images->async()->PullImage(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ImageStatus(grpc::ClientContext& context,
                                         const cri::ImageStatusRequest& request,
                                         cri::ImageStatusResponse& response) {
  Endpoint& endpoint = image_ ? *image_ : *runtime_;
  return Call(endpoint, context, [&](std::function<void(grpc::Status)> done) {
    endpoint.images->async()->ImageStatus(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ListImages(grpc::ClientContext& context,
                                        const cri::ListImagesRequest& request,
                                        cri::ListImagesResponse& response) {
  Endpoint& endpoint = image_ ? *image_ : *runtime_;
  return Call(endpoint, context, [&](std::function<void(grpc::Status)> done) {
    endpoint.images->async()->ListImages(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::StreamImages(grpc::ClientContext& context,
                                          const cri::StreamImagesRequest& request,
                                          EachOfImages each) {
  Endpoint& endpoint = image_ ? *image_ : *runtime_;
  co_await WaitUntilReady(endpoint, context);
  Budget budget(pauses_, context);
  ImageReader reader;
  endpoint.images->async()->StreamImages(&context, &request, &reader);
  reader.Begin();
  // The reader outlives its call, whatever `each` does.
  std::exception_ptr thrown;
  try {
    for (;;) {
      cri::StreamImagesResponse message;
      const bool more = co_await reader.Read(message);
      if (!more) break;
      const bool go_on = co_await each(message);
      if (go_on) continue;
      context.TryCancel();
      break;
    }
  } catch (...) {
    thrown = std::current_exception();
    context.TryCancel();
  }
  grpc::Status status = co_await reader.End();
  if (thrown) std::rethrow_exception(thrown);
  co_return StatusOf(endpoint.socket, context, std::move(status), budget);
}

Task<grpc::Status> Upstream::RemoveImage(grpc::ClientContext& context,
                                         const cri::RemoveImageRequest& request,
                                         cri::RemoveImageResponse& response) {
  Endpoint& endpoint = image_ ? *image_ : *runtime_;
  return Call(endpoint, context, [&](std::function<void(grpc::Status)> done) {
    endpoint.images->async()->RemoveImage(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ImageFsInfo(grpc::ClientContext& context,
                                         const cri::ImageFsInfoRequest& request,
                                         cri::ImageFsInfoResponse& response) {
  Endpoint& endpoint = image_ ? *image_ : *runtime_;
  return Call(endpoint, context, [&](std::function<void(grpc::Status)> done) {
    endpoint.images->async()->ImageFsInfo(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::CreateContainer(grpc::ClientContext& context,
                                             const cri::CreateContainerRequest& request,
                                             cri::CreateContainerResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->CreateContainer(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::RunPodSandbox(grpc::ClientContext& context,
                                           const cri::RunPodSandboxRequest& request,
                                           cri::RunPodSandboxResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->RunPodSandbox(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::Status(grpc::ClientContext& context, const cri::StatusRequest& request,
                                    cri::StatusResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->Status(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::StartContainer(grpc::ClientContext& context,
                                            const cri::StartContainerRequest& request,
                                            cri::StartContainerResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->StartContainer(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::RemoveContainer(grpc::ClientContext& context,
                                             const cri::RemoveContainerRequest& request,
                                             cri::RemoveContainerResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->RemoveContainer(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ContainerStatus(grpc::ClientContext& context,
                                             const cri::ContainerStatusRequest& request,
                                             cri::ContainerStatusResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->ContainerStatus(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ListContainers(grpc::ClientContext& context,
                                            const cri::ListContainersRequest& request,
                                            cri::ListContainersResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->ListContainers(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::PodSandboxStatus(grpc::ClientContext& context,
                                              const cri::PodSandboxStatusRequest& request,
                                              cri::PodSandboxStatusResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->PodSandboxStatus(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ListPodSandbox(grpc::ClientContext& context,
                                            const cri::ListPodSandboxRequest& request,
                                            cri::ListPodSandboxResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->ListPodSandbox(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::StopPodSandbox(grpc::ClientContext& context,
                                            const cri::StopPodSandboxRequest& request,
                                            cri::StopPodSandboxResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->StopPodSandbox(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::RemovePodSandbox(grpc::ClientContext& context,
                                              const cri::RemovePodSandboxRequest& request,
                                              cri::RemovePodSandboxResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->RemovePodSandbox(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::Version(grpc::ClientContext& context,
                                     const cri::VersionRequest& request,
                                     cri::VersionResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->runtime->async()->Version(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::GetImage(grpc::ClientContext& context,
                                      const native::GetImageRequest& request,
                                      native::GetImageResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->native_images->async()->Get(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ListNativeImages(grpc::ClientContext& context,
                                              const native::ListImagesRequest& request,
                                              native::ListImagesResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->native_images->async()->List(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::CreateImage(grpc::ClientContext& context,
                                         const native::CreateImageRequest& request,
                                         native::CreateImageResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->native_images->async()->Create(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::UpdateImage(grpc::ClientContext& context,
                                         const native::UpdateImageRequest& request,
                                         native::UpdateImageResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->native_images->async()->Update(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::DeleteImage(grpc::ClientContext& context,
                                         const native::DeleteImageRequest& request,
                                         google::protobuf::Empty& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->native_images->async()->Delete(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::GetContainer(grpc::ClientContext& context,
                                          const native_containers::GetContainerRequest& request,
                                          native_containers::GetContainerResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->containers->async()->Get(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::StatSnapshot(grpc::ClientContext& context,
                                          const native_snapshots::StatSnapshotRequest& request,
                                          native_snapshots::StatSnapshotResponse& response) {
  return Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    runtime_->snapshots->async()->Stat(&context, &request, &response, std::move(done));
  });
}

Task<grpc::Status> Upstream::ReadContent(grpc::ClientContext& context, const std::string& digest,
                                         std::size_t max_bytes, std::string& content) {
  ::containerd::services::content::v1::ReadContentRequest request;
  request.set_digest(digest);
  std::unique_ptr<ContentReader> reader;
  co_return co_await Call(*runtime_, context, [&](std::function<void(grpc::Status)> done) {
    reader = std::make_unique<ContentReader>(max_bytes, content, context, std::move(done));
    runtime_->content->async()->Read(&context, &request, reader.get());
    reader->Begin();
  });
}

}  // namespace crivet::proxy
