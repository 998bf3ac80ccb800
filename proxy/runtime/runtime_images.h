// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <unordered_map>
#include <variant>
#include <vector>

#include "proxy/runtime/call_task.h"
#include "proxy/runtime/image_names.h"
#include "proxy/runtime/upstream.h"
#include "trust/base/image_reference.h"

namespace crivet::proxy {

/// Target is what a name points to in containerd: the digest of a manifest or an index.
/// NoTarget: the name is not there. NoNativeApi: the runtime cannot be asked.
struct NoTarget {};
struct NoNativeApi {};
using Target = std::variant<trust::Sha256Digest, NoTarget, NoNativeApi, grpc::Status>;

/// LocalImage is an image that the runtime holds, with every name that it goes by.
struct LocalImage {
  struct Name {
    std::string text;  ///< as the runtime records it
    /// Nothing where it is not known, or a digest of another algorithm.
    std::optional<trust::Sha256Digest> target;
  };
  std::string id;
  /// Names with the manifest that each points to; the image's ID is a name too. Those that were
  /// asked for.
  std::vector<Name> names;
  /// The manifests, each once; first those of the names.
  std::vector<trust::Sha256Digest> targets;
  /// Those that the runtime may make a container from: it takes the first of an image's names.
  std::vector<std::string> to_run;
  /// It has names that were not asked for and that do not say what they point to.
  bool has_more_names = false;
  /// One of the names points to another image by now: it is left without a target.
  bool has_moved = false;
  /// Manifests by digests of other algorithms: nobody vouches for them.
  std::vector<std::string> odd_targets;
  /// What CRI tells of the manifest's annotations; containerd tells nothing.
  std::vector<std::string> annotation_keys;
  /// The text that it was looked up by is a name of crivet's keeping, which the runtime does not
  /// know, or knows as another image's.
  bool by_kept_name = false;
};

/// RuntimeImages is what the gate asks of the runtime's image store beyond CRI: which manifests an
/// image has, what they say, and the tag that a pinned pull leaves out (proxy/RULES.md#the-tag).
/// Where containerd's own API is missing, `repo_digests` stands in for it and names are kept by
/// crivet itself. Thread-safe.
class RuntimeImages {
 public:
  /// `names` outlives this object. `on_native_missing` is called each time the API is found
  /// missing.
  RuntimeImages(Upstream& upstream, ImageNames& names, std::function<void()> on_native_missing);

  /// What `name` points to. `context` is used up.
  Task<Target> TargetOf(std::unique_ptr<grpc::ClientContext> context, const std::string& name);

  /// Which manifests of one content a name has here; none where nobody tells, or the name is not
  /// there. containerd tells one. CRI-O tells an index and the manifest that it lists: of equal
  /// configuration and layers, so that any one that is vouched for suffices.
  using Digests = tl::expected<std::vector<trust::Sha256Digest>, grpc::Status>;

  /// Those of `reference`, which was shown as `image`. None also where the name is another image's:
  /// CRI learns by an event that a name has moved.
  Task<Digests> LocalDigests(const grpc::CallbackServerContext& downstream,
                             const trust::ImageReference& reference, const cri::Image& image);

  /// The same after a pull by that name, whether or not its caller is still there.
  Task<Digests> PulledDigests(const trust::ImageReference& reference);

  /// The image behind a canonical name or an ID, with all of its names; no value where the runtime
  /// has none.
  using Found = tl::expected<std::optional<LocalImage>, grpc::Status>;
  Task<Found> Find(const grpc::CallbackServerContext& downstream, const std::string& name_or_id);

  /// The same for judging it as `named`, at a cost that does not depend on how many names it has:
  /// of its names only that one, its ID, and the one that the runtime goes by.
  Task<Found> Find(const grpc::CallbackServerContext& downstream, const std::string& name_or_id,
                   const trust::ImageReference& named);

  /// Whether `manifest`, or one of those that it lists, is of this configuration.
  Task<tl::expected<bool, grpc::Status>> HasConfig(const grpc::CallbackServerContext& downstream,
                                                   const std::string& manifest,
                                                   const std::string& config);

  /// Whether a manifest that the runtime may run as `image` says that it is a checkpoint, which
  /// containerd restores inside CreateContainer. Answers are cached: a digest's content never
  /// changes.
  using IsCheckpoint = tl::expected<bool, grpc::Status>;
  Task<IsCheckpoint> HasCheckpoint(const grpc::CallbackServerContext& downstream,
                                   const LocalImage& image);

