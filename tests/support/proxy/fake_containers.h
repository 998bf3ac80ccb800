// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/v1/api.pb.h"
#include "tests/support/proxy/fake_image_store.h"

namespace crivet::proxy {

/// FakeContainers are the containers and sandboxes of a fake runtime, with the snapshots that their
/// roots and image volumes lie on, made as containerd makes them: of the first name of an ID, as it
/// points at that moment. Not thread-safe.
class FakeContainers {
 public:
  /// How a user namespace changes what lies below a container: not at all, or by a copy whose name
  /// 1.7 or 2.1 makes.
  enum class Remap { kNone, kBy17, kBy21 };

  struct Container {
    std::string sandbox;
    ::runtime::v1::ContainerConfig config;
    std::string image_id;
    std::string target;  ///< the manifest that it was made of
    ::runtime::v1::ContainerState state = ::runtime::v1::CONTAINER_CREATED;
    std::string spec = "{}";
  };

  explicit FakeContainers(FakeImageStore& store) : store_(store) {}

  /// Makes one of the image `image_id`; returns its ID.
  std::string Create(const ::runtime::v1::CreateContainerRequest& request,
                     const std::string& image_id);
  std::string RunSandbox(const ::runtime::v1::PodSandboxConfig& config,
                         const std::string& image_id);
  /// By its ID or the beginning of it.
  std::optional<std::string> Find(const std::string& id) const;
  void Remove(const std::string& id) { containers.erase(id); }

  /// In the order in which they were made; what was removed is not among them.
  std::vector<std::string> Targets(const std::map<std::string, Container>& of) const;

  std::map<std::string, Container> containers;
  std::map<std::string, Container> sandboxes;
  std::map<std::string, ::runtime::v1::PodSandboxMetadata> pods;
  std::map<std::string, std::string> snapshots;  ///< key -> parent
  Remap remap = Remap::kNone;
  /// What a copy for other users lies on, where not on the image's layers.
  std::string remapped_parent;

 private:
  std::string NewId(const std::string& kind);
  void MakeRoot(const std::string& id, Container& container);
  std::string MakeVolume(const std::string& sandbox, const std::string& image);

  FakeImageStore& store_;
  int made_ = 0;
};

}  // namespace crivet::proxy
