// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/state_folder.h"

#include "proxy/cli/subcommand.h"
#include "proxy/daemon/daemon_rights.h"
#include "trust/kinds.h"

namespace crivet::proxy::cli {

std::unique_ptr<trust::TrustService> OpenTrust(const Config& config, Rights rights) {
  if (rights == Rights::kDaemons) {
    if (const auto taken = TakeDaemonRights(config); !taken) {
      PrintToStderr("crivet: " + taken.error().detail);
      return nullptr;
    }
  }
  trust::TrustService::Options options;
  options.kinds = trust::AllKinds();
  options.state_dir = config.state_dir;
  options.servers = config.servers;
  options.policy = config.policy;
  options.refreshing = trust::TrustService::Refreshing::kOnlyWhenAsked;
  // What a refresh ran into is part of the explanation, so the service's own lines are not wanted.
  options.log = [](const std::string&) {};
  auto service = trust::TrustService::Create(std::move(options));
  if (service) return std::move(*service);
  PrintToStderr("crivet: " + config.state_dir + ": " + service.error().detail);
  return nullptr;
}

}  // namespace crivet::proxy::cli