  /// Whether the runtime unpacks layers itself, or one of `remote` (by snapshotter's name) does.
  using UsesRemote = tl::expected<bool, grpc::Status>;
  Task<UsesRemote> UsesRemoteSnapshotter(const grpc::CallbackServerContext& downstream,
                                         const std::vector<std::string>& remote);

  /// Gives `tagged`'s name to `repository@digest`, which the runtime holds with ID `image_id`, and
  /// ends when CRI shows it. Runs to its end, whoever asked, as long as the runtime answers other
  /// calls. OK, or why not: an image that is gone by then is an error.
  Task<grpc::Status> GiveTag(const trust::ImageReference& tagged, const trust::Sha256Digest& digest,
                             const std::string& image_id);

  /// True where names are kept by crivet because the runtime has no API for them.
  bool translates() const { return native_missing_.load(std::memory_order_relaxed); }

  /// What crivet keeps for `text`; nothing where it is no tag, or the runtime takes tags itself.
  std::optional<ImageNames::Kept> KeptFor(const std::string& text) const;

  /// Forgets a name, unless it was given anew since. kState where that cannot be written.
  trust::Result<void> ForgetKept(const ImageNames::Kept& kept);

  /// Forgets what is kept for `reference`: the runtime itself has just given that name.
  trust::Result<void> ForgetKept(const trust::ImageReference& reference);

  /// Forgets the names of those `repository@digest` that the runtime does not hold any more.
  Task<Done> ForgetGone(const std::vector<std::string>& repo_digests);

  /// Makes the tags of `image` what they are for kubelet: with those that crivet keeps for its
  /// digests, and without those that it keeps for another image here. Does nothing where the
  /// runtime takes tags itself.
  Task<Done> TranslateTags(const grpc::CallbackServerContext& downstream, cri::Image& image);

 private:
  /// What CRI shows for a name, first under what crivet keeps for it, or for an ID.
  struct Shown {
    bool by_kept_name = false;
    cri::ImageStatusResponse status = {};
  };
  Task<tl::expected<Shown, grpc::Status>> Show(const grpc::CallbackServerContext& downstream,
                                               const std::string& name_or_id);
  /// Whether the runtime has the image of a kept name; where it has not, the name is forgotten.
  Task<bool> HoldsKept(std::unique_ptr<grpc::ClientContext> context, const ImageNames::Kept& kept);
  /// The names and manifests of an image where the native API does not tell them.
  Task<grpc::Status> AddByKeeping(const grpc::CallbackServerContext& downstream,
                                  const cri::Image& image, LocalImage& local);
  void NoteMissing();
  Target TargetIn(const grpc::Status& status, const native::GetImageResponse& response);
  /// What `name` points to, whoever asked.
  Task<Target> OwnTargetOf(const std::string& name);
  Task<grpc::Status> Point(const std::string& tagged, const native::Image& pinned);
  /// Lets the name of `image` point to its target.
  Task<grpc::Status> Move(const native::Image& image);
  Task<grpc::Status> Remind(const std::string& tagged, const native::Image& pinned);
  Task<grpc::Status> WaitUntilShown(const std::string& tagged, const native::Image& pinned,
                                    const std::string& image_id);
  Task<Found> FindBy(const grpc::CallbackServerContext& downstream, const std::string& name_or_id,
                     const trust::ImageReference* named);
  Task<grpc::Status> ResolveNames(const grpc::CallbackServerContext& downstream,
                                  const cri::Image& image, const std::vector<std::string>& names,
                                  LocalImage& local);
  struct NamedTarget {
    std::string name;
    std::string digest;
  };
  Task<grpc::Status> ListTargets(const grpc::CallbackServerContext& downstream,
                                 const std::vector<std::string>& names,
                                 std::vector<NamedTarget>& targets);
  Task<grpc::Status> DropMoved(const grpc::CallbackServerContext& downstream,
                               const cri::Image& image, LocalImage& local);
  /// Whether `manifest` is one of the image's.
  Task<tl::expected<bool, grpc::Status>> Holds(const grpc::CallbackServerContext& downstream,
                                               const cri::Image& image,
                                               const trust::Sha256Digest& manifest);
  Task<IsCheckpoint> ReadsAsCheckpoint(const grpc::CallbackServerContext& downstream,
                                       const std::string& manifest);

  /// A manifest or an index; registries refuse larger ones.
  static constexpr std::size_t kMaxManifestBytes = 4 * 1024 * 1024;

  Upstream& upstream_;
  ImageNames& names_;
  std::function<void()> on_native_missing_;
  std::atomic<bool> native_missing_{false};

  std::mutex mutex_;
  std::unordered_map<std::string, bool> checkpoints_;  // by digest
};

}  // namespace crivet::proxy
