// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "trust/notation/chain_memory.h"
#include "trust/notation/envelope.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

inline constexpr std::string_view kJwsMediaType = "application/jose+json";
inline constexpr std::string_view kCoseMediaType = "application/cose";

/// ParseEnvelope reads a signature by the media type of its layer. kMalformed for another type.
/// Certificates that `known` keeps are taken from there; it may be null.
SignatureResult<Envelope> ParseEnvelope(std::string_view media_type, std::string_view bytes,
                                        const ChainMemory* known = nullptr);

}  // namespace crivet::trust::notation
