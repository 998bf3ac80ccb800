#include "proxy/runtime_images.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/image_names.h"
#include "proxy/relay.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTagBudget{10'000};
constexpr milliseconds kCallBudget{5'000};
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
  grpc::Status status = co_await upstream_.GetImage(*context, request, response);
  if (status.error_code() == grpc::UNIMPLEMENTED) {
    NoteMissing();
    co_return Target(NoNativeApi{});
  }
  if (status.ok() || status.error_code() == grpc::NOT_FOUND) {
    native_missing_.store(false, std::memory_order_relaxed);
  }
  if (status.error_code() == grpc::NOT_FOUND) co_return Target(NoTarget{});
  if (!status.ok()) co_return Target(std::move(status));
  const auto digest = trust::Sha256Digest::Parse(response.image().target().digest());
  // A target of another algorithm is nothing that anybody can vouch for.
  if (!digest) co_return Target(NoTarget{});
  co_return Target(*digest);
}

Task<grpc::Status> RuntimeImages::GiveTag(const trust::ImageReference& tagged,
                                          const trust::Sha256Digest& digest,
                                          const std::string& image_id) {
  const std::string name = tagged.Canonical();
  auto context = OwnContext(kCallBudget);
  ForNativeApi(*context);
  native::GetImageRequest request;
  request.set_name(tagged.PinnedTo(digest));
  native::GetImageResponse response;
  grpc::Status status = co_await upstream_.GetImage(*context, request, response);
  if (status.error_code() == grpc::UNIMPLEMENTED) {
    NoteMissing();
    cri::ImageStatusRequest held;
    held.mutable_image()->set_image(request.name());
    cri::ImageStatusResponse shown;
    auto status_context = OwnContext(kCallBudget);
    status = co_await upstream_.ImageStatus(*status_context, held, shown);
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
  co_return co_await WaitUntilShown(name, image_id);
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
    auto context = OwnContext(kCallBudget);
    ForNativeApi(*context);
    status = co_await upstream_.CreateImage(*context, create, created);
    if (status.error_code() != grpc::ALREADY_EXISTS) co_return status;

    auto get_context = OwnContext(kCallBudget);
    auto target = co_await TargetOf(std::move(get_context), tagged);
    const auto* digest = std::get_if<trust::Sha256Digest>(&target);
    if (digest != nullptr && digest->ToString() == pinned.target().digest()) {
      co_return grpc::Status::OK;
    }

    native::UpdateImageRequest update;
    *update.mutable_image() = create.image();
    update.mutable_update_mask()->add_paths("target");
    native::UpdateImageResponse updated;
    auto update_context = OwnContext(kCallBudget);
    ForNativeApi(*update_context);
    status = co_await upstream_.UpdateImage(*update_context, update, updated);
    // Removed between the two: make it again.
    if (status.error_code() != grpc::NOT_FOUND) co_return status;
  }
  co_return status;
}

// CRI learns of the name by an event, a moment after it was made; kubelet asks for it at once.
Task<grpc::Status> RuntimeImages::WaitUntilShown(const std::string& tagged,
                                                 const std::string& image_id) {
  const auto give_up = steady_clock::now() + kTagBudget;
  milliseconds pause = kFirstPause;
  for (;;) {
    cri::ImageStatusRequest request;
    request.mutable_image()->set_image(tagged);
    cri::ImageStatusResponse response;
    auto context = OwnContext(kCallBudget);
    grpc::Status status = co_await upstream_.ImageStatus(*context, request, response);
    if (!status.ok()) co_return status;
    if (response.image().id() == image_id) co_return grpc::Status::OK;
    if (!response.has_image()) {
      auto get_context = OwnContext(kCallBudget);
      const auto target = co_await TargetOf(std::move(get_context), tagged);
      if (std::holds_alternative<NoTarget>(target)) co_return Gone(tagged);
    }
    if (steady_clock::now() >= give_up) {
      co_return grpc::Status(grpc::DEADLINE_EXCEEDED,
                             "the runtime does not show the name " + tagged);
    }
    co_await upstream_.Pause(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace crivet::proxy
