// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/held_image.h"

#include <chrono>

#include "proxy/runtime/runtime_client.h"
#include "proxy/takeover/host_check.h"
#include "runtime/v1/api.grpc.pb.h"

namespace crivet::proxy::cli {
namespace {

// In the runtime's place the configured path is crivet's own, which says of a refused name that
// nothing is there.
std::string ImageSocketOf(const Config& config) {
  if (!config.image_upstream.empty()) return config.image_upstream;
  const Place place = PlaceOnNode();
  return place.in_place() ? place.moved_upstream : config.upstream;
}

}  // namespace

std::string HeldId(const Config& config, const std::string& name) {
  namespace cri = ::runtime::v1;
  const auto images = cri::ImageService::NewStub(RuntimeChannel(ImageSocketOf(config)));
  const auto context = BlockingContext(std::chrono::seconds{1});
  context->set_wait_for_ready(false);
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(name);
  cri::ImageStatusResponse response;
  if (!images->ImageStatus(context.get(), request, &response).ok()) return {};
  return response.image().id();
}

}  // namespace crivet::proxy::cli
