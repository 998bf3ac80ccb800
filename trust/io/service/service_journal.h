// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "trust/decide/refresh.h"
#include "trust/io/service/service_status.h"

namespace crivet::trust {

/// ServiceJournal counts what a service did in the background, and says it to people. Thread-safe.
class ServiceJournal {
 public:
  explicit ServiceJournal(std::function<void(const std::string& line)> log)
      : log_(std::move(log)) {}

  void Say(const std::string& line) const {
    if (log_) log_(line);
  }

  void CountChanged();
  void CountUnchanged();
  void CountFailed(Reason reason);
  void CountFirstUse();
  RefreshCounts counts() const;
  /// ServiceStatus::members_disagreed.
  void CountDisagreement();
  std::uint64_t disagreements() const;

  /// The state folder took a write (empty), or why it did not. Said once per change.
  void NoteState(const std::string& problem);
  std::string state_problem() const;

 private:
  const std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;
  RefreshCounts counts_;
  std::uint64_t disagreements_ = 0;
  std::string state_problem_;
};

/// A refresh that failed, in one line for people.
std::string Shown(const CollectionId& id, const RefreshFailure& failure);

}  // namespace crivet::trust
