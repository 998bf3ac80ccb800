// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_setup.h"

#include <algorithm>
#include <set>
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

std::shared_ptr<const ServerSetup> ServiceSetup::Server(const std::string& label) const {
  const auto found = servers_.find(label);
  return found == servers_.end() ? nullptr : found->second;
}

std::shared_ptr<const ServerSetup> ServiceSetup::ServerOf(const RepositoryId& id) const {
  for (const std::shared_ptr<const Rule>& rule : policy_->rules()) {
    if (!policy_->MayRead(*rule, id)) continue;
    if (std::shared_ptr<const ServerSetup> server = Server(rule->trust)) return server;
  }
  const auto same_url = std::find_if(servers_.begin(), servers_.end(), [&](const auto& entry) {
    return entry.second->server.url == id.url;
  });
  return same_url == servers_.end() ? nullptr : same_url->second;
}

SharedCredentials ServiceSetup::Granted(const PullSecret& secret, const ServerSetup& server,
                                        const RepositoryId& id) const {
  if (server.server.auth != TrustServer::Auth::kFromPull) return nullptr;
  for (const std::shared_ptr<const Rule>& rule : policy_->rules()) {
    if (rule->trust != server.server.label || !policy_->MayRead(*rule, id)) continue;
    if (SharedCredentials granted = secret.For(*rule, id.gun)) return granted;
  }
  return nullptr;
}

Reading ServiceSetup::ReadingOf(const RepositoryId& id) const {
  Reading reading;
  std::set<RoleName> roles{RoleName::Targets()};
  for (const std::shared_ptr<const Rule>& rule : policy_->rules()) {
    if (!policy_->MayRead(*rule, id)) continue;
    if (std::find(reading.pins.begin(), reading.pins.end(), rule->root) == reading.pins.end()) {
      reading.pins.push_back(rule->root);
    }
    for (RoleName& role : rule->RolesRead()) roles.insert(std::move(role));
    reading.grace = std::max(reading.grace, rule->grace);
  }
  reading.roles.assign(roles.begin(), roles.end());
  return reading;
}

}  // namespace crivet::trust
