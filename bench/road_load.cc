// SPDX-License-Identifier: Apache-2.0

// road_load SOCKET: asks what a call costs from here to the runtime.
// A closed loop: a fixed number of calls in flight on one channel, the next one begins when one
// ends; or that many streams, on each of which one message is on its way. Expect about 100 us for a
// small call without anything in between, 1.7 times that through a relay that only copies bytes.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Load {
  std::string socket;
  std::string method = "/runtime.v1.RuntimeService/Version";
  std::string image;
  bool is_stream = false;
  int in_flight = 1;
  int connections = 1;
  std::size_t bytes = 100;
  double seconds = 2;
  double warm_up_seconds = 0.3;
  int cpu_of = 0;
};

// CPU time that a process has used, in microseconds; 0 if it cannot be read.
double CpuMicroseconds(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// One exchange after the other on its own call or stream; the owner of what gRPC works on.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Asks once more. Its answer comes out of the queue with this object as the tag.
  virtual void Ask() = 0;
  // Takes an event of the queue; true when the answer is complete.
  virtual bool Advance(bool ok) = 0;
  // Ends the program if the exchange did not go as expected.
  virtual void Check() const {}
};

[[noreturn]] void FailWith(const grpc::Status& status) {
  std::fprintf(stderr, "call failed: %d %s\n", status.error_code(), status.error_message().c_str());
  std::exit(1);
}

// A unary call each time.
class UnaryExchange : public Exchange {
 public:
  UnaryExchange(const Load& load, const grpc::ByteBuffer& request, grpc::GenericStub& stub,
                grpc::CompletionQueue& queue)
      : load_(load), request_(request), stub_(stub), queue_(queue) {}

  void Ask() override {
    call_ = std::make_unique<Call>();
    call_->reader = stub_.PrepareUnaryCall(&call_->context, load_.method, request_, &queue_);
    call_->reader->StartCall();
    call_->reader->Finish(&call_->answer, &call_->status, this);
  }
  bool Advance(bool /*ok*/) override { return true; }
  void Check() const override {
    const auto wanted = load_.image.empty() ? grpc::StatusCode::OK : grpc::StatusCode::UNKNOWN;
    if (call_->status.error_code() != wanted) FailWith(call_->status);
  }

 private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer answer;
    grpc::Status status;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  };

  const Load& load_;
  const grpc::ByteBuffer& request_;
  grpc::GenericStub& stub_;
  grpc::CompletionQueue& queue_;
  std::unique_ptr<Call> call_;
};

// One message there and back each time, on a stream that stays open until the channel ends.
class StreamExchange : public Exchange {
 public:
  StreamExchange(const Load& load, const grpc::ByteBuffer& request, grpc::GenericStub& stub,
                 grpc::CompletionQueue& queue)
      : request_(request), stream_(stub.PrepareCall(&context_, load.method, &queue)) {}
  ~StreamExchange() override { context_.TryCancel(); }

  void Ask() override {
    if (!started_) {
      started_ = true;
      step_ = Step::kStart;
      return stream_->StartCall(this);
    }
    step_ = Step::kWrite;
    stream_->Write(request_, this);
  }
  bool Advance(bool ok) override {
    if (!ok) FailWith({grpc::StatusCode::UNKNOWN, "the stream ended"});
    switch (step_) {
      case Step::kStart:
        step_ = Step::kWrite;
        stream_->Write(request_, this);
        return false;
      case Step::kWrite:
        step_ = Step::kRead;
        stream_->Read(&answer_, this);
        return false;
      case Step::kRead:
        return true;
    }
    return true;
  }

 private:
  enum class Step { kStart, kWrite, kRead };

  const grpc::ByteBuffer& request_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer answer_;
  Step step_ = Step::kStart;
  bool started_ = false;
};

