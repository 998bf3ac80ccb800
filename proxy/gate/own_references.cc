// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/own_references.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/map_entries.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A runtime that is busy has as long as it answers other calls; this is for one that loses a call.
constexpr std::chrono::minutes kLongest{10};
// CRI learns of names by events. One that it does not show for so long is told it again.
constexpr std::chrono::seconds kReminder{10};
constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{20};
// For an image that was judged by its digest alone.
constexpr char kTagOfNone[] = "crivet";

bool HasTagAndDigest(const trust::Result<trust::ImageReference>& reference) {
  return reference && reference->tag() && reference->digest();
}

bool StandsInFront(const cri::Image& image, const std::string& name) {
  const auto& names = image.repo_digests();
  if (names.empty() || std::find(names.begin(), names.end(), name) == names.end()) return false;
  return HasTagAndDigest(trust::ImageReference::Parse(names.Get(0)));
}

bool IsOwn(const native::Image& image) {
  const std::string* label = FindEntry(image.labels(), OwnReferences::kLabel);
  return label != nullptr && *label == OwnReferences::kLabelValue;
}

grpc::Status Gone(const std::string& image_id) {
  return {grpc::NOT_FOUND, "image " + image_id + " was removed while it was being used"};
}

}  // namespace

std::string OwnReferences::NameFor(const trust::ImageReference& reference,
                                   const trust::Sha256Digest& manifest) {
  return reference.repository() + ":" + reference.tag().value_or(kTagOfNone) + "@" +
         manifest.ToString();
}

Task<tl::expected<cri::Image, grpc::Status>> OwnReferences::Show(const std::string& image_id) {
  using Result = tl::expected<cri::Image, grpc::Status>;
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(image_id);
  cri::ImageStatusResponse response;
  auto context = OwnContext(kLongest);
  auto call = upstream_.ImageStatus(*context, request, response);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(call));
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  if (!response.has_image()) co_return Result(tl::unexpect, Gone(image_id));
  co_return Result(std::move(*response.mutable_image()));
}

// One image that the runtime has under the filter; what is equal there is equal everywhere.
Task<tl::expected<native::Image, grpc::Status>> OwnReferences::Owner(const std::string& filter) {
  using Result = tl::expected<native::Image, grpc::Status>;
  native::ListImagesRequest request;
  request.add_filters(filter);
  native::ListImagesResponse response;
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  auto call = upstream_.ListNativeImages(*context, request, response);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(call));
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  if (response.images().empty()) co_return Result(tl::unexpect, Gone(filter));
  co_return Result(response.images(0));
}

Task<grpc::Status> OwnReferences::Make(const std::string& name,
                                       const trust::Sha256Digest& manifest) {
  const std::string filter = "target.digest==\"" + manifest.ToString() + "\"";
  auto holder = co_await Owner(filter);
  if (!holder) co_return holder.error();
  native::CreateImageRequest create;
  create.mutable_image()->set_name(name);
  *create.mutable_image()->mutable_target() = holder->target();
  AddEntry(*create.mutable_image()->mutable_labels(), kLabel, kLabelValue);
  native::CreateImageResponse created;
  auto context = OwnContext(kLongest);
  ForNativeApi(*context);
  auto call = upstream_.CreateImage(*context, create, created);
  grpc::Status status = co_await upstream_.ToItsEnd(*context, std::move(call));
  if (status.error_code() != grpc::ALREADY_EXISTS) co_return status;

  // By somebody on the node who is root, or by ourselves just now: it must say what it is named.
  native::UpdateImageRequest update;
  *update.mutable_image() = create.image();
  update.mutable_update_mask()->add_paths("target");
  native::UpdateImageResponse updated;
  auto update_context = OwnContext(kLongest);
  ForNativeApi(*update_context);
  auto updating = upstream_.UpdateImage(*update_context, update, updated);
  co_return co_await upstream_.ToItsEnd(*update_context, std::move(updating));
}

Task<grpc::Status> OwnReferences::PutInFront(const trust::ImageReference& reference,
                                             const trust::Sha256Digest& manifest,
                                             const std::string& image_id) {
  const std::string name = NameFor(reference, manifest);
  const auto give_up = steady_clock::now() + kLongest;
  auto make_at = steady_clock::now();
  milliseconds pause = kFirstPause;
  for (;;) {
    auto image = co_await Show(image_id);
    if (!image) co_return image.error();
    if (StandsInFront(*image, name)) co_return grpc::Status::OK;
    if (steady_clock::now() >= make_at) {
      grpc::Status status = co_await Make(name, manifest);
      if (!status.ok()) co_return status;
      make_at = steady_clock::now() + kReminder;
      continue;
    }
    if (steady_clock::now() >= give_up || upstream_.IsHurried()) {
      co_return grpc::Status(grpc::DEADLINE_EXCEEDED,
                             "the runtime does not show the name " + name + " in front");
    }
    // CRI learns of it by an event, a moment after it was made.
    co_await upstream_.Pause(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

Task<Done> OwnReferences::Withdraw(const trust::ImageReference& reference,
                                   const cri::Image& image) {
  for (const std::string& name : image.repo_digests()) {
    const auto named = trust::ImageReference::Parse(name);
    if (!HasTagAndDigest(named) || named->repository() != reference.repository()) continue;
    auto own = co_await Owner("name==\"" + name + "\"");
    if (!own || !IsOwn(*own)) continue;
    native::DeleteImageRequest request;
    request.set_name(name);
    google::protobuf::Empty response;
    auto context = OwnContext(kLongest);
    ForNativeApi(*context);
    auto call = upstream_.DeleteImage(*context, request, response);
    co_await upstream_.ToItsEnd(*context, std::move(call));
  }
  co_return Done{};
}

}  // namespace crivet::proxy
