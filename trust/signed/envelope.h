// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/signed/json.h"
#include "trust/signed/public_key.h"

namespace crivet::trust {

/// Signature is one entry of a file's `signatures`: a claim until somebody checks it.
struct Signature {
  KeyId key_id;
  std::string method;
  std::string bytes;
};

/// Envelope is a metadata file whose shape is right and whose content nobody has vouched for yet:
/// `{"signed": {…}, "signatures": […]}` (trust/notary/FORMAT.md#envelopes). The signed bytes are
/// the canonical form of the same document that the meaning is read from, so the two cannot differ.
/// Immutable.
class Envelope {
 public:
  /// kMalformed for anything but the shape above; other members beside the two are ignored, which
  /// is safe because nothing reads them (Cure53 TUF-01-001).
  static Result<Envelope> Parse(std::string_view file, std::size_t max_bytes, const Limits& limits);

  /// The object under `signed`; valid as long as the envelope.
  JsonValue content() const { return content_; }
  /// What signatures cover: the canonical form of content().
  const SignedBytes& signed_bytes() const { return signed_bytes_; }
  /// In the order of the file; those whose key ID no key can have are left out.
  const std::vector<Signature>& signatures() const { return signatures_; }

 private:
  Envelope(JsonDocument document, JsonValue content, std::vector<Signature> signatures);

  JsonDocument document_;
  JsonValue content_;
  SignedBytes signed_bytes_;
  std::vector<Signature> signatures_;
};

}  // namespace crivet::trust
