// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/message_reader.h"

#include <algorithm>
#include <charconv>

#include "trust/base/bytes.h"

namespace crivet::trust::sigstore {

std::optional<std::string> BytesOf(std::string_view base64) {
  std::string standard(base64);
  // FromBase64 passes over line ends, which this form does not have.
  if (standard.find_first_of("\r\n") != std::string::npos) return std::nullopt;
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  if (!standard.ends_with('=')) standard.append((4 - standard.size() % 4) % 4, '=');
  return FromBase64(standard);
}

SignatureResult<MessageReader> MessageReader::Open(JsonValue value, std::string_view what) {
  if (value.type() != JsonType::kObject) {
    return RefuseSignature(SignatureReason::kMalformed, std::string(what) + " is not an object");
  }
  return MessageReader(value, what);
}

SignatureResult<MessageReader> MessageReader::Closed(
    JsonValue value, std::string_view what, std::initializer_list<std::string_view> members) {
  auto reader = Open(value, what);
  if (!reader) return reader;
  const auto object = value.AsObject();
  for (const JsonMember member : *object) {
    if (std::find(members.begin(), members.end(), member.name) == members.end()) {
      return RefuseSignature(SignatureReason::kMalformed,
                             std::string(what) + " has an unknown member");
    }
  }
  return reader;
}

tl::unexpected<SignatureError> MessageReader::Wrong(std::string_view name,
                                                    std::string_view how) const {
  return RefuseSignature(SignatureReason::kMalformed,
                         std::string(what_).append(": ").append(name).append(" ").append(how));
}

std::optional<JsonValue> MessageReader::Find(std::string_view name) const {
  const auto member = value_.Find(name);
  if (!member || member->type() == JsonType::kNull) return std::nullopt;
  return member;
}

SignatureResult<JsonValue> MessageReader::Get(std::string_view name) const {
  const auto member = Find(name);
  if (!member) return Wrong(name, "is missing");
  return *member;
}

SignatureResult<std::string> MessageReader::Text(std::string_view name) const {
  const auto member = Get(name);
  if (!member) return tl::unexpected(member.error());
  const auto text = member->AsString();
  if (!text) return Wrong(name, "is not a text");
  return std::string(*text);
}

SignatureResult<std::string> MessageReader::Bytes(std::string_view name) const {
  auto text = Text(name);
  if (!text) return text;
  auto bytes = BytesOf(*text);
  if (!bytes) return Wrong(name, "is not base64");
  return *std::move(bytes);
}

SignatureResult<std::uint64_t> MessageReader::Number(std::string_view name) const {
  const auto member = Get(name);
  if (!member) return tl::unexpected(member.error());
  if (const auto number = member->AsInteger()) {
    if (*number < 0) return Wrong(name, "is negative");
    return static_cast<std::uint64_t>(*number);
  }
  const auto text = member->AsString();
  std::uint64_t number = 0;
  if (!text || text->empty()) return Wrong(name, "is not a number");
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  // Merkle trees and times stay below 2^63 wherever anybody else reads them.
  if (error != std::errc() || end != text->data() + text->size() || number > INT64_MAX) {
    return Wrong(name, "is not a number from 0 to 2^63 - 1");
  }
  return number;
}

SignatureResult<std::vector<JsonValue>> MessageReader::List(std::string_view name,
                                                            std::size_t most) const {
  std::vector<JsonValue> values;
  const auto member = Find(name);
  if (!member) return values;
  const auto elements = member->AsArray();
  if (!elements) return Wrong(name, "is not a list");
  for (const JsonValue element : *elements) {
    if (values.size() == most) return Wrong(name, "is too long");
    values.push_back(element);
  }
  return values;
}

SignatureResult<std::optional<TimePoint>> MessageReader::Time(std::string_view name) const {
  if (!Has(name)) return std::optional<TimePoint>();
  const auto text = Text(name);
  if (!text) return tl::unexpected(text.error());
  const auto time = ParseRfc3339(*text);
  if (!time) return Wrong(name, "is not a time");
  return std::optional(*time);
}

}  // namespace crivet::trust::sigstore
