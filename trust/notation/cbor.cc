// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/cbor.h"

#include <algorithm>

namespace crivet::trust::notation {
namespace {

constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxValues = 1024;

enum Major : std::uint8_t {
  kUnsigned = 0,
  kNegative = 1,
  kBytes = 2,
  kText = 3,
  kArray = 4,
  kMap = 5,
  kTag = 6,
};

tl::unexpected<SignatureError> Malformed(const char* detail) {
  return RefuseSignature(SignatureReason::kMalformed, std::string("CBOR: ") + detail);
}

bool IsUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t first = byte(i);
    std::size_t size = 1;
    std::uint32_t least = 0;
    std::uint32_t point = first;
    if (first >= 0xf0 && first < 0xf8) {
      size = 4, least = 0x10000, point = first & 0x07U;
    } else if (first >= 0xe0 && first < 0xf0) {
      size = 3, least = 0x800, point = first & 0x0fU;
    } else if (first >= 0xc0 && first < 0xe0) {
      size = 2, least = 0x80, point = first & 0x1fU;
    } else if (first >= 0x80) {
      return false;
    }
    if (size > text.size() - i) return false;
    for (std::size_t k = 1; k < size; ++k) {
      if ((byte(i + k) & 0xc0U) != 0x80) return false;
      point = point << 6 | (byte(i + k) & 0x3fU);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += size;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }

  SignatureResult<CborValue> Value(int depth) {
    if (depth > kMaxDepth) return Malformed("too deep");
    if (++count_ > kMaxValues) return Malformed("too many values");
    const auto head = Head();
    if (!head) return tl::unexpected(head.error());
    const auto [major, argument] = *head;
    switch (major) {
      case kUnsigned:
      case kNegative: {
        if (argument > INT64_MAX) return Malformed("an integer beyond 63 bits");
        const auto number = static_cast<std::int64_t>(argument);
        return CborValue{major == kUnsigned ? number : -1 - number};
      }
      case kBytes: {
        const auto bytes = Take(argument);
        if (!bytes) return tl::unexpected(bytes.error());
        return CborValue{CborValue::Bytes{*bytes}};
      }
      case kText: {
        const auto text = Take(argument);
        if (!text) return tl::unexpected(text.error());
        if (!IsUtf8(*text)) return Malformed("a text that is not UTF-8");
        return CborValue{CborValue::Text{*text}};
      }
      case kArray:
        return Array(argument, depth);
      case kMap:
        return Map(argument, depth);
      case kTag: {
        constexpr std::uint64_t kEpochTime = 1;
        constexpr std::uint64_t kCoseSign1 = 18;
        if (argument != kEpochTime && argument != kCoseSign1) return Malformed("another tag");
        auto value = Value(depth + 1);
        if (!value) return value;
        return CborValue{
            CborValue::Tagged{argument, std::make_shared<const CborValue>(*std::move(value))}};
      }
      default:
        return Malformed("a floating-point or simple value");
    }
  }

 private:
  struct HeadOf {
    std::uint8_t major;
    std::uint64_t argument;
  };

  // RFC 8949 3: the major type and its argument, in the shortest form alone (4.2.1).
  SignatureResult<HeadOf> Head() {
    constexpr std::uint8_t kArgumentBits = 0x1f;
    constexpr std::uint8_t kOneByte = 24;
    constexpr std::uint8_t kEightBytes = 27;
    if (rest_.empty()) return Malformed("it ends too early");
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    const std::uint8_t low = first & kArgumentBits;
    const auto major = static_cast<std::uint8_t>(first >> 5);
    if (low < kOneByte) return HeadOf{major, low};
    if (low > kEightBytes) return Malformed("an indefinite or reserved length");
    const std::size_t size = std::size_t{1} << (low - kOneByte);
    const auto bytes = Take(size);
    if (!bytes) return tl::unexpected(bytes.error());
    std::uint64_t argument = 0;
    for (const char byte : *bytes) argument = argument << 8 | static_cast<std::uint8_t>(byte);
    const std::uint64_t least = size == 1 ? kOneByte : std::uint64_t{1} << (size * 4);
    if (argument < least) return Malformed("a number that is not in its shortest form");
    return HeadOf{major, argument};
  }

  SignatureResult<std::string_view> Take(std::uint64_t size) {
    if (size > rest_.size()) return Malformed("it ends too early");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  SignatureResult<CborValue> Array(std::uint64_t size, int depth) {
    CborValue::Array array;
    for (std::uint64_t i = 0; i < size; ++i) {
      auto value = Value(depth + 1);
      if (!value) return value;
      array.push_back(*std::move(value));
    }
    return CborValue{std::move(array)};
  }

  SignatureResult<CborValue> Map(std::uint64_t size, int depth) {
    CborValue::Map map;
    for (std::uint64_t i = 0; i < size; ++i) {
      auto key = Value(depth + 1);
      if (!key) return key;
      CborValue::Key name;
      if (const auto number = key->AsInteger()) {
        name = *number;
      } else if (const auto text = key->AsText()) {
        name = CborValue::Text{*text};
      } else {
        return Malformed("a key that is neither integer nor text");
      }
      const bool twice =
          std::any_of(map.begin(), map.end(), [&](const auto& it) { return it.key == name; });
      if (twice) return Malformed("a key that stands there twice");
      auto value = Value(depth + 1);
      if (!value) return value;
      map.push_back({name, *std::move(value)});
    }
    return CborValue{std::move(map)};
  }

  std::string_view rest_;
  std::size_t count_ = 0;
};

void AppendHead(std::string& out, Major major, std::uint64_t argument) {
  constexpr std::uint8_t kOneByte = 24;
  const auto top = static_cast<std::uint8_t>(major << 5);
  if (argument < kOneByte) {
    out += static_cast<char>(top | argument);
    return;
  }
  std::uint8_t form = kOneByte;
  std::size_t size = 1;
  while (size < 8 && argument >> (size * 8) != 0) {
    size *= 2;
    ++form;
  }
  out += static_cast<char>(top | form);
  for (std::size_t i = size; i-- > 0;) out += static_cast<char>(argument >> (i * 8) & 0xff);
}

}  // namespace

std::optional<std::int64_t> CborValue::AsInteger() const {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<std::string_view> CborValue::AsBytes() const {
  const auto* bytes = std::get_if<Bytes>(&value);
  return bytes == nullptr ? std::nullopt : std::optional(bytes->bytes);
}

std::optional<std::string_view> CborValue::AsText() const {
  const auto* text = std::get_if<Text>(&value);
  return text == nullptr ? std::nullopt : std::optional(text->text);
}

SignatureResult<CborValue> ReadCbor(std::string_view bytes) {
  Reader reader(bytes);
  auto value = reader.Value(1);
  if (value && !reader.empty()) return Malformed("bytes behind the value");
  return value;
}

const CborValue* Member(const CborValue::Map& map, std::int64_t key) {
  for (const auto& [name, value] : map) {
    if (name == CborValue::Key(key)) return &value;
  }
  return nullptr;
}

const CborValue* Member(const CborValue::Map& map, std::string_view key) {
  for (const auto& [name, value] : map) {
    if (name == CborValue::Key(CborValue::Text{key})) return &value;
  }
  return nullptr;
}

void AppendCborBytes(std::string& out, std::string_view bytes) {
  AppendHead(out, kBytes, bytes.size());
  out.append(bytes);
}

void AppendCborText(std::string& out, std::string_view text) {
  AppendHead(out, kText, text.size());
  out.append(text);
}

void AppendCborArray(std::string& out, std::size_t size) { AppendHead(out, kArray, size); }

}  // namespace crivet::trust::notation
