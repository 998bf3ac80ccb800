#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace crivet::proxy {

/// HealingNames are names for which the next ImageStatus answers absent, once, so that kubelet
/// pulls again with the pod's namespace (DESIGN 4, namespaces). An entry lives for kLifetime and
/// ends with a pull of the name. Thread-safe; holds at most kMaxNames.
class HealingNames {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kLifetime{60};
  static constexpr std::size_t kMaxNames = 1024;

  void Add(const std::string& canonical, Clock::time_point now);

  /// True once for a name that was added within kLifetime.
  bool Take(const std::string& canonical, Clock::time_point now);

  void Forget(const std::string& canonical);

 private:
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> expiry_;
};

}  // namespace crivet::proxy
