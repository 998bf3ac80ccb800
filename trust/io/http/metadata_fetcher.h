// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

#include "trust/base/time.h"
#include "trust/decide/file_request.h"
#include "trust/io/http/arrival.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/http_client.h"

namespace crivet::trust {

/// MetadataFetcher gets single files from one server, without judging them.
/// Thread-safe.
class MetadataFetcher {
 public:
  /// How long a request may take, and how it may go on: see HttpRequest.
  struct Terms {
    SharedCredentials credentials;  ///< null: anonymously, or as the server's configuration says
    std::chrono::steady_clock::time_point deadline;
    std::chrono::milliseconds patience{5000};
    HttpRequest::Caches caches = HttpRequest::Caches::kMayAnswer;
    std::stop_token stop;
    std::shared_ptr<Arrival> arrival = nullptr;
  };

  struct Answer {
    Fetched fetched;
    /// What the server says the time is, where TLS vouches for the server.
    std::optional<TimePoint> server_date;
  };

  virtual ~MetadataFetcher() = default;
  virtual Answer Fetch(const FileRequest& request, const Terms& terms) = 0;
};

}  // namespace crivet::trust
