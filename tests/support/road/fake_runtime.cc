// SPDX-License-Identifier: Apache-2.0
#include "tests/support/road/fake_runtime.h"

#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace crivet::proxy::testing {
namespace {

grpc::ByteBuffer BufferOf(const std::string& message) {
  const grpc::Slice slice(message);
  return grpc::ByteBuffer(&slice, 1);
}

std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

Metadata CopyOf(const std::multimap<grpc::string_ref, grpc::string_ref>& fields) {
  Metadata copy;
  for (const auto& [name, value] : fields) {
    copy.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  return copy;
}

class Call final : public grpc::ServerGenericBidiReactor, public FakeCall {
 public:
  Call(grpc::GenericCallbackServerContext* context, FakeRuntime::Script script)
      : context_(context), method_(context->method()), script_(std::move(script)) {
    thread_ = std::thread([this] { Run(); });
  }

  const std::string& method() const override { return method_; }
  Metadata request_metadata() const override { return CopyOf(context_->client_metadata()); }
  std::chrono::system_clock::time_point deadline() const override { return context_->deadline(); }
  void AddInitialMetadata(const std::string& name, const std::string& value) override {
    context_->AddInitialMetadata(name, value);
  }
  void AddTrailingMetadata(const std::string& name, const std::string& value) override {
    context_->AddTrailingMetadata(name, value);
  }
  void Compress() override { context_->set_compression_algorithm(GRPC_COMPRESS_GZIP); }
  void SendHeaders() override {
    StartSendInitialMetadata();
    Wait();
  }
  std::optional<std::string> Read() override {
    StartRead(&read_);
    if (!Wait()) return std::nullopt;
    return TextOf(read_);
  }
  bool Write(const std::string& message) override {
    const grpc::ByteBuffer buffer = BufferOf(message);
    StartWrite(&buffer);
    return Wait();
  }
  bool WaitCancelled(std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return cancelled_; });
  }

  void OnSendInitialMetadataDone(bool ok) override { Done(ok); }
  void OnReadDone(bool ok) override { Done(ok); }
  void OnWriteDone(bool ok) override { Done(ok); }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  void OnDone() override {
    thread_.detach();
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  void Run() {
    const CallStatus status = script_(*this);
    Finish(
        grpc::Status(static_cast<grpc::StatusCode>(status.code), status.message, status.details));
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return over_; });
    }
    delete this;
  }
  void Done(bool ok) {
    const std::lock_guard lock(mutex_);
    outcome_ = ok;
    changed_.notify_all();
  }
  bool Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return outcome_.has_value(); });
    return *std::exchange(outcome_, std::nullopt);
  }

  grpc::GenericCallbackServerContext* context_;
  std::string method_;
  FakeRuntime::Script script_;
  grpc::ByteBuffer read_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<bool> outcome_;
  bool cancelled_ = false;
  bool over_ = false;
  std::thread thread_;
};

CallStatus Echo(FakeCall& call) {
  while (auto message = call.Read()) {
    if (!call.Write(*message)) break;
  }
  return {};
}

}  // namespace

class FakeRuntime::Server final : public grpc::CallbackGenericService {
 public:
  explicit Server(const std::string& path) {
    grpc::ServerBuilder builder;
    if (!path.empty()) builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(this);
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 1 << 20);
    server_ = builder.BuildAndStart();
  }
  ~Server() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    const std::lock_guard lock(mutex_);
    const auto at = scripts_.find(context->method());
    return new Call(context, at == scripts_.end() ? Script(&Echo) : at->second);
  }

  void On(const std::string& method, Script script) {
    const std::lock_guard lock(mutex_);
    scripts_[method] = std::move(script);
  }
  grpc::Server& server() { return *server_; }

 private:
  std::mutex mutex_;
  std::map<std::string, Script> scripts_;
  std::unique_ptr<grpc::Server> server_;
};

FakeRuntime::FakeRuntime(std::string path) : server_(std::make_unique<Server>(path)) {}
FakeRuntime::~FakeRuntime() = default;

void FakeRuntime::On(const std::string& method, Script script) {
  server_->On(method, std::move(script));
}

void FakeRuntime::Adopt(OwnedFd fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  grpc::AddInsecureChannelFromFd(&server_->server(), fd.Release());
}

void FakeRuntime::Stop() { server_->server().Shutdown(std::chrono::system_clock::now()); }

void FakeRuntime::StopGracefully(std::chrono::milliseconds patience) {
  server_->server().Shutdown(std::chrono::system_clock::now() + patience);
}

}  // namespace crivet::proxy::testing
