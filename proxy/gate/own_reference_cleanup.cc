// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/own_reference_cleanup.h"

#include "containerd/services/images/v1/images.grpc.pb.h"
#include "proxy/gate/own_references.h"
#include "proxy/runtime/call_context.h"
#include "proxy/runtime/runtime_client.h"

namespace crivet::proxy {

trust::Result<int> RemoveOwnReferences(const std::string& socket, std::chrono::milliseconds limit) {
  const auto images = native::Images::NewStub(RuntimeChannel(socket));
  const auto failed = [&socket](const grpc::Status& status) {
    return trust::Fail(trust::Reason::kUnreachable, socket + ": " + status.error_message());
  };
  native::ListImagesRequest list;
  list.add_filters(std::string("labels.\"") + OwnReferences::kLabel +
                   "\"==" + OwnReferences::kLabelValue);
  native::ListImagesResponse listed;
  auto context = BlockingContext(limit);
  ForNativeApi(*context);
  grpc::Status status = images->List(context.get(), list, &listed);
  if (status.error_code() == grpc::UNIMPLEMENTED) return 0;
  if (!status.ok()) return failed(status);
  int removed = 0;
  for (const native::Image& image : listed.images()) {
    native::DeleteImageRequest request;
    request.set_name(image.name());
    google::protobuf::Empty response;
    auto delete_context = BlockingContext(limit);
    ForNativeApi(*delete_context);
    status = images->Delete(delete_context.get(), request, &response);
    if (!status.ok() && status.error_code() != grpc::NOT_FOUND) return failed(status);
    ++removed;
  }
  return removed;
}

}  // namespace crivet::proxy
