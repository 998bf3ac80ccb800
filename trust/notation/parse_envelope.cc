// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/parse_envelope.h"

#include "trust/notation/cose.h"
#include "trust/notation/jws.h"

namespace crivet::trust::notation {

SignatureResult<Envelope> ParseEnvelope(std::string_view media_type, std::string_view bytes) {
  if (media_type == kJwsMediaType) return ParseJws(bytes);
  if (media_type == kCoseMediaType) return ParseCose(bytes);
  return RefuseSignature(SignatureReason::kMalformed, "an envelope of a type that is not known");
}

}  // namespace crivet::trust::notation
