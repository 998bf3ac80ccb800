// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust_io/virtual_time.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/service/service_engine.h"
#include "trust/io/service/trust_service.h"

namespace crivet::trust {

/// RequestLog counts the requests of a fleet by the second of its time, and passes them on.
/// Thread-safe.
class RequestLog final : public MetadataFetcher {
 public:
  RequestLog(const VirtualTime& time, std::shared_ptr<MetadataFetcher> server)
      : time_(time), server_(std::move(server)) {}

  Answer Fetch(const FileRequest& request, const Terms& terms) override;

  /// By the second, from that one on until now.
  std::vector<std::size_t> Since(std::chrono::seconds begin) const;
  /// Requests that brought nothing.
  std::size_t failed() const { return failed_; }
  /// Milliseconds that an answer took, of the machine's time.
  double ms_an_answer() const;

 private:
  const VirtualTime& time_;
  const std::shared_ptr<MetadataFetcher> server_;
  mutable std::mutex mutex_;
  std::vector<std::size_t> seconds_;
  std::chrono::nanoseconds took_{0};
  std::size_t answers_ = 0;
  std::atomic<std::size_t> failed_{0};
};

/// What a stretch of seconds comes to.
struct RequestRate {
  double average = 0;
  std::size_t peak = 0;    ///< the most in one second
  double peak_of_ten = 0;  ///< a second, over the worst ten in a row
};
RequestRate RateOf(const std::vector<std::size_t>& seconds);

/// SimulatedFleet is many nodes of one configuration, each with a TrustService, a state folder and
/// a phase of its own, on one VirtualTime. One thread drives it.
class SimulatedFleet {
 public:
  struct Options {
    std::size_t nodes = 0;
    Kinds kinds;
    std::vector<TrustServer> servers;
    std::shared_ptr<const Policy> policy;
    std::shared_ptr<MetadataFetcher> fetcher;
    /// What stands between one node and that; unset: nothing.
    std::function<std::shared_ptr<MetadataFetcher>(std::shared_ptr<MetadataFetcher>)> of_node;
    /// Of node N: this, with N at its end.
    std::string state_dir;
    FileSystem* files = &FileSystem::Posix();
    enum class Phases : std::uint8_t {
      kOwn,
      kOne,  ///< as if all of them were one machine, booted at one moment: without any phase
    } phases = Phases::kOwn;
  };
  SimulatedFleet(VirtualTime& time, Options options);

  /// All of them, now.
  void StartAll();
  void StopAll() { services_.clear(); }
  void SetInterval(std::chrono::seconds interval);

  /// Use is what nodes do with an image.
  struct Use {
    std::string reference;
    /// Set: it is here, and a container of it starts; else it is pulled.
    std::optional<Sha256Digest> here = std::nullopt;
    enum class Refused : std::uint8_t {
      kLetGo,
      /// Tried again as kubelet does: after 10 s, then after twice as long each time, at most 300.
      /// Meanwhile the node begins nothing else.
      kTriedAgain,
    } refused = Refused::kLetGo;
  };
  /// Each node does that once in every such time from now on, at a moment of its own, until then.
  void UseEach(const Use& use, std::chrono::seconds every, std::chrono::seconds until);
  void PullEach(const std::string& reference, std::chrono::seconds every,
                std::chrono::seconds until) {
    UseEach({.reference = reference}, every, until);
  }
  std::size_t allowed() const { return allowed_; }
  std::size_t refused() const { return refused_; }

  /// How many nodes have a set that was verified after that moment.
  std::size_t VerifiedSince(TimePoint moment) const;
  /// How many have one that has expired by now.
  std::size_t Expired() const;
  /// When the first set of any of them does; nullopt: none has one.
  std::optional<TimePoint> FirstExpiry() const;

 private:
  struct Try {
    Use use;
    std::chrono::milliseconds until;
    std::chrono::seconds back_off;
  };
  void Begin(std::size_t node, const Try& one);
  void Go(std::size_t node, const Try& one);
  void GoAgain(std::size_t node, Try one);

  VirtualTime& time_;
  Options options_;
  std::mt19937 random_{1};
  std::atomic<std::size_t> allowed_{0};
  std::atomic<std::size_t> refused_{0};
  /// By the node: whether it waits to try again.
  std::vector<std::atomic<bool>> waits_;
  std::vector<std::unique_ptr<TrustService>> services_;
};

}  // namespace crivet::trust
