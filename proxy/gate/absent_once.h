// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace crivet::proxy {

/// AbsentOnce are names for which the next ImageStatus answers absent, once, so that kubelet
/// pulls again with the pod's namespace (trust/RULES.md#namespaces). An entry lives for kLifetime
/// and ends with a pull of the name. Thread-safe. Holds at most kMaxOfNamespace for each namespace
/// of pods, the oldest of which makes room: no namespace takes that from another.
class AbsentOnce {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kLifetime{60};
  static constexpr std::chrono::minutes kSeldom{5};
  static constexpr std::size_t kMaxOfNamespace = 256;

  /// `pod_namespace` is whose pod is to heal; empty where it has none.
  void Add(const std::string& canonical, const std::string& pod_namespace, Clock::time_point now);

  /// Adds it at most once in kSeldom for each namespace: where nobody knows whether a pull would
  /// bring anything else.
  void AddSeldom(const std::string& canonical, const std::string& pod_namespace,
                 Clock::time_point now);

  /// True once for a name that was added within kLifetime.
  bool Take(const std::string& canonical, Clock::time_point now);

  void Forget(const std::string& canonical);

 private:
  struct Entry {
    std::string canonical;
    Clock::time_point expiry;
  };

  using Entries = std::map<std::string, std::deque<Entry>>;
  // By namespace, the oldest first. None is empty.
  static void Add(const std::string& canonical, const std::string& pod_namespace,
                  Clock::time_point now, Clock::duration lifetime, Entries& entries);

  std::mutex mutex_;
  Entries entries_;
  Entries seldom_;  ///< what is not added again before
};

}  // namespace crivet::proxy
