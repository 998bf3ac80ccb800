#include "proxy/runtime_facts.h"

#include "proxy/runtime_client.h"
#include "proxy/sandbox_image.h"
#include "runtime/v1/api.grpc.pb.h"

namespace crivet::proxy {

std::optional<RuntimeFacts> AskRuntime(const std::string& socket, std::chrono::milliseconds limit) {
  namespace cri = ::runtime::v1;
  const auto runtime = cri::RuntimeService::NewStub(RuntimeChannel(socket));
  cri::VersionRequest ask_version;
  cri::VersionResponse version;
  if (!runtime->Version(BlockingContext(limit).get(), ask_version, &version).ok()) {
    return std::nullopt;
  }
  RuntimeFacts facts{version.runtime_name(), version.runtime_version(), {}, {}};
  cri::StatusRequest ask_status;
  ask_status.set_verbose(true);
  cri::StatusResponse status;
  if (runtime->Status(BlockingContext(limit).get(), ask_status, &status).ok()) {
    facts.sandbox_image = SandboxImageOf(status).value_or("");
    for (const auto& handler : status.runtime_handlers()) {
      if (!handler.name().empty()) facts.handlers.push_back(handler.name());
    }
  }
  return facts;
}

}  // namespace crivet::proxy
