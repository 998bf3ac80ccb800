// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust/tuf_publisher.h"
#include "trust/decide/kind.h"
#include "trust/decide/policy.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// What fleet_load is told.
struct FleetArguments {
  std::string kind = "notary";
  std::string url;
  std::string ca;
  std::string root;     ///< of Notary: its root.json
  std::string publish;  ///< of TUF: the folder that is served
  std::string image;
  std::string state;
  std::string hook;  ///< a program: `away`, `back`, `expire`
  std::size_t nodes = 10000;
  std::size_t clients = 8;
  std::vector<std::string> scenarios;
};

/// FleetUpstream is the real server of a fleet, with the rule under which the nodes ask it.
class FleetUpstream {
 public:
  static constexpr std::chrono::seconds kInterval{std::chrono::minutes{5}};

  /// Of TUF: publishes the first edition.
  explicit FleetUpstream(const FleetArguments& arguments);

  bool is_tuf() const { return arguments_.kind == "tuf"; }
  const TrustServer& settings() const { return settings_; }
  const std::shared_ptr<MetadataFetcher>& fetcher() const { return fetcher_; }
  std::shared_ptr<const Policy> MakePolicy() const;

  /// A timestamp of TUF that ends then, for who asks from now on.
  void Publish(TimePoint expires);
  /// Asks the hook.
  void Do(const std::string& what) const;

 private:
  NotaryRule NotarysRule() const;
  Rule TufRule() const;

  const FleetArguments& arguments_;
  TrustServer settings_;
  std::shared_ptr<MetadataFetcher> fetcher_;
  std::unique_ptr<TufPublisher> publisher_;
};

/// The machine's clock.
TimePoint MachineTime();

}  // namespace crivet::trust
