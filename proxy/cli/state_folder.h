// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "proxy/config/config.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy::cli {

/// Rights are with whose a command works in the state folder.
enum class Rights : std::uint8_t {
  kDaemons,  ///< TakeDaemonRights
  kOwn,      ///< for who has to read elsewhere too; the store follows no link (FileSystem)
};

/// OpenTrust opens the state folder for one command; null, with the reason on stderr, where it
/// cannot be. Safe beside a running daemon.
std::unique_ptr<trust::TrustService> OpenTrust(const Config& config,
                                               Rights rights = Rights::kDaemons);

}  // namespace crivet::proxy::cli
