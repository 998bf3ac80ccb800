// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "proxy/cli/commands.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy::cli {

enum class Output : unsigned char { kForPeople, kJson };

/// What of files that take longer than a server's `timeout` but arrive, which a daemon would go on
/// fetching: a command that ends takes its download along.
enum class LargeFiles : unsigned char { kLeave, kAwait };

/// What `verify` and `warm` are asked.
struct JudgeOptions {
  std::string config_file;
  std::vector<std::string> images;
  /// Empty: as every namespace that makes a difference.
  std::string pod_namespace;
  trust::Question::Reach reach = trust::Question::Reach::kForce;
  Output output = Output::kForPeople;
  LargeFiles large_files = LargeFiles::kLeave;
};

/// JudgeImages decides on each image as the daemon would, without needing one: it reads and updates
/// the state folder itself. Several are asked about side by side and answered in their order.
/// Pinned names go to stdout, explanations to stderr; the worst verdict is the exit.
Exit JudgeImages(const JudgeOptions& options);

}  // namespace crivet::proxy::cli
