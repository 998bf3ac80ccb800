// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <list>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <unordered_map>
#include <vector>

#include "proxy/runtime/call_task.h"
#include "proxy/runtime/chain_id.h"
#include "proxy/runtime/upstream.h"
#include "trust/base/image_reference.h"

namespace crivet::proxy {

/// CheckedContainers are those whose content is known to be what was judged, and which may
/// therefore be started. Of very many the oldest are forgotten: they are looked at again.
/// Thread-safe.
class CheckedContainers {
 public:
  static constexpr std::size_t kMax = 4096;

  void Add(const std::string& id);
  bool Contains(const std::string& id) const;
  void Forget(const std::string& id);

 private:
  mutable std::mutex mutex_;
  std::list<std::string> oldest_first_;
  std::unordered_map<std::string, std::list<std::string>::iterator> by_id_;
};

/// RuntimeContainers is what the gate asks of the runtime's containers beyond CRI: what they were
/// really made from. The runtime reads the names of an image after the gate has judged it, and they
/// may point elsewhere by then. Nothing here ends with the downstream call: what was made must be
/// looked at, and taken away, whether somebody still waits or not. Thread-safe.
class RuntimeContainers {
 public:
  explicit RuntimeContainers(Upstream& upstream) : upstream_(upstream) {}

  /// Volume is an image volume of a container, as it was judged.
  struct Volume {
    std::string container_path;
    std::string image_id;
    std::vector<trust::Sha256Digest> manifests;
  };

  enum class Finding {
    kAsJudged,
    kOther,     ///< made from other content
    kNoRecord,  ///< the runtime has no container of this ID, or has not made it from any image
  };
  using Examined = tl::expected<Finding, grpc::Status>;

  struct Origin {
    Finding finding;
    std::string snapshotter = {};  ///< that holds it
  };
  using Found = tl::expected<Origin, grpc::Status>;
  /// Whether the root of the container or sandbox `id` lies directly on the layers of the image
  /// `image_id`: what is built upon them lies on them as well, and is something else.
  Task<Found> ExamineRoot(const std::string& id, const std::string& image_id);

  /// Whether what is mounted into the container for each of the volumes is its image's content.
  Task<Found> ExamineVolumes(const std::string& id, const std::vector<Volume>& volumes);

  Task<grpc::Status> Remove(const std::string& container_id);
  /// Stops the sandbox first.
  Task<grpc::Status> RemoveSandbox(const std::string& sandbox_id);

  /// Whether the runtime calls itself containerd, whose image IDs move.
  Task<tl::expected<bool, grpc::Status>> IsContainerd(
      const grpc::CallbackServerContext& downstream);

  CheckedContainers& checked() { return checked_; }

 private:
  using Container = ::containerd::services::containers::v1::Container;

  /// The error is NOT_FOUND where there is no such container.
  Task<tl::expected<Container, grpc::Status>> Get(const std::string& id);
  Task<tl::expected<std::string, grpc::Status>> ParentOf(const std::string& snapshotter,
                                                         const std::string& key);
  Task<tl::expected<std::string, grpc::Status>> ChainOf(const std::string& image_id);
  /// Whether the snapshot lies on the chain, or on a copy of it for the container's own users.
  Task<Examined> LiesOn(const Container& container, const std::string& key,
                        const std::string& chain);
  Task<Examined> ExamineMount(const Container& container, const std::string& source,
                              const Volume& volume);

  Upstream& upstream_;
  CheckedContainers checked_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> chains_;  // by image ID
};

}  // namespace crivet::proxy
