// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trust/decide/kind.h"

namespace crivet::trust {

/// DescribeRoot tells people of a root.json that nobody has vouched for, as Kind::DescribeAnchor
/// says.
Result<AnchorText> DescribeRoot(const std::string& root_json, const CollectionId& id,
                                const std::string& image, const std::string& trust, TimePoint now);

}  // namespace crivet::trust
