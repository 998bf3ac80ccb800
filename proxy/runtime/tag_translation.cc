// SPDX-License-Identifier: Apache-2.0

// RuntimeImages' names where the runtime has no API to take them: the same answers by translation
// (proxy/RULES.md#the-tag). A name that crivet keeps was given by the newest pull that it made of
// it, and goes before what the runtime has under that name; a pull that the runtime made by the
// name itself, or an image that is gone, ends it.

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/image_names.h"
#include "proxy/runtime/runtime_images.h"

namespace crivet::proxy {
namespace {

constexpr std::chrono::milliseconds kCallBudget{5'000};

template <typename Texts>
bool Has(const Texts& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// The stand-in for the native API: every digest of the image under the name's repository. They are
// an index and the manifest of this platform that it lists, or several indexes that list it: of
// equal content, so that each of them may be the one that is vouched for. What crivet keeps comes
// first.
std::vector<trust::Sha256Digest> DigestsUnder(const trust::ImageReference& reference,
                                              const cri::Image& image,
                                              std::optional<trust::Sha256Digest> kept) {
  std::vector<trust::Sha256Digest> digests;
  for (const auto& text : image.repo_digests()) {
    const auto named = trust::ImageReference::Parse(text);
    if (!named || !named->digest() || named->repository() != reference.repository()) continue;
    if (reference.digest() && reference.digest() != named->digest()) continue;
    const bool first = kept && *kept == *named->digest();
    digests.insert(first ? digests.begin() : digests.end(), *named->digest());
  }
  return digests;
}

}  // namespace

std::optional<ImageNames::Kept> RuntimeImages::KeptFor(const std::string& text) const {
  if (!translates() || trust::IsImageId(text)) return std::nullopt;
  const auto reference = trust::ImageReference::Parse(text);
  if (!reference || reference->digest()) return std::nullopt;
  return names_.Look(reference->Canonical());
}

trust::Result<void> RuntimeImages::ForgetKept(const ImageNames::Kept& kept) {
  return names_.Forget(kept);
}

trust::Result<void> RuntimeImages::ForgetKept(const trust::ImageReference& reference) {
  return names_.Remove(reference.Canonical());
}

Task<Done> RuntimeImages::TranslateTags(const grpc::CallbackServerContext& downstream,
                                        cri::Image& image) {
  if (!translates()) co_return Done{};
  auto& tags = *image.mutable_repo_tags();
  for (int i = tags.size() - 1; i >= 0; --i) {
    const auto kept = KeptFor(tags[i]);
    if (!kept || Has(image.repo_digests(), kept->pinned)) continue;
    auto context = SideContext(downstream);
    const bool elsewhere = co_await HoldsKept(std::move(context), *kept);
    if (elsewhere) tags.DeleteSubrange(i, 1);
  }
  for (const auto& pinned : image.repo_digests()) {
    for (const auto& tag : names_.TagsOf(pinned)) {
      if (!Has(tags, tag)) image.add_repo_tags(tag);
    }
  }
  co_return Done{};
}

Task<Done> RuntimeImages::ForgetGone(const std::vector<std::string>& repo_digests) {
  for (const auto& pinned : repo_digests) {
    for (const auto& tag : names_.TagsOf(pinned)) {
      const auto kept = names_.Look(tag);
      if (!kept || kept->pinned != pinned) continue;
      auto context = OwnContext(kCallBudget);
      co_await HoldsKept(std::move(context), *kept);
    }
  }
  co_return Done{};
}

Task<bool> RuntimeImages::HoldsKept(std::unique_ptr<grpc::ClientContext> context,
                                    const ImageNames::Kept& kept) {
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(kept.pinned);
  cri::ImageStatusResponse response;
  const grpc::Status status = co_await upstream_.ImageStatus(*context, request, response);
  const bool gone = status.ok() && !response.has_image();
  // Where that cannot be written it is found out again.
  if (gone) static_cast<void>(names_.Forget(kept));
  co_return !gone;
}

Task<tl::expected<RuntimeImages::Shown, grpc::Status>> RuntimeImages::Show(
    const grpc::CallbackServerContext& downstream, const std::string& name_or_id) {
  using Result = tl::expected<Shown, grpc::Status>;
  const auto kept = KeptFor(name_or_id);
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(kept ? kept->pinned : name_or_id);
  Shown shown{.by_kept_name = kept.has_value()};
  auto context = SideContext(downstream);
  grpc::Status status = co_await upstream_.ImageStatus(*context, request, shown.status);
  if (status.ok() && kept && !shown.status.has_image()) {
    static_cast<void>(names_.Forget(*kept));
    shown.by_kept_name = false;
    request.mutable_image()->set_image(name_or_id);
    auto again = SideContext(downstream);
    status = co_await upstream_.ImageStatus(*again, request, shown.status);
  }
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  co_return Result(std::move(shown));
}

Task<RuntimeImages::Digests> RuntimeImages::LocalDigests(
    const grpc::CallbackServerContext& downstream, const trust::ImageReference& reference,
    const cri::Image& image) {
  auto context = SideContext(downstream);
  auto target = co_await TargetOf(std::move(context), reference.Canonical());
  if (const auto* named = std::get_if<trust::Sha256Digest>(&target)) {
    auto holds = co_await Holds(downstream, image, *named);
    if (!holds) co_return Digests(tl::unexpect, std::move(holds.error()));
    co_return Digests(*holds ? std::vector{*named} : std::vector<trust::Sha256Digest>());
  }
  if (auto* failure = std::get_if<grpc::Status>(&target)) {
    co_return Digests(tl::unexpect, std::move(*failure));
  }
  if (std::holds_alternative<NoTarget>(target))
    co_return Digests(std::vector<trust::Sha256Digest>());
  co_return Digests(DigestsUnder(reference, image, names_.Find(reference.Canonical())));
}

Task<RuntimeImages::Digests> RuntimeImages::PulledDigests(const trust::ImageReference& reference) {
  const std::string canonical = reference.Canonical();
  auto context = OwnContext(kCallBudget);
  auto target = co_await TargetOf(std::move(context), canonical);
  if (const auto* named = std::get_if<trust::Sha256Digest>(&target)) {
    co_return Digests(std::vector{*named});
  }
  if (auto* failure = std::get_if<grpc::Status>(&target)) {
    co_return Digests(tl::unexpect, std::move(*failure));
  }
  if (std::holds_alternative<NoTarget>(target))
    co_return Digests(std::vector<trust::Sha256Digest>());
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(canonical);
  cri::ImageStatusResponse response;
  auto status_context = OwnContext(kCallBudget);
  grpc::Status status = co_await upstream_.ImageStatus(*status_context, request, response);
  if (!status.ok()) co_return Digests(tl::unexpect, std::move(status));
  co_return Digests(DigestsUnder(reference, response.image(), std::nullopt));
}

Task<grpc::Status> RuntimeImages::AddByKeeping(const grpc::CallbackServerContext& downstream,
                                               const cri::Image& image, LocalImage& local) {
  cri::Image translated = image;
  co_await TranslateTags(downstream, translated);
  for (const auto& text : translated.repo_digests()) {
    const auto named = trust::ImageReference::Parse(text);
    if (!named) continue;
    local.names.push_back({text, named->digest()});
    if (named->digest() && std::find(local.targets.begin(), local.targets.end(),
                                     *named->digest()) == local.targets.end()) {
      local.targets.push_back(*named->digest());
    }
  }
  for (const auto& text : translated.repo_tags()) {
    const auto named = trust::ImageReference::Parse(text);
    if (!named) continue;
    const auto digests = DigestsUnder(*named, image, names_.Find(named->Canonical()));
    for (const auto& digest : digests) local.names.push_back({text, digest});
    if (digests.empty()) local.names.push_back({text, std::nullopt});
  }

  // By the digest of an index CRI-O tells no annotations; it acts on those that it tells by the ID.
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(image.id());
  cri::ImageStatusResponse response;
  auto context = SideContext(downstream);
  grpc::Status status = co_await upstream_.ImageStatus(*context, request, response);
  if (!status.ok()) co_return status;
  if (!response.has_image()) co_return grpc::Status(grpc::NOT_FOUND, "the image is being removed");
  for (const auto& annotation : response.image().spec().annotations()) {
    local.annotation_keys.push_back(annotation.key());
  }
  co_return grpc::Status::OK;
}

}  // namespace crivet::proxy
