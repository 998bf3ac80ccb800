// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/v1/api.pb.h"

namespace crivet::proxy {

/// SandboxKey is a pod's sandbox before the runtime has given it an ID: no two that are there at
/// the same time have the same. Texts are of any bytes.
struct SandboxKey {
  std::string name_space;
  std::string name;
  std::string uid;
  std::uint32_t attempt = 0;
  friend auto operator<=>(const SandboxKey&, const SandboxKey&) = default;
};
SandboxKey KeyOf(const ::runtime::v1::PodSandboxMetadata& metadata);

/// UnseenSandboxes are the sandboxes that the runtime was asked for and whose root nobody has
/// looked at yet (proxy/RULES.md#what-was-judged-is-what-runs). They outlive the process: a
/// sandbox runs before its call is answered, and an earlier crivet may have ended in between. Not
/// the machine, after which no sandbox is ready. Thread-safe; a Hold does not outlive it.
class UnseenSandboxes {
 public:
  using Clock = std::chrono::steady_clock;

  /// Expected is what such a sandbox was judged to be made from.
  struct Expected {
    std::string image;  ///< canonical name
    /// Its ID; several where calls for the same sandbox were judged differently.
    std::vector<std::string> image_ids;
  };

  /// Hold is the call that makes one. Where it ends without Settle, what it made is lost sight of.
  class Hold {
   public:
    Hold(Hold&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (owner_ != nullptr) owner_->Lose(key_);
    }

    /// It was looked at, or there is none.
    void Settle() {
      if (auto* owner = std::exchange(owner_, nullptr)) owner->Settle(key_);
    }

   private:
    friend class UnseenSandboxes;
    Hold(UnseenSandboxes& owner, SandboxKey key) : owner_(&owner), key_(std::move(key)) {}
    UnseenSandboxes* owner_;
    SandboxKey key_;
  };

  /// Reads `<state_dir>/unseen-sandboxes.json`; those in it are lost. A file that is missing or
  /// damaged is none. `on_lost` is called, without a lock, when one is lost sight of; `log` gets a
  /// line where the file cannot be written: then memory alone knows.
  UnseenSandboxes(const std::string& state_dir, std::function<void()> on_lost,
                  std::function<void(const std::string& line)> log);

  /// To be called before the runtime is asked.
  Hold Expect(SandboxKey key, const std::string& image, const std::string& image_id);

  std::optional<Expected> Find(const SandboxKey& key) const;
  void Settle(const SandboxKey& key);

  struct Lost {
    SandboxKey key;
    Expected expected;
    Clock::time_point since;
  };
  std::vector<Lost> AllLost() const;
  bool HasLost() const { return !AllLost().empty(); }
  bool empty() const;

 private:
  struct Entry {
    Expected expected;
    int calls = 0;  ///< under way
    Clock::time_point lost_since;
  };

  void Lose(const SandboxKey& key);
  void Load();
  void Save();

  const std::string path_;
  const std::function<void()> on_lost_;
  const std::function<void(const std::string& line)> log_;
  mutable std::mutex mutex_;
  std::map<SandboxKey, Entry> entries_;
  bool is_saved_ = true;
};

}  // namespace crivet::proxy
