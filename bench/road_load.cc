// road_load SOCKET: asks what a call costs from here to the runtime.
// A closed loop: a fixed number of calls in flight on one channel, the next one begins when one
// ends. Expect about 100 us for a small call without anything in between, 1.7 times that through a
// relay that only copies bytes.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Load {
  std::string socket;
  std::string method = "/runtime.v1.RuntimeService/Version";
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

struct Call {
  grpc::ClientContext context;
  grpc::ByteBuffer answer;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::GenericStub* stub = nullptr;
  Clock::time_point began;
};

class LoadLoop {
 public:
  explicit LoadLoop(const Load& load) : load_(load) {
    const grpc::Slice slice(std::string(load.bytes, 'x'));
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
  }

  // Runs for `seconds`; returns the latency of every call in microseconds.
  std::vector<float> Run(double seconds) {
    std::vector<float> latencies;
    latencies.reserve(1 << 20);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
    for (int i = 0; i < load_.in_flight; ++i) {
      Begin(*stubs_[static_cast<std::size_t>(i) % stubs_.size()]);
    }
    int open = load_.in_flight;
    while (open > 0) {
      void* tag = nullptr;
      bool ok = false;
      queue_.Next(&tag, &ok);
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      const auto now = Clock::now();
      if (!call->status.ok()) {
        std::fprintf(stderr, "call failed: %s\n", call->status.error_message().c_str());
        std::exit(1);
      }
      latencies.push_back(std::chrono::duration<float, std::micro>(now - call->began).count());
      if (now < end) {
        Begin(*call->stub);
      } else {
        --open;
      }
    }
    return latencies;
  }

 private:
  void Begin(grpc::GenericStub& stub) {
    auto call = std::make_unique<Call>();
    call->stub = &stub;
    call->began = Clock::now();
    call->reader = stub.PrepareUnaryCall(&call->context, load_.method, request_, &queue_);
    call->reader->StartCall();
    Call* tag = call.release();
    tag->reader->Finish(&tag->answer, &tag->status, tag);
  }

  const Load& load_;
  grpc::ByteBuffer request_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
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
  app.add_option("--in-flight", load.in_flight, "calls in flight");
  app.add_option("--connections", load.connections, "channels that they are spread over");
  app.add_option("--bytes", load.bytes, "size of the request");
  app.add_option("--seconds", load.seconds);
  app.add_option("--warm-up", load.warm_up_seconds, "seconds not counted");
  app.add_option("--cpu-of", load.cpu_of, "process whose CPU time is divided by the calls");
  CLI11_PARSE(app, argc, argv);

  LoadLoop loop(load);
  loop.Run(load.warm_up_seconds);
  const double cpu_before = load.cpu_of != 0 ? CpuMicroseconds(load.cpu_of) : 0;
  const auto began = Clock::now();
  std::vector<float> latencies = loop.Run(load.seconds);
  const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
  const double cpu = load.cpu_of != 0 ? CpuMicroseconds(load.cpu_of) - cpu_before : 0;
  std::sort(latencies.begin(), latencies.end());
  const auto count = static_cast<double>(latencies.size());
  std::printf(
      "{\"calls\": %zu, \"calls_per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
      "\"p999_us\": %.1f, \"max_us\": %.1f, \"cpu_us_per_call\": %.2f}\n",
      latencies.size(), count / elapsed, Quantile(latencies, 0.5), Quantile(latencies, 0.99),
      Quantile(latencies, 0.999), latencies.back(), cpu / count);
  return 0;
}
