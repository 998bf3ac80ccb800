// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/proxy/temporary_folder.h"
#include "trust/base/image_reference.h"

namespace grpc {
class Server;
}

namespace crivet::proxy {

/// FakeCrioStore holds images as containers/storage does, behind CRI-O's look-ups: an image is an
/// ID with names that move away and leave it nameless, and with every digest that it was pulled by,
/// this platform's first. Not thread-safe.
class FakeCrioStore {
 public:
  struct Image {
    std::vector<std::string> names;    ///< tags and `repository@digest`
    std::vector<std::string> digests;  ///< this platform's manifest first
    std::string previous_name;         ///< the repository of a name that has moved away
  };
  /// Found is an image, and the digest that it was asked for by, if by one.
  struct Found {
    std::string id;
    std::string digest = {};
  };

  /// The digest of a manifest; its image ID is `config`'s, without `sha256:`.
  std::string AddManifest(const std::string& content, const std::string& config,
                          const std::string& annotation);
  /// The digest of an index that lists the manifest for this platform.
  std::string AddIndex(const std::string& manifest, const std::string& content);
  std::string IdOf(const std::string& digest) const;
  void Push(const std::string& name, const std::string& digest) { registry_[name] = digest; }
  void DisconnectRegistry() { registry_up_ = false; }

  /// Takes the tag from the image that had it. An image is given the name by its platform's digest
  /// too. An error text, or nothing and `id`.
  std::optional<std::string> Pull(const std::string& text, std::string& id);
  /// The beginning of an ID, a name that was given, or any digest under a repository of a name.
  std::optional<Found> Resolve(const std::string& text) const;
  /// By an ID the image goes; by a name that name goes, and the image with the last.
  void Remove(const std::string& text);

  std::vector<std::string> RepoDigestsOf(const std::string& id) const;
  /// What the manifest says that `found` stands for; an index says nothing.
  std::string AnnotationOf(const Found& found) const;

  std::map<std::string, Image> images;

 private:
  struct Manifest {
    std::string id;
    std::string annotation;
  };
  std::map<std::string, std::string> registry_;  // name -> digest
  bool registry_up_ = true;
  std::map<std::string, Manifest> manifests_;
  std::map<std::string, std::string> indexes_;  // index -> manifest
};

/// FakeCrio is a container runtime that behaves as CRI-O 1.36 does where the gate looks: CRI v1 on
/// a unix socket, no images API, names that it gives itself. Its sandbox image is looked up, and
/// pulled, by the name that it is configured with. Thread-safe.
class FakeCrio {
 public:
  explicit FakeCrio(std::string sandbox_image = "");
  ~FakeCrio();

  const std::string& socket() const { return socket_; }

  struct Manifest {
    trust::Sha256Digest digest;
    std::string image_id;
  };
  Manifest MakeManifest(const std::string& content, const std::string& config,
                        const std::string& annotation = "");
  /// An index that lists `manifest`; the ID stays.
  Manifest MakeIndex(const Manifest& manifest, const std::string& content = "index");
  void Push(const std::string& name, const Manifest& manifest);
  void DisconnectRegistry();
  /// A pull, and a removal, that crivet does not see.
  void PullBehind(const std::string& name);
  void RemoveBehind(const std::string& name_or_id);

  /// The names that an image has here; nothing where it is not.
  std::optional<std::vector<std::string>> NamesOf(const std::string& id) const;
  /// IDs that containers, volumes and sandboxes were made of. A restored checkpoint is
  /// `checkpoint ID`.
  std::vector<std::string> Ran() const;
  std::vector<std::string> Mounted() const;
  std::vector<std::string> SandboxesRan() const;
  std::vector<std::string> Pulled() const;

 private:
  class ImageService;
  class RuntimeService;

  const std::string sandbox_image_;
  TemporaryFolder folder_;
  std::string socket_;
  mutable std::mutex mutex_;
  FakeCrioStore store_;
  std::vector<std::string> ran_;
  std::vector<std::pair<std::string, std::string>> containers_;  // ID, what the pod's author wrote
  std::vector<std::string> mounted_;
  std::vector<std::string> sandboxes_ran_;
  std::vector<std::string> pulled_;
  std::unique_ptr<ImageService> images_;
  std::unique_ptr<RuntimeService> runtime_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace crivet::proxy
