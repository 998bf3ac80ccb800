// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "trust/notation/envelope.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

/// ParseCose reads a COSE envelope: kMalformed for what is none, kAlgorithm for an algorithm that
/// the specification does not have.
SignatureResult<Envelope> ParseCose(std::string_view bytes);

}  // namespace crivet::trust::notation
