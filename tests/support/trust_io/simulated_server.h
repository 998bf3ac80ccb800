// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/trust/signing_repository.h"
#include "trust/io/http/metadata_fetcher.h"

namespace crivet::trust {

/// SimulatedServer serves signing repositories to a service in the same process: it can hang, want
/// credentials, keep an old answer in a cache before it, and say what time it is. Thread-safe.
class SimulatedServer final : public MetadataFetcher {
 public:
  struct Asked {
    std::string gun;
    std::string file;
    std::string username;
    HttpRequest::Caches caches = HttpRequest::Caches::kMayAnswer;
  };

  /// Publishes, damages or reads a collection; the first call makes it.
  void With(const std::string& gun, const std::function<void(SigningRepository&)>& use);

  /// Every request waits from now on, until Release, its end or its stop.
  void Hang();
  void Release();
  /// Others than this user get no answer.
  void Require(std::string username);
  /// Answers from a cache that holds this timestamp.json, unless the request says otherwise.
  void Cache(std::string timestamp);
  void SayDate(std::optional<TimePoint> date);

  std::vector<Asked> asked() const;
  /// How often a timestamp was asked for, that is, how many refreshes there were.
  std::size_t refreshes() const;
  void ForgetAsked();
  /// Returns once so many requests have come since the last ForgetAsked.
  void WaitForRequests(std::size_t count);

  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, SigningRepository> collections_;
  std::vector<Asked> asked_;
  bool hangs_ = false;
  std::optional<std::string> required_;
  std::optional<std::string> cached_;
  std::optional<TimePoint> date_;
};

}  // namespace crivet::trust
