// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/method_table.h"

#include <algorithm>
#include <array>
#include <utility>

namespace crivet::proxy {
namespace {

// What a named method is. The route follows from it and from the options.
enum class Kind : std::uint8_t {
  kRuntime,       // RuntimeService, forwarded
  kImage,         // ImageService, forwarded
  kImageTag,      // ImageService, forwarded unless crivet keeps the tags
  kGated,         // can bring an image to life: always through the gate
  kNativeReader,  // of containerd's own API, its health service included: only reads
};

struct Method {
  std::string_view path;
  Kind kind;
};

// Sorted by path (checked below). A new CRI method is one line here and one in api/cri_methods.txt.
constexpr auto kMethods = std::to_array<Method>({
    {"/containerd.services.containers.v1.Containers/Get", Kind::kNativeReader},
    {"/containerd.services.containers.v1.Containers/List", Kind::kNativeReader},
    {"/containerd.services.containers.v1.Containers/ListStream", Kind::kNativeReader},
    {"/containerd.services.content.v1.Content/Info", Kind::kNativeReader},
    {"/containerd.services.content.v1.Content/List", Kind::kNativeReader},
    {"/containerd.services.content.v1.Content/ListStatuses", Kind::kNativeReader},
    {"/containerd.services.content.v1.Content/Read", Kind::kNativeReader},
    {"/containerd.services.content.v1.Content/Status", Kind::kNativeReader},
    {"/containerd.services.events.v1.Events/Subscribe", Kind::kNativeReader},
    {"/containerd.services.images.v1.Images/Get", Kind::kNativeReader},
    {"/containerd.services.images.v1.Images/List", Kind::kNativeReader},
    {"/containerd.services.introspection.v1.Introspection/Plugins", Kind::kNativeReader},
    {"/containerd.services.introspection.v1.Introspection/Server", Kind::kNativeReader},
    {"/containerd.services.leases.v1.Leases/List", Kind::kNativeReader},
    {"/containerd.services.leases.v1.Leases/ListResources", Kind::kNativeReader},
    {"/containerd.services.namespaces.v1.Namespaces/Get", Kind::kNativeReader},
    {"/containerd.services.namespaces.v1.Namespaces/List", Kind::kNativeReader},
    {"/containerd.services.sandbox.v1.Store/Get", Kind::kNativeReader},
    {"/containerd.services.sandbox.v1.Store/List", Kind::kNativeReader},
    {"/containerd.services.snapshots.v1.Snapshots/List", Kind::kNativeReader},
    {"/containerd.services.snapshots.v1.Snapshots/Stat", Kind::kNativeReader},
    {"/containerd.services.snapshots.v1.Snapshots/Usage", Kind::kNativeReader},
    {"/containerd.services.tasks.v1.Tasks/Get", Kind::kNativeReader},
    {"/containerd.services.tasks.v1.Tasks/List", Kind::kNativeReader},
    {"/containerd.services.tasks.v1.Tasks/ListPids", Kind::kNativeReader},
    {"/containerd.services.tasks.v1.Tasks/Metrics", Kind::kNativeReader},
    {"/containerd.services.version.v1.Version/Version", Kind::kNativeReader},
    {"/grpc.health.v1.Health/Check", Kind::kNativeReader},
    {"/grpc.health.v1.Health/Watch", Kind::kNativeReader},
    {"/runtime.v1.ImageService/ImageFsInfo", Kind::kImage},
    {"/runtime.v1.ImageService/ImageStatus", Kind::kGated},
    {"/runtime.v1.ImageService/ListImages", Kind::kImageTag},
    {"/runtime.v1.ImageService/PullImage", Kind::kGated},
    {"/runtime.v1.ImageService/RemoveImage", Kind::kImageTag},
    {"/runtime.v1.ImageService/StreamImages", Kind::kImageTag},
    {"/runtime.v1.RuntimeService/Attach", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/CheckpointContainer", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ContainerStats", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ContainerStatus", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/CreateContainer", Kind::kGated},
    {"/runtime.v1.RuntimeService/Exec", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ExecSync", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/GetContainerEvents", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ListContainerStats", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ListContainers", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ListMetricDescriptors", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ListPodSandbox", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ListPodSandboxMetrics", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ListPodSandboxStats", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/PodSandboxStats", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/PodSandboxStatus", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/PortForward", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/RemoveContainer", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/RemovePodSandbox", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/ReopenContainerLog", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/RunPodSandbox", Kind::kGated},
    {"/runtime.v1.RuntimeService/RuntimeConfig", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StartContainer", Kind::kGated},
    {"/runtime.v1.RuntimeService/Status", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StopContainer", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StopPodSandbox", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StreamContainerStats", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StreamContainers", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StreamPodSandboxMetrics", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StreamPodSandboxStats", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/StreamPodSandboxes", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/UpdateContainerResources", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/UpdatePodSandboxResources", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/UpdateRuntimeConfig", Kind::kRuntime},
    {"/runtime.v1.RuntimeService/Version", Kind::kRuntime},
});

static_assert(std::is_sorted(kMethods.begin(), kMethods.end(),
                             [](const Method& a, const Method& b) { return a.path < b.path; }));

// Rows after the named methods.
constexpr auto kOtherLabels =
    std::to_array<std::string_view>({"containerd.services.* (other)", "also_forward", "unknown"});
constexpr MethodRow kNativeRow = kMethods.size();
constexpr MethodRow kAlsoForwardRow = kMethods.size() + 1;
constexpr MethodRow kUnknownRow = kMethods.size() + 2;

constexpr std::string_view kNativePrefix = "/containerd.services.";

constexpr const Method* FindNamed(std::string_view path) {
  const auto* at =
      std::lower_bound(kMethods.begin(), kMethods.end(), path,
                       [](const Method& method, std::string_view p) { return method.path < p; });
  return at != kMethods.end() && at->path == path ? at : nullptr;
}

constexpr Route RouteFor(Kind kind, ContainerdApi containerd_api, TagTranslation tag_translation,
                         ImageEndpoint image_endpoint) {
  const Route image =
      image_endpoint == ImageEndpoint::kSeparate ? Route::kImageUpstream : Route::kUpstream;
  switch (kind) {
    case Kind::kRuntime:
      return Route::kUpstream;
    case Kind::kImage:
      return image;
    case Kind::kImageTag:
      return tag_translation == TagTranslation::kGate ? Route::kGate : image;
    case Kind::kGated:
      return Route::kGate;
    case Kind::kNativeReader:
      return containerd_api == ContainerdApi::kNone ? Route::kRefuse : Route::kUpstream;
  }
  return Route::kRefuse;
}

// The same name in another version of CRI is another method, and nobody serves it here.
static_assert(FindNamed("/runtime.v1.ImageService/PullImage")->kind == Kind::kGated);
static_assert(FindNamed("/runtime.v1alpha2.ImageService/PullImage") == nullptr);

bool IsPathLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

bool IsMethodPath(std::string_view path) {
  if (path.size() < 4 || path.front() != '/') return false;
  const std::size_t slash = path.find('/', 1);
  if (slash == std::string_view::npos || slash == 1 || slash + 1 == path.size()) return false;
  const std::string_view service = path.substr(1, slash - 1);
  const std::string_view method = path.substr(slash + 1);
  return std::all_of(service.begin(), service.end(), IsPathLetter) &&
         std::all_of(method.begin(), method.end(), IsPathLetter);
}

}  // namespace

trust::Result<MethodTable> MethodTable::Create(Options options) {
  for (const std::string& path : options.also_forward) {
    if (!IsMethodPath(path)) {
      return trust::Fail(trust::Reason::kMalformed,
                         "also_forward: \"" + path + "\" is not of the form /pkg.Service/Method");
    }
    // Whatever speaks CRI is crivet's to judge; a way around the gate is not a setting.
    if (path.starts_with("/runtime.v")) {
      return trust::Fail(trust::Reason::kMalformed,
                         "also_forward: \"" + path + "\" is a CRI method and cannot be opened");
    }
  }
  std::sort(options.also_forward.begin(), options.also_forward.end());
  return MethodTable(std::move(options));
}

MethodTable::MethodTable(Options options) : options_(std::move(options)) {}

MethodTable::Entry MethodTable::Find(std::string_view path) const {
  const Method* named = FindNamed(path);
  Entry entry{Route::kRefuse, kUnknownRow};
  if (named != nullptr) {
    entry = {RouteFor(named->kind, options_.containerd_api, options_.tag_translation,
                      options_.image_endpoint),
             static_cast<MethodRow>(named - kMethods.data())};
  } else if (path.starts_with(kNativePrefix)) {
    const bool all = options_.containerd_api == ContainerdApi::kAll;
    entry = {all ? Route::kUpstream : Route::kRefuse, kNativeRow};
  }
  if (entry.route != Route::kRefuse) return entry;
  const auto& opened = options_.also_forward;
  const auto at = std::lower_bound(opened.begin(), opened.end(), path);
  if (at != opened.end() && *at == path) return {Route::kUpstream, kAlsoForwardRow};
  return entry;
}

std::size_t MethodRowCount() { return kMethods.size() + kOtherLabels.size(); }

std::string_view MethodRowLabel(MethodRow row) {
  if (row < kMethods.size()) return kMethods[row].path;
  if (row < MethodRowCount()) return kOtherLabels[row - kMethods.size()];
  return kOtherLabels.back();
}

std::string UnimplementedMessage(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0) {
    return "malformed method name: \"" + std::string(path.substr(0, 256)) + "\"";
  }
  const std::string service(path.substr(1, std::min<std::size_t>(slash - 1, 256)));
  const std::string method(path.substr(slash + 1, 256));
  const bool is_served =
      service == "runtime.v1.RuntimeService" || service == "runtime.v1.ImageService";
  return is_served ? "unknown method " + method + " for service " + service
                   : "unknown service " + service;
}

bool IsNativeContainerdPath(std::string_view path) { return path.starts_with(kNativePrefix); }

}  // namespace crivet::proxy
