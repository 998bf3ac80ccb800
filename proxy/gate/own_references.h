// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <tl/expected.hpp>

#include "proxy/runtime/call_task.h"
#include "proxy/runtime/upstream.h"
#include "trust/base/image_reference.h"

namespace crivet::proxy {

/// OwnReferences are names of crivet's own in the runtime: `name:tag@digest`. containerd takes an
/// image by the first of its names, and this kind comes before all others; nobody can make or move
/// one over CRI, which leaves the tag of such a name out. Thread-safe.
class OwnReferences {
 public:
  /// The label that says whose they are; no other is set.
  static constexpr char kLabel[] = "io.crivet.reference";
  static constexpr char kLabelValue[] = "own";

  explicit OwnReferences(Upstream& upstream) : upstream_(upstream) {}

  /// The name of crivet's own for what `reference` was judged to be.
  static std::string NameFor(const trust::ImageReference& reference,
                             const trust::Sha256Digest& manifest);

  /// Puts it in front of the names of the image `image_id`, which must have the manifest, and ends
  /// when CRI shows it there. Costs one question where it stands there already. Runs to its end,
  /// whoever asked, as long as the runtime answers other calls; DEADLINE_EXCEEDED where the name is
  /// not shown for ten minutes.
  Task<grpc::Status> PutInFront(const trust::ImageReference& reference,
                                const trust::Sha256Digest& manifest, const std::string& image_id);

  /// Takes those of the repository away from `image`, as CRI shows it: it is not trusted under that
  /// name any more. What cannot be done is left. Costs nothing where there is none.
  Task<Done> Withdraw(const trust::ImageReference& reference, const cri::Image& image);

 private:
  Task<tl::expected<cri::Image, grpc::Status>> Show(const std::string& image_id);
  Task<grpc::Status> Make(const std::string& name, const trust::Sha256Digest& manifest);
  Task<tl::expected<native::Image, grpc::Status>> Owner(const std::string& filter);

  Upstream& upstream_;
};

}  // namespace crivet::proxy
