// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/runtime_images.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/image_names.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A runtime that is busy has as long as it answers other calls; this is for one that loses a call.
constexpr std::chrono::minutes kLongest{10};
// CRI learns of names by events. One that it does not show for so long is told it again.
constexpr std::chrono::seconds kFirstReminder{10};
constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{20};
// A name may be made and removed by others while we look at it; more often than this it is a fight.
constexpr int kPointAttempts = 4;

grpc::Status Gone(const std::string& tagged) {
  return {grpc::NOT_FOUND,
          "image " + tagged + " was removed before it could be given its name; pull it again"};
}

}  // namespace

RuntimeImages::RuntimeImages(Upstream& upstream, ImageNames& names,
                             std::function<void()> on_native_missing)
    : upstream_(upstream), names_(names), on_native_missing_(std::move(on_native_missing)) {
  // Names that were kept say what kind of runtime it was last time.
  if (!names_.empty()) NoteMissing();
}

void RuntimeImages::NoteMissing() {
  native_missing_.store(true, std::memory_order_relaxed);
  on_native_missing_();
}

Task<Target> RuntimeImages::TargetOf(std::unique_ptr<grpc::ClientContext> context,
                                     const std::string& name) {
  ForNativeApi(*context);
  native::GetImageRequest request;
  request.set_name(name);
  native::GetImageResponse response;
  const grpc::Status status = co_await upstream_.GetImage(*context, request, response);
  co_return TargetIn(status, response);
}

Task<Target> RuntimeImages::OwnTargetOf(const std::string& name) {
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  native::GetImageRequest request;
  request.set_name(name);
  native::GetImageResponse response;
  auto getting = upstream_.GetImage(*context, request, response);
  const grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(getting));
  co_return TargetIn(status, response);
}

Target RuntimeImages::TargetIn(const grpc::Status& status,
                               const native::GetImageResponse& response) {
  if (status.error_code() == grpc::UNIMPLEMENTED) {
    NoteMissing();
    return NoNativeApi{};
  }
  if (status.ok() || status.error_code() == grpc::NOT_FOUND) {
    native_missing_.store(false, std::memory_order_relaxed);
  }
  if (status.error_code() == grpc::NOT_FOUND) return NoTarget{};
  if (!status.ok()) return status;
  const auto digest = trust::Sha256Digest::Parse(response.image().target().digest());
  // A target of another algorithm is nothing that anybody can vouch for.
  if (!digest) return NoTarget{};
  return *digest;
}

Task<grpc::Status> RuntimeImages::GiveTag(const trust::ImageReference& tagged,
                                          const trust::Sha256Digest& digest,
                                          const std::string& image_id) {
  const std::string name = tagged.Canonical();
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  native::GetImageRequest request;
  request.set_name(tagged.PinnedTo(digest));
  native::GetImageResponse response;
  auto getting = upstream_.GetImage(*context, request, response);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(getting));
  if (status.error_code() == grpc::UNIMPLEMENTED) {
    NoteMissing();
    cri::ImageStatusRequest held;
    held.mutable_image()->set_image(request.name());
    cri::ImageStatusResponse shown;
    auto status_context = OwnContext(kLongest);
    auto asking = upstream_.ImageStatus(*status_context, held, shown);
    status = co_await upstream_.ToItsEnd(*status_context, std::move(asking));
    if (!status.ok()) co_return status;
    if (!shown.has_image()) co_return Gone(name);
    const auto saved = names_.Set(name, digest);
    if (saved) co_return grpc::Status::OK;
    co_return grpc::Status(grpc::UNKNOWN,
                           "the name " + name + " cannot be kept: " + saved.error().detail);
  }
  if (status.error_code() == grpc::NOT_FOUND) co_return Gone(name);
  if (!status.ok()) co_return status;
  if (response.image().target().digest() != digest.ToString()) {
    co_return grpc::Status(grpc::FAILED_PRECONDITION,
                           "the runtime's " + request.name() + " is other content");
  }
  status = co_await Point(name, response.image());
  if (!status.ok()) co_return status;
  co_return co_await WaitUntilShown(name, response.image(), image_id);
}

