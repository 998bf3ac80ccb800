// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust/tuf_publisher.h"
#include "tests/support/trust_io/virtual_time.h"
#include "trust/decide/kind.h"
#include "trust/decide/policy.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/http/server_silence.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// What fleet_load is told.
struct FleetArguments {
  std::string kind = "notary";
  std::string url;  ///< of Notary and TUF
  std::string ca;
  std::string root;     ///< of Notary: its root.json
  std::string publish;  ///< of TUF: the folder that is served
  std::string hosts;    ///< of a registry: the folder with its hosts.toml
  std::string key;      ///< of a registry: the public key of whoever signs
  std::string image;
  std::string digest;  ///< of a registry: of the image
  std::string state;
  std::string hook;  ///< a program: `away`, `back`, `expire`
  std::size_t nodes = 10000;
  std::size_t clients = 8;
  std::vector<std::string> scenarios;
};

/// RegistryClients ask image registries for many nodes, each for one request at a time, and keep
/// their connections. What a client has learned of a host that failed goes with it: that is a
/// node's, and of a node's time (NodeOfRegistry). Thread-safe; as many clients as ask at once.
class RegistryClients final : public MetadataFetcher {
 public:
  explicit RegistryClients(TrustServer settings) : settings_(std::move(settings)) {}
  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  const TrustServer settings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<MetadataFetcher>> idle_;
};

/// NodeOfRegistry is what a node knows of one registry: one that cannot be reached is not asked for
/// 30 s of the node's time (trust/RULES.md#asking-a-registry). Thread-safe.
class NodeOfRegistry final : public MetadataFetcher {
 public:
  NodeOfRegistry(const VirtualTime& time, std::shared_ptr<MetadataFetcher> clients)
      : time_(time), clients_(std::move(clients)) {}
  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  const VirtualTime& time_;
  const std::shared_ptr<MetadataFetcher> clients_;
  ServerSilence silence_;
};

/// FleetUpstream is the real server of a fleet, with the rule under which the nodes ask it.
class FleetUpstream {
 public:
  static constexpr std::chrono::seconds kInterval{std::chrono::minutes{5}};

  /// Of TUF: publishes the first edition.
  explicit FleetUpstream(const FleetArguments& arguments);

  bool is_tuf() const { return arguments_.kind == "tuf"; }
  bool is_registry() const { return arguments_.kind == "registry"; }
  const TrustServer& settings() const { return settings_; }
  const std::shared_ptr<MetadataFetcher>& fetcher() const { return fetcher_; }
  std::shared_ptr<const Policy> MakePolicy() const;

  /// A timestamp of TUF that ends then, for who asks from now on.
  void Publish(TimePoint expires);
  /// Asks the hook.
  void Do(const std::string& what) const;

 private:
  Rule OwnRule() const;
  NotaryRule NotarysRule() const;
  Rule RegistryRule() const;
  Rule TufRule() const;

  const FleetArguments& arguments_;
  TrustServer settings_;
  std::shared_ptr<MetadataFetcher> fetcher_;
  std::unique_ptr<TufPublisher> publisher_;
};

/// The machine's clock.
TimePoint MachineTime();

}  // namespace crivet::trust
