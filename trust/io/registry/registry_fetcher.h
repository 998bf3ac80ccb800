// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "trust/io/http/asker.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/registry/registry_connection.h"
#include "trust/io/registry/signature_folder.h"

namespace crivet::trust {

/// RegistryFetcher answers what a kind asks of image registries (RegistryRequest): it asks the
/// hosts that the runtime would ask, in that order, hashes what is named by a digest before anybody
/// reads it, and tells "there is none" from "nobody could say" (trust/RULES.md#asking-a-registry).
/// What a registry says of the time counts for nothing, for a pod chooses whom to ask. Thread-safe.
class RegistryFetcher final : public MetadataFetcher {
 public:
  /// Of `settings` count registry_config, bundles, auth, auth_hosts, docker_config and proxy.
  /// `loose` is what lies in bundles by itself. `note` gets lines for people.
  RegistryFetcher(TrustServer settings, std::function<void(const std::string&)> note,
                  std::vector<Kind::LooseSignature> loose = {});

  /// kNotFound only where the last host has answered that there is none. Fails as kNetwork where
  /// nothing was asked of a registry.
  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  Fetched FetchFrom(const FileRequest& request, const Terms& terms);
  /// Kept from earlier where there is one to the very same host.
  tl::expected<std::shared_ptr<RegistryConnection>, FetchFailure> ConnectionTo(
      const HostToAsk& host);

  const TrustServer settings_;
  const std::function<void(const std::string&)> note_;
  SignatureFolder folder_;

  std::mutex mutex_;
  /// The latest used last.
  std::vector<std::shared_ptr<RegistryConnection>> connections_;
};

}  // namespace crivet::trust
