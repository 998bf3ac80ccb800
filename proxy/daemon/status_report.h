// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/daemon/local_review.h"
#include "proxy/gate/node_review.h"
#include "proxy/road/road_counters.h"
#include "proxy/runtime/runtime_facts.h"
#include "proxy/watch/rule_counters.h"
#include "trust/io/service/trust_service.h"

namespace crivet::admin::v1 {
class JudgedImage;
class StatusResponse;
}  // namespace crivet::admin::v1

namespace crivet::proxy {

/// StatusSnapshot is everything that `crivet status` shows, taken at one moment.
struct StatusSnapshot {
  trust::TimePoint now;
  trust::TimePoint started;
  std::string config_file;
  trust::TimePoint config_loaded;
  /// Why the newest configuration was not taken; empty where it was.
  std::string config_problem;
  std::shared_ptr<const Config> config;
  std::shared_ptr<const RuleCounters> rules;
  RoadSnapshot road;
  trust::ServiceStatus trust;
  Place place;
  std::string socket;  ///< where crivet listens
  /// Images that the runtime holds; empty where it does not tell.
  std::optional<std::uint64_t> images;
  /// What the runtime says of itself, or why it does not: an error as AskRuntime's.
  trust::Result<RuntimeFacts> runtime;
  /// Of the last look at the images here; nothing before.
  std::optional<UnverifiedLocal> unverified_local = std::nullopt;
  /// The decision on the sandbox image, where its name is known.
  std::optional<trust::Decision> sandbox;
};

/// SandboxImageName is the image that sandboxes are made of, by configuration or by the runtime's
/// word; empty where neither tells.
std::string SandboxImageName(const StatusSnapshot& snapshot);

/// DegradedStates is one short line for each thing that is not as it should be. In audit mode an
/// image that would be refused is none: everything works as it should. Pure.
std::vector<std::string> DegradedStates(const StatusSnapshot& snapshot);

/// ReportStatus fills the admin service's answer. Pure.
void ReportStatus(const StatusSnapshot& snapshot, admin::v1::StatusResponse& response);

/// ReportRefused fills one message of WouldRefuse, ReportLookedAt its last one. Pure.
void ReportRefused(const WouldBeRefused& refused, admin::v1::JudgedImage& image);
void ReportLookedAt(const NodeInventory& inventory, admin::v1::JudgedImage& image);

}  // namespace crivet::proxy
