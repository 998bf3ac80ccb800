// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace crivet::proxy {

/// PodAnswers tells the first time that a pod got an answer about an image from the times after it:
/// kubelet asks again at every retry, backoff and restart of a container. Thread-safe; keeps the
/// latest kMost answers, and one that it has dropped counts as the first again.
class PodAnswers {
 public:
  static constexpr std::size_t kMost = 4096;

  struct Answer {
    std::string_view pod_uid;
    std::string_view canonical;
    std::string_view verdict;  ///< with its reason
    std::string_view rule;
    std::string_view mode;
  };

  /// How often this very answer was counted before.
  std::uint64_t Count(const Answer& answer);

 private:
  struct Entry {
    std::string key;
    std::uint64_t times = 0;
  };

  std::mutex mutex_;
  std::list<Entry> latest_;  // the latest first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace crivet::proxy
