// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/parse_envelope.h"

#include "trust/notation/cose.h"
#include "trust/notation/jws.h"

namespace crivet::trust::notation {

SignatureResult<Envelope> ParseEnvelope(std::string_view media_type, std::string_view bytes,
                                        const ChainMemory* known) {
  if (media_type == kJwsMediaType) return ParseJws(bytes, known);
  if (media_type == kCoseMediaType) return ParseCose(bytes, known);
  return RefuseSignature(SignatureReason::kMalformed, "an envelope of a type that is not known");
}

}  // namespace crivet::trust::notation
