// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <set>

#include "trust/base/reason.h"
#include "trust/decide/collection_id.h"
#include "trust/io/http/arrival.h"

namespace crivet::trust {

/// ServerSilence knows whether a whole server says nothing, so that pulls do not wait it out one
/// name after the other. It does where it cannot be connected to, or two different repositories had
/// no first byte of an answer in time (the only one, where the node has no other there): one name
/// alone may be slow for a reason of its own, and whoever made it up must not silence the server
/// for others. The first byte to anybody ends it. Thread-safe.
class ServerSilence {
 public:
  /// Since boot, as a refresh is timed.
  using Time = std::chrono::milliseconds;
  /// How long pulls do not wait for a server that is silent.
  static constexpr std::chrono::seconds kHeldBack{30};

  /// A byte of an answer came.
  void NoteAnswer(Time now);

  enum class Company : std::uint8_t {
    kOthersThere,  ///< the node has other repositories on that server
    kAlone,
  };
  /// A request for `repository` that began at `began` failed. Does nothing where that says nothing
  /// of the server, or the server has answered somebody since.
  void NoteFailure(Heard heard, NetworkCause cause, const CollectionId& repository, Time began,
                   Time now, Company company);

  /// Why pulls must not wait for the server now; nullopt where they may.
  std::optional<NetworkCause> HeldBackBy(Time now) const;

  /// Whether one request that nobody waits for may find out if the server is back: one at a time.
  /// Otherwise a server that is silent for a stranger's names would stay so for everybody.
  bool TakeProbe(Time now, std::chrono::milliseconds lasts);

 private:
  mutable std::mutex mutex_;
  std::optional<Time> answered_;
  std::set<CollectionId> unheard_;
  NetworkCause cause_ = NetworkCause::kUnreachable;
  std::optional<Time> held_until_;
  Time probed_until_{0};
};

}  // namespace crivet::trust
