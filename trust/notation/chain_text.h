// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/kind.h"
#include "trust/registry_bound/signature_bytes.h"

namespace crivet::trust::notation {

/// DescribeSigners says whose certificates are in the signatures of an image, and the rule that
/// would believe those of them that hold together. Nobody has vouched for any. kUnsigned where none
/// does.
Result<AnchorText> DescribeSigners(const std::vector<registry_bound::SignatureBytes>& signatures,
                                   const Sha256Digest& image, const std::string& repository,
                                   const std::string& trust, TimePoint now);

}  // namespace crivet::trust::notation
