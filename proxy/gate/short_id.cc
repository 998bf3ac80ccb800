// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/short_id.h"

#include <algorithm>

#include "proxy/runtime/call_context.h"

namespace crivet::proxy {
namespace {

constexpr std::size_t kFewestDigits = 5;
constexpr std::size_t kMostDigits = 64;
constexpr std::string_view kPrefix = "sha256:";

std::string_view DigitsOf(std::string_view id) {
  return id.starts_with(kPrefix) ? id.substr(kPrefix.size()) : id;
}

}  // namespace

bool LooksLikeShortId(std::string_view text) {
  return text.size() >= kFewestDigits && text.size() <= kMostDigits &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Task<tl::expected<std::string, grpc::Status>> WholeId(GateCall& call, const std::string& text) {
  using Result = tl::expected<std::string, grpc::Status>;
  cri::ListImagesRequest request;
  cri::ListImagesResponse response;
  auto context = SideContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.ListImages(*context, request, response);
  if (!status.ok()) co_return Result(tl::unexpect, std::move(status));
  const auto reference = ReadName(text);
  const std::string name = reference ? reference->Canonical() : text;
  std::string whole;
  for (const auto& image : response.images()) {
    const auto& tags = image.repo_tags();
    if (std::find(tags.begin(), tags.end(), name) != tags.end()) co_return Result(std::string());
    if (!DigitsOf(image.id()).starts_with(text)) continue;
    if (!whole.empty()) co_return Result(std::string());
    whole = image.id();
  }
  co_return Result(std::move(whole));
}

}  // namespace crivet::proxy
