// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace crivet::trust {

// Bytes of no fixed length travel as std::string and std::string_view; digests have types of their
// own. Every function here is pure and safe to call from any thread.

/// Sha256 is a raw SHA-256. Use Sha256Digest where the digest names an image.
using Sha256 = std::array<std::uint8_t, 32>;
using Sha512 = std::array<std::uint8_t, 64>;

/// AsBytes views text as bytes; the view lives as long as the text.
inline std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// ToHex writes lower-case hex, two digits a byte.
std::string ToHex(std::span<const std::uint8_t> bytes);

/// FromHex reads lower-case hex only: an identifier has one spelling. Nothing where the text has an
/// odd length or any other character.
std::optional<std::string> FromHex(std::string_view hex);

/// Sha256FromHex reads exactly 64 lower-case hex digits.
std::optional<Sha256> Sha256FromHex(std::string_view hex);

/// ToBase64 writes the standard alphabet with padding (RFC 4648 section 4).
std::string ToBase64(std::span<const std::uint8_t> bytes);

/// FromBase64 reads the standard alphabet, padding required. CR and LF are ignored wherever they
/// stand, as Go's decoder does. Stricter than Go in one point: unused bits before the padding must
/// be zero, so that the same bytes never come in two spellings; no encoder writes anything else.
std::optional<std::string> FromBase64(std::string_view text);

/// Sha256FromBase64 reads the base64 of exactly 32 bytes, by the same rules, without allocating.
std::optional<Sha256> Sha256FromBase64(std::string_view text);

/// Sha256Of and Sha512Of end the process if the crypto library cannot hash: there is no answer that
/// would be safe to go on with.
Sha256 Sha256Of(std::string_view bytes);
Sha512 Sha512Of(std::string_view bytes);

/// Sha256Stream hashes what comes in pieces, so that it need not be in memory at once. Ends the
/// process where the crypto library fails, as above. Not for several threads.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void Add(std::string_view bytes);
  /// Finish is the hash of all that was added. To be called once, last.
  Sha256 Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace crivet::trust
