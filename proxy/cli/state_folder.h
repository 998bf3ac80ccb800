#pragma once

#include <memory>

#include "proxy/config.h"
#include "trust/io/trust_service.h"

namespace crivet::proxy::cli {

/// OpenTrust opens the state folder for one command; null, with the reason on stderr, where it
/// cannot be. Safe beside a running daemon.
std::unique_ptr<trust::TrustService> OpenTrust(const Config& config);

}  // namespace crivet::proxy::cli
