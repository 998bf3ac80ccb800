// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/demand.h"
#include "trust/decide/policy.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/http/pull_secret.h"
#include "trust/io/http/server_silence.h"
#include "trust/io/http/token_silence.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// ServerSetup is one server of the configuration with the way to ask it.
struct ServerSetup {
  TrustServer server;
  std::shared_ptr<MetadataFetcher> fetcher;
  std::shared_ptr<ServerSilence> silence = std::make_shared<ServerSilence>();
  std::shared_ptr<TokenSilence> token_silence = std::make_shared<TokenSilence>();
  /// Of whoever has the files that other trusts read (FileRequest::Below).
  std::shared_ptr<ServerSilence> files_silence = std::make_shared<ServerSilence>();

  Limits limits() const;
};

/// ServiceSetup is a configuration in force. Immutable; safe to share between threads.
class ServiceSetup {
 public:
  using MakeFetcher =
      std::function<Result<std::shared_ptr<MetadataFetcher>>(const TrustServer& server)>;

  /// Servers that did not change since `before` keep their connections and tokens. Fails where a
  /// server cannot be asked at all.
  static Result<std::shared_ptr<const ServiceSetup>> Create(const std::vector<TrustServer>& servers,
                                                            std::shared_ptr<const Policy> policy,
                                                            const MakeFetcher& make_fetcher,
                                                            const ServiceSetup* before);

  /// The same servers under other rules.
  std::shared_ptr<const ServiceSetup> With(std::shared_ptr<const Policy> policy) const;

  const Policy& policy() const { return *policy_; }
  const std::shared_ptr<const Policy>& shared_policy() const { return policy_; }
  std::size_t server_count() const { return servers_.size(); }

  /// Null where no server has that label.
  std::shared_ptr<const ServerSetup> Server(const std::string& label) const;
  /// The server through which a collection is refreshed without anybody asking: that of the first
  /// rule which reads it, else any with its URL, or that asks every registry. Null where there is
  /// none.
  std::shared_ptr<const ServerSetup> ServerOf(const CollectionId& id) const;

  /// What may be sent of `secret` through `server` when it is asked for a collection and no pull
  /// waits: what some rule of today lets go there.
  SharedCredentials Granted(const PullSecret& secret, const ServerSetup& server,
                            const CollectionId& id) const;

  /// Whether some rule names that registry, so that nobody who runs pods made it up.
  bool NamesRegistry(const std::string& host) const;

  /// What all rules together want of a collection; empty where none reads it.
  Demands DemandsOn(const CollectionId& id) const { return policy_->DemandsOn(id); }

 private:
  ServiceSetup() = default;
  std::shared_ptr<const Policy> policy_;
  std::map<std::string, std::shared_ptr<const ServerSetup>> servers_;
};

/// Whether two lists of demands want the same, whatever their order.
bool SameDemands(const Demands& a, const Demands& b);

}  // namespace crivet::trust
