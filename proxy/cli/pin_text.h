// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "proxy/cli/collection.h"
#include "trust/base/result.h"

namespace crivet::proxy::cli {

/// PinText is what `crivet pin` says of a root that nobody has vouched for yet.
struct PinText {
  /// Who it is: for people to compare, on stderr.
  std::vector<std::string> who;
  /// The rule to paste, on stdout.
  std::vector<std::string> rule;
};

/// DescribeRoot reads root.json as it was fetched. kMalformed where it is none; kSignature or
/// kThreshold where it does not verify by its own keys: such a root must not be pinned. Pure.
trust::Result<PinText> DescribeRoot(const std::string& root_json, const Collection& collection,
                                    const std::string& repository, trust::TimePoint now);

}  // namespace crivet::proxy::cli