class LoadLoop {
 public:
  explicit LoadLoop(const Load& load) {
    const grpc::Slice slice(load.image.empty() ? std::string(load.bytes, 'x')
                                               : PullImageRequestOf(load.image));
    request_ = grpc::ByteBuffer(&slice, 1);
    for (int i = 0; i < load.connections; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetMaxReceiveMessageSize(-1);
      arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
      stubs_.push_back(std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
          "unix:" + load.socket, grpc::InsecureChannelCredentials(), arguments)));
    }
    for (int i = 0; i < load.in_flight; ++i) {
      grpc::GenericStub& stub = *stubs_[static_cast<std::size_t>(i) % stubs_.size()];
      Slot slot;
      if (load.is_stream) {
        slot.exchange = std::make_unique<StreamExchange>(load, request_, stub, queue_);
      } else {
        slot.exchange = std::make_unique<UnaryExchange>(load, request_, stub, queue_);
      }
      slots_.emplace(slot.exchange.get(), std::move(slot));
    }
  }

  // Runs for `seconds`; returns the latency of every exchange in microseconds.
  std::vector<float> Run(double seconds) {
    std::vector<float> latencies;
    latencies.reserve(1 << 20);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
    for (auto& [exchange, slot] : slots_) Begin(slot);
    std::size_t open = slots_.size();
    while (open > 0) {
      void* tag = nullptr;
      bool ok = false;
      queue_.Next(&tag, &ok);
      Slot& slot = slots_.at(static_cast<Exchange*>(tag));
      if (!slot.exchange->Advance(ok)) continue;
      const auto now = Clock::now();
      slot.exchange->Check();
      latencies.push_back(std::chrono::duration<float, std::micro>(now - slot.began).count());
      if (now < end) {
        Begin(slot);
      } else {
        --open;
      }
    }
    return latencies;
  }

 private:
  struct Slot {
    std::unique_ptr<Exchange> exchange;
    Clock::time_point began;
  };

  // A PullImageRequest as it goes over the wire: field 1 holds an ImageSpec, whose field 1 is the
  // reference. Both lengths are below 128.
  static std::string PullImageRequestOf(const std::string& image) {
    std::string spec = "\n";
    spec += static_cast<char>(image.size());
    spec += image;
    std::string request = "\n";
    request += static_cast<char>(spec.size());
    return request + spec;
  }

  static void Begin(Slot& slot) {
    slot.began = Clock::now();
    slot.exchange->Ask();
  }

  grpc::ByteBuffer request_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
  std::unordered_map<Exchange*, Slot> slots_;
};

float Quantile(const std::vector<float>& sorted, double q) {
  const auto index = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1));
  return sorted[index];
}

}  // namespace

int main(int argc, char** argv) {
  Load load;
  CLI::App app("Closed-loop gRPC load on a unix socket; one line of JSON on stdout.");
  app.add_option("socket", load.socket)->required();
  app.add_option("--method", load.method, "full path of the method; the answer is ignored");
  app.add_option("--image", load.image, "pulls this, and expects a refusal");
  app.add_flag("--stream", load.is_stream, "messages on streams instead of calls");
  app.add_option("--in-flight", load.in_flight, "calls in flight");
  app.add_option("--connections", load.connections, "channels that they are spread over");
  app.add_option("--bytes", load.bytes, "size of the request");
  app.add_option("--seconds", load.seconds);
  app.add_option("--warm-up", load.warm_up_seconds, "seconds not counted");
  app.add_option("--cpu-of", load.cpu_of, "process whose CPU time is divided by the calls");
  CLI11_PARSE(app, argc, argv);
  if (!load.image.empty()) load.method = "/runtime.v1.ImageService/PullImage";
  if (load.is_stream) load.method = "/runtime.v1.RuntimeService/GetContainerEvents";

  LoadLoop loop(load);
  loop.Run(load.warm_up_seconds);
  const double cpu_before = load.cpu_of != 0 ? CpuMicroseconds(load.cpu_of) : 0;
  const auto began = Clock::now();
  std::vector<float> latencies = loop.Run(load.seconds);
  const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
  const double cpu = load.cpu_of != 0 ? CpuMicroseconds(load.cpu_of) - cpu_before : 0;
  std::sort(latencies.begin(), latencies.end());
  const auto count = static_cast<double>(latencies.size());
  std::printf("{\"calls\": %zu, \"calls_per_second\": %.0f, ", latencies.size(), count / elapsed);
  for (const auto& [name, part] : {std::pair{"p10", 0.1},
                                   {"p25", 0.25},
                                   {"p50", 0.5},
                                   {"p75", 0.75},
                                   {"p90", 0.9},
                                   {"p95", 0.95},
                                   {"p99", 0.99},
                                   {"p999", 0.999},
                                   {"p9999", 0.9999},
                                   {"max", 1.0}}) {
    std::printf("\"%s_us\": %.1f, ", name, Quantile(latencies, part));
  }
  std::printf("\"cpu_us_per_call\": %.2f}\n", cpu / count);
  return 0;
}
