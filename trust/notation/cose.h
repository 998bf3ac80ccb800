// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "trust/notation/chain_memory.h"
#include "trust/notation/envelope.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

/// ParseCose reads a COSE envelope: kMalformed for what is none, kAlgorithm for an algorithm that
/// the specification does not have.
SignatureResult<Envelope> ParseCose(std::string_view bytes, const ChainMemory* known = nullptr);

}  // namespace crivet::trust::notation
