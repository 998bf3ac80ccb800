// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trust/decide/kind.h"
#include "trust/decide/policy.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// ServiceOptions is what a TrustService is made of.
struct ServiceOptions {
  enum class Refreshing : std::uint8_t { kInBackground, kOnlyWhenAsked };

  /// Of every trust that the rules and the state folder may name.
  Kinds kinds;
  std::string state_dir;
  std::vector<TrustServer> servers;
  std::shared_ptr<const Policy> policy;
  Refreshing refreshing = Refreshing::kInBackground;
  /// Phases the refreshes of a fleet (trust/RULES.md#load-on-the-server).
  std::string machine_id;
  /// What verified sets may take in memory, about. The least used leave it, never the disk.
  std::size_t max_resident_bytes = std::size_t{128} * 1024 * 1024;
  /// What evidence that can be had again may take on the disk, of all repositories together.
  std::size_t max_evidence_bytes = std::size_t{512} * 1024 * 1024;
  /// Asked where memory does not allow a name, before anybody else is: whether `then` will be
  /// called, on another thread, once files that the rules were read from and that have changed are
  /// in force (Reconfigure). Must not block. Empty: nobody watches them.
  std::function<bool(std::function<void()> then)> await_changed_files;
  /// One line for people each time something in the background deserves it; any thread.
  std::function<void(const std::string& line)> log;
};

}  // namespace crivet::trust
