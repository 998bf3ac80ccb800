// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

/// CborValue is one value of the part of CBOR (RFC 8949) that COSE signatures of images need:
/// integers, byte and text strings, arrays, maps with integers or texts as keys, and tags. Texts
/// and bytes are views of what was read.
struct CborValue {
  struct Bytes {
    std::string_view bytes;
    friend bool operator==(const Bytes&, const Bytes&) = default;
  };
  struct Text {
    std::string_view text;
    friend bool operator==(const Text&, const Text&) = default;
  };
  using Array = std::vector<CborValue>;
  using Key = std::variant<std::int64_t, Text>;
  struct Entry;
  using Map = std::vector<Entry>;
  struct Tagged {
    std::uint64_t tag = 0;
    std::shared_ptr<const CborValue> value;
  };
  std::variant<std::int64_t, Bytes, Text, Array, Map, Tagged> value;

  std::optional<std::int64_t> AsInteger() const;
  std::optional<std::string_view> AsBytes() const;
  std::optional<std::string_view> AsText() const;
  const Array* AsArray() const { return std::get_if<Array>(&value); }
  const Map* AsMap() const { return std::get_if<Map>(&value); }
  const Tagged* AsTagged() const { return std::get_if<Tagged>(&value); }
};

/// Entry is one of a map: its own key, no other entry's.
struct CborValue::Entry {
  Key key;
  CborValue value;
};

/// ReadCbor reads exactly one value. kMalformed for everything that could be written in a second
/// way or that this part leaves out: indefinite lengths, lengths and integers that are not in their
/// shortest form, a map that has a key twice, floating point, simple values, tags but 1 and 18,
/// text that is not UTF-8, more than 8 levels or 1024 values, bytes behind the value. Takes memory
/// for what is there, never for what a length claims.
SignatureResult<CborValue> ReadCbor(std::string_view bytes);

/// The member of a map with that key; null where there is none.
const CborValue* Member(const CborValue::Map& map, std::int64_t key);
const CborValue* Member(const CborValue::Map& map, std::string_view key);

/// AppendCborBytes and AppendCborText write one string, AppendCborArray the head of an array.
void AppendCborBytes(std::string& out, std::string_view bytes);
void AppendCborText(std::string& out, std::string_view text);
void AppendCborArray(std::string& out, std::size_t size);

}  // namespace crivet::trust::notation
