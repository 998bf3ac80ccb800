// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/status_mapping.h"

#include <variant>

namespace crivet::proxy {

grpc::Status StatusFor(const trust::Decision& decision, std::string_view canonical) {
  if (std::holds_alternative<trust::Allow>(decision.verdict)) return grpc::Status::OK;
  return {grpc::UNKNOWN, trust::RefusalMessage(decision, canonical)};
}

}  // namespace crivet::proxy
