// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::sigstore {

/// LogEntry is an entry of a transparency log with what proves it (protobuf-specs,
/// TransparencyLogEntry). Nothing of it is verified.
struct LogEntry {
  struct Proof {
    std::uint64_t index = 0;
    std::uint64_t tree_size = 0;
    std::string root_hash;
    std::vector<std::string> hashes;
    std::string checkpoint;  ///< a signed note; empty where there is none
  };
  std::uint64_t index = 0;
  std::string log_id;
  std::string kind;
  std::string version;
  std::optional<TimePoint> integrated;
  std::string promise;  ///< the signed entry timestamp; empty where there is none
  std::optional<Proof> proof;
  std::string body;
};

/// Envelope is a DSSE envelope with its one signature (in-toto, DSSE 1.0).
struct Envelope {
  std::string payload_type;
  std::string payload;
  std::string signature;

  /// What the signature covers: the pre-authentication encoding.
  std::string Signed() const;
};

/// MessageSignature signs bytes that are not in the bundle.
struct MessageSignature {
  std::string digest;  ///< as the bundle says; empty where it does not
  std::string signature;
};

/// Bundle is a sigstore bundle, 0.1 to 0.3, as it stands in its file (protobuf-specs, Bundle).
/// Nothing of it is verified.
struct Bundle {
  static constexpr std::size_t kMaxSize = 1024 * 1024;
  static constexpr std::size_t kMaxLogEntries = 32;
  static constexpr std::size_t kMaxTimestamps = 32;

  enum class Version : std::uint8_t { k01, k02, k03 };
  /// A hint at a key; the leaf of a chain otherwise.
  struct KeyHint {
    std::string hint;
  };

  Version version;
  std::variant<KeyHint, Certificate> material;
  std::vector<LogEntry> log_entries;
  std::vector<std::string> timestamps;  ///< RFC 3161 responses
  std::variant<Envelope, MessageSignature> content;

  /// Parse is kMalformed for everything that is not exactly one of those versions, unknown members
  /// included.
  static SignatureResult<Bundle> Parse(std::string_view json);
};

}  // namespace crivet::trust::sigstore
