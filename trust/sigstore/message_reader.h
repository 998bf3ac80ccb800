// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/time.h"
#include "trust/signed/json.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::sigstore {

/// MessageReader reads one object of protobuf's JSON form (ProtoJSON): members by their lowerCamel
/// names, `null` as if it were not there, 64-bit numbers as text or number, bytes in either base64
/// alphabet with or without padding. A view: lives no longer than the document. Every error is
/// kMalformed and names the member.
class MessageReader {
 public:
  /// Closed refuses members that are not named. Open passes over them.
  static SignatureResult<MessageReader> Closed(JsonValue value, std::string_view what,
                                               std::initializer_list<std::string_view> members);
  static SignatureResult<MessageReader> Open(JsonValue value, std::string_view what);

  /// Has: there, and not null.
  bool Has(std::string_view name) const { return Find(name).has_value(); }
  std::optional<JsonValue> Find(std::string_view name) const;
  /// Get fails where the member is not there.
  SignatureResult<JsonValue> Get(std::string_view name) const;
  SignatureResult<std::string> Text(std::string_view name) const;
  SignatureResult<std::string> Bytes(std::string_view name) const;
  /// A number from 0.
  SignatureResult<std::uint64_t> Number(std::string_view name) const;
  /// The elements of an array; none where it is not there. More than `most` is an error.
  SignatureResult<std::vector<JsonValue>> List(std::string_view name, std::size_t most) const;
  SignatureResult<std::optional<TimePoint>> Time(std::string_view name) const;

  tl::unexpected<SignatureError> Wrong(std::string_view name, std::string_view how) const;

 private:
  MessageReader(JsonValue value, std::string_view what) : value_(value), what_(what) {}
  JsonValue value_;
  std::string what_;
};

/// BytesOf reads base64 of either alphabet, padded or not; nothing else, no white space.
std::optional<std::string> BytesOf(std::string_view base64);

}  // namespace crivet::trust::sigstore
