// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace crivet::proxy {

/// EventSource is what an epoll registration of the RoadLoop points to.
class EventSource {
 public:
  virtual void OnEvents(std::uint32_t events) = 0;

 protected:
  ~EventSource() = default;
};

}  // namespace crivet::proxy
