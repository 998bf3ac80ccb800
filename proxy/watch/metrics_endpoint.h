// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "trust/base/result.h"

namespace crivet::proxy {

/// MetricsEndpoint answers `GET /metrics` over plain HTTP/1 on one address, with a thread of its
/// own that sleeps while nobody asks. Every connection gets one answer, a few seconds and a few
/// KiB; a client that is slow or stuck delays no other. It ends at once.
class MetricsEndpoint {
 public:
  /// `address` is as CheckListenAddress accepts it; port 0 takes a free one. `render` gives the
  /// text to answer, on the endpoint's thread. kState where the address cannot be listened on.
  static trust::Result<std::unique_ptr<MetricsEndpoint>> Create(
      const std::string& address, std::function<std::string()> render);
  ~MetricsEndpoint();

  /// The port that it listens on.
  std::uint16_t port() const;

  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

 private:
  class Server;
  explicit MetricsEndpoint(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace crivet::proxy
