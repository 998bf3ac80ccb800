// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_setup.h"

#include <algorithm>
#include <utility>

namespace crivet::trust {

Limits ServerSetup::limits() const {
  Limits limits;
  limits.targets_bytes = server.max_targets_size;
  return limits;
}

Result<std::shared_ptr<const ServiceSetup>> ServiceSetup::Create(
    const std::vector<TrustServer>& servers, std::shared_ptr<const Policy> policy,
    const MakeFetcher& make_fetcher, const ServiceSetup* before) {
  std::shared_ptr<ServiceSetup> setup(new ServiceSetup());
  setup->policy_ = std::move(policy);
  for (const TrustServer& server : servers) {
    std::shared_ptr<const ServerSetup> known = before ? before->Server(server.label) : nullptr;
    if (!known || known->server != server) {
      Result<std::shared_ptr<MetadataFetcher>> fetcher = make_fetcher(server);
      if (!fetcher) return tl::unexpected(std::move(fetcher.error()));
      known = std::make_shared<const ServerSetup>(ServerSetup{server, *std::move(fetcher)});
    }
    setup->servers_.emplace(server.label, std::move(known));
  }
  return std::shared_ptr<const ServiceSetup>(std::move(setup));
}

std::shared_ptr<const ServiceSetup> ServiceSetup::With(std::shared_ptr<const Policy> policy) const {
  std::shared_ptr<ServiceSetup> setup(new ServiceSetup(*this));
  setup->policy_ = std::move(policy);
  return setup;
}

std::shared_ptr<const ServerSetup> ServiceSetup::Server(const std::string& label) const {
  const auto found = servers_.find(label);
  return found == servers_.end() ? nullptr : found->second;
}

std::shared_ptr<const ServerSetup> ServiceSetup::ServerOf(const CollectionId& id) const {
  for (const Policy::Reader& reader : policy_->ReadersOf(id)) {
    if (std::shared_ptr<const ServerSetup> server = Server(reader.member->trust)) return server;
  }
  const auto same_url = std::find_if(servers_.begin(), servers_.end(), [&](const auto& entry) {
    const TrustServer& server = entry.second->server;
    return server.kind == id.kind && (server.url == id.url || server.url.empty());
  });
  return same_url == servers_.end() ? nullptr : same_url->second;
}

SharedCredentials ServiceSetup::Granted(const PullSecret& secret, const ServerSetup& server,
                                        const CollectionId& id) const {
  if (server.server.auth != TrustServer::Auth::kFromPull) return nullptr;
  for (const Policy::Reader& reader : policy_->ReadersOf(id)) {
    if (reader.member->trust != server.server.label) continue;
    if (SharedCredentials granted = secret.For(*reader.rule, *reader.member, id.name)) {
      return granted;
    }
  }
  return nullptr;
}

bool ServiceSetup::NamesRegistry(const std::string& host) const {
  const auto& rules = policy_->rules();
  return std::any_of(rules.begin(), rules.end(), [&host](const auto& rule) {
    return std::any_of(rule->images.begin(), rule->images.end(),
                       [&host](const auto& pattern) { return RegistryNamedBy(pattern) == host; });
  });
}

bool SameDemands(const Demands& a, const Demands& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const SharedDemand& one) {
           return std::any_of(b.begin(), b.end(),
                              [&](const SharedDemand& other) { return other->Equals(*one); });
         });
}

}  // namespace crivet::trust