Task<grpc::Status> RuntimeImages::Move(const native::Image& image) {
  native::UpdateImageRequest update;
  *update.mutable_image() = image;
  update.mutable_update_mask()->add_paths("target");
  native::UpdateImageResponse updated;
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  auto updating = upstream_.UpdateImage(*context, update, updated);
  co_return co_await upstream_.ToItsEnd(*context, std::move(updating));
}

// As containerd's own pull: make the name, or move it where it points elsewhere. Labels are not
// copied: containerd's event handler sets its own, `pinned` on the sandbox image among them.
Task<grpc::Status> RuntimeImages::Point(const std::string& tagged, const native::Image& pinned) {
  grpc::Status status;
  for (int attempt = 0; attempt < kPointAttempts; ++attempt) {
    native::CreateImageRequest create;
    create.mutable_image()->set_name(tagged);
    *create.mutable_image()->mutable_target() = pinned.target();
    native::CreateImageResponse created;
    auto context = OwnContext(kLongest);
    ForNativeApi(*context);
    auto creating = upstream_.CreateImage(*context, create, created);
    status = co_await upstream_.ToItsEnd(*context, std::move(creating));
    if (status.error_code() != grpc::ALREADY_EXISTS) co_return status;

    auto target = co_await OwnTargetOf(tagged);
    const auto* digest = std::get_if<trust::Sha256Digest>(&target);
    if (digest != nullptr && digest->ToString() == pinned.target().digest()) {
      co_return grpc::Status::OK;
    }

    status = co_await Move(create.image());
    // Removed between the two: make it again.
    if (status.error_code() != grpc::NOT_FOUND) co_return status;
  }
  co_return status;
}

// An update that changes nothing is an event as well.
Task<grpc::Status> RuntimeImages::Remind(const std::string& tagged, const native::Image& pinned) {
  const auto target = co_await OwnTargetOf(tagged);
  const auto* digest = std::get_if<trust::Sha256Digest>(&target);
  if (digest == nullptr || digest->ToString() != pinned.target().digest()) {
    co_return grpc::Status(grpc::FAILED_PRECONDITION,
                           "somebody else gave the name " + tagged + " to other content meanwhile");
  }
  native::Image again;
  again.set_name(tagged);
  *again.mutable_target() = pinned.target();
  co_return co_await Move(again);
}

// CRI learns of the name by an event, a moment after it was made; kubelet asks for it at once.
Task<grpc::Status> RuntimeImages::WaitUntilShown(const std::string& tagged,
                                                 const native::Image& pinned,
                                                 const std::string& image_id) {
  const auto begin = steady_clock::now();
  std::chrono::seconds reminder = kFirstReminder;
  milliseconds pause = kFirstPause;
  for (;;) {
    cri::ImageStatusRequest request;
    request.mutable_image()->set_image(tagged);
    cri::ImageStatusResponse response;
    auto context = OwnContext(kLongest);
    auto asking = upstream_.ImageStatus(*context, request, response);
    grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(asking));
    if (!status.ok()) co_return status;
    if (response.image().id() == image_id) co_return grpc::Status::OK;
    if (!response.has_image()) {
      const auto target = co_await OwnTargetOf(tagged);
      if (std::holds_alternative<NoTarget>(target)) co_return Gone(tagged);
    }
    const auto waited = steady_clock::now() - begin;
    if (waited >= reminder) {
      status = co_await Remind(tagged, pinned);
      if (!status.ok()) co_return status;
      reminder *= 2;
    }
    if (waited >= kLongest || upstream_.IsHurried()) {
      co_return grpc::Status(grpc::DEADLINE_EXCEEDED,
                             "the runtime does not show the name " + tagged);
    }
    co_await upstream_.Pause(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace crivet::proxy
