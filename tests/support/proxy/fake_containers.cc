// SPDX-License-Identifier: Apache-2.0
#include "tests/support/proxy/fake_containers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

namespace cri = ::runtime::v1;

constexpr char kMappings[] = R"([{"containerID":0,"hostID":65536,"size":65536}])";

std::string RemappedName(const std::string& chain, FakeContainers::Remap remap) {
  if (remap == FakeContainers::Remap::kBy17) return chain + "-65536-65536";
  const std::string hashed = R"({"Parent":")" + chain + R"(","IDMap":{"UidMap":)" + kMappings +
                             R"(,"GidMap":)" + kMappings + "}}";
  return "sha256:" + trust::ToHex(trust::Sha256Of(hashed));
}

}  // namespace

// Long and of digits, as a runtime's own; the order is that of making.
std::string FakeContainers::NewId(const std::string& kind) {
  std::string number = std::to_string(++made_);
  return kind + "-" + std::string(4 - std::min<std::size_t>(number.size(), 4), '0') + number;
}

void FakeContainers::MakeRoot(const std::string& id, Container& container) {
  const std::string chain = store_.ChainOf(container.target);
  snapshots[id] = chain;
  if (remap == Remap::kNone) return;
  const std::string copy = RemappedName(chain, remap);
  snapshots[copy] = remapped_parent.empty() ? chain : remapped_parent;
  snapshots[id] = copy;
}

// The folder is named by the first name of the image, its content is that of the name as sent; what
// is there already is taken as it is.
std::string FakeContainers::MakeVolume(const std::string& sandbox, const std::string& image) {
  const std::string id = store_.Resolve(image);
  const std::string path =
      "/run/cri/image-volumes/" + sandbox + "/" + store_.TargetToRun(id).substr(7);
  const auto named = store_.names.find(image);
  if (named != store_.names.end()) {
    snapshots.try_emplace(path, store_.ChainOf(named->second.target));
  }
  return path;
}

std::string FakeContainers::Create(const cri::CreateContainerRequest& request,
                                   const std::string& image_id) {
  const std::string id = NewId("container");
  Container container;
  container.sandbox = request.pod_sandbox_id();
  container.config = request.config();
  container.image_id = image_id;
  container.target = store_.TargetToRun(image_id);
  pods[container.sandbox] = request.sandbox_config().metadata();
  MakeRoot(id, container);
  auto mounts = nlohmann::json::array();
  for (const auto& mount : request.config().mounts()) {
    std::string source = mount.host_path();
    if (mount.has_image()) source = MakeVolume(container.sandbox, mount.image().image());
    if (!mount.image_sub_path().empty()) source += "/" + mount.image_sub_path();
    mounts.push_back({{"destination", mount.container_path()}, {"source", source}});
  }
  // As Go does it: what is not UTF-8 is replaced.
  container.spec =
      R"({"mounts":)" + mounts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (remap != Remap::kNone) {
    container.spec += R"(,"linux":{"uidMappings":)" + std::string(kMappings) +
                      R"(,"gidMappings":)" + kMappings + "}";
  }
  container.spec += "}";
  containers[id] = std::move(container);
  return id;
}

std::string FakeContainers::RunSandbox(const cri::PodSandboxConfig& config,
                                       const std::string& image_id) {
  const std::string id = NewId("sandbox");
  Container sandbox;
  sandbox.image_id = image_id;
  sandbox.target = store_.TargetToRun(image_id);
  pods[id] = config.metadata();
  MakeRoot(id, sandbox);
  sandboxes[id] = std::move(sandbox);
  return id;
}

std::optional<std::string> FakeContainers::Find(const std::string& id) const {
  const auto found = containers.lower_bound(id);
  if (id.empty() || found == containers.end() || !found->first.starts_with(id)) return std::nullopt;
  return found->first;
}

std::vector<std::string> FakeContainers::Targets(const std::map<std::string, Container>& of) const {
  std::vector<std::string> targets;
  for (const auto& [id, container] : of) targets.push_back(container.target);
  return targets;
}

}  // namespace crivet::proxy
