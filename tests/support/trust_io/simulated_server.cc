// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust_io/simulated_server.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

void SimulatedServer::With(const std::string& gun,
                           const std::function<void(SigningRepository&)>& use) {
  const std::lock_guard lock(mutex_);
  use(collections_.try_emplace(gun, gun).first->second);
}

void SimulatedServer::Hang() {
  const std::lock_guard lock(mutex_);
  hangs_ = true;
}

void SimulatedServer::Release() {
  const std::lock_guard lock(mutex_);
  hangs_ = false;
  changed_.notify_all();
}

void SimulatedServer::Require(std::string username) {
  const std::lock_guard lock(mutex_);
  required_ = std::move(username);
}

void SimulatedServer::Cache(std::string timestamp) {
  const std::lock_guard lock(mutex_);
  cached_ = std::move(timestamp);
}

void SimulatedServer::SayDate(std::optional<TimePoint> date) {
  const std::lock_guard lock(mutex_);
  date_ = date;
}

std::vector<SimulatedServer::Asked> SimulatedServer::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::size_t SimulatedServer::refreshes() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(asked_.begin(), asked_.end(),
                    [](const Asked& asked) { return asked.file == "timestamp.json"; }));
}

void SimulatedServer::ForgetAsked() {
  const std::lock_guard lock(mutex_);
  asked_.clear();
}

void SimulatedServer::WaitForRequests(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return asked_.size() >= count; });
}

MetadataFetcher::Answer SimulatedServer::Fetch(const FileRequest& request, const Terms& terms) {
  const auto failed = [&](NetworkCause cause, Heard heard) {
    if (terms.arrival) terms.arrival->heard = heard;
    return Answer{tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, cause}), std::nullopt};
  };
  const MetadataRequest named{request.file_names.front(), request.max_bytes, request.sha256};
  std::unique_lock lock(mutex_);
  const std::string username = terms.credentials ? terms.credentials->username : "";
  asked_.push_back({request.scope, named.file, username, terms.caches});
  changed_.notify_all();
  if (hangs_) {
    const auto until = std::min(terms.deadline, std::chrono::steady_clock::now() + terms.patience);
    changed_.wait_until(lock, terms.stop, until, [&] { return !hangs_; });
    if (hangs_) return failed(NetworkCause::kTimeout, Heard::kNoFirstByte);
  }
  if (required_ && username != *required_) {
    return failed(NetworkCause::kCredentialsRefused, Heard::kAnswer);
  }
  if (cached_ && named.file == "timestamp.json" &&
      terms.caches == HttpRequest::Caches::kMayAnswer) {
    return {*cached_, date_};
  }
  const auto collection = collections_.find(request.scope);
  if (collection == collections_.end()) return {tl::unexpected(FetchFailure{}), date_};
  return {collection->second.Fetch(named), date_};
}

}  // namespace crivet::trust
