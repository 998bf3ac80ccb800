// SPDX-License-Identifier: Apache-2.0
#include "trust/base/bytes.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace crivet::trust {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNotADigit = 0xff;
constexpr std::uint8_t kPadding = 0xfe;
constexpr std::uint8_t kLineBreak = 0xfd;

constexpr std::array<std::uint8_t, 256> MakeBase64Values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNotADigit;
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kBase64Digits[i])] = i;
  values['='] = kPadding;
  values['\r'] = kLineBreak;
  values['\n'] = kLineBreak;
  return values;
}
constexpr auto kBase64Values = MakeBase64Values();

// A table, like the other: which of two ranges a digit of a hash is in, no processor can guess.
constexpr std::array<std::int8_t, 256> MakeHexValues() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < 10; ++i) values['0' + i] = static_cast<std::int8_t>(i);
  for (std::size_t i = 0; i < 6; ++i) values['a' + i] = static_cast<std::int8_t>(10 + i);
  return values;
}
constexpr auto kHexValues = MakeHexValues();

constexpr int HexValue(char c) { return kHexValues[static_cast<unsigned char>(c)]; }

// Decodes into `out`, which holds `capacity` bytes. The number of bytes written, or nothing where
// the text is not base64 or holds more than fits.
std::optional<std::size_t> DecodeBase64(std::string_view text, std::uint8_t* out,
                                        std::size_t capacity) {
  std::uint32_t bits = 0;  // the digits of the group so far
  int digits = 0;          // 0-3 digits of the current group
  int padding = 0;
  std::size_t size = 0;
  const auto put = [&](std::uint32_t byte) {
    if (size == capacity) return false;
    out[size++] = static_cast<std::uint8_t>(byte & 0xff);
    return true;
  };
  // Whole groups first, which is nearly all of every text; what is no digit is left to the loop
  // below.
  const auto value_at = [&](std::size_t i) -> std::uint32_t {
    return kBase64Values[static_cast<unsigned char>(text[i])];
  };
  while (text.size() >= 4 && capacity - size >= 3) {
    const std::uint32_t a = value_at(0), b = value_at(1), c = value_at(2), d = value_at(3);
    if ((a | b | c | d) >= 64) break;
    const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
    out[size++] = static_cast<std::uint8_t>(group >> 16);
    out[size++] = static_cast<std::uint8_t>(group >> 8 & 0xff);
    out[size++] = static_cast<std::uint8_t>(group & 0xff);
    text.remove_prefix(4);
  }
  for (const char c : text) {
    const std::uint8_t value = kBase64Values[static_cast<unsigned char>(c)];
    if (value == kLineBreak) continue;
    if (value == kNotADigit) return std::nullopt;
    if (value == kPadding) {
      // Padding completes a group of two or three digits and ends the text.
      if (++padding + digits > 4 || digits < 2) return std::nullopt;
      continue;
    }
    if (padding != 0) return std::nullopt;
    bits = (bits << 6) | value;
    if (++digits == 4) {
      if (!put(bits >> 16) || !put(bits >> 8) || !put(bits)) return std::nullopt;
      bits = 0;
      digits = 0;
    }
  }
  if (digits == 0) return padding == 0 ? std::optional(size) : std::nullopt;
  if (digits + padding != 4) return std::nullopt;
  if (digits == 2) {
    if ((bits & 0xf) != 0 || !put(bits >> 4)) return std::nullopt;
  } else {
    if ((bits & 0x3) != 0 || !put(bits >> 10) || !put(bits >> 2)) return std::nullopt;
  }
  return size;
}

template <std::size_t N>
std::array<std::uint8_t, N> Digest(std::string_view bytes, const EVP_MD* algorithm) {
  std::array<std::uint8_t, N> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr) != 1 ||
      size != N) {
    std::abort();
  }
  return digest;
}

}  // namespace

std::string ToHex(std::span<const std::uint8_t> bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    hex.push_back(kHexDigits[byte >> 4]);
    hex.push_back(kHexDigits[byte & 0xf]);
  }
  return hex;
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::optional<Sha256> Sha256FromHex(std::string_view hex) {
  Sha256 digest{};
  if (hex.size() != digest.size() * 2) return std::nullopt;
  int wrong = 0;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = HexValue(hex[2 * i]);
    const int low = HexValue(hex[2 * i + 1]);
    wrong |= high | low;
    digest[i] =
        static_cast<std::uint8_t>(static_cast<unsigned>(high) << 4 | static_cast<unsigned>(low));
  }
  if (wrong < 0) return std::nullopt;
  return digest;
}

std::string ToBase64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t rest = bytes.size() - i;
    const std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16 |
                                (rest > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0u) |
                                (rest > 2 ? static_cast<std::uint32_t>(bytes[i + 2]) : 0u);
    text.push_back(kBase64Digits[group >> 18]);
    text.push_back(kBase64Digits[group >> 12 & 0x3f]);
    text.push_back(rest > 1 ? kBase64Digits[group >> 6 & 0x3f] : '=');
    text.push_back(rest > 2 ? kBase64Digits[group & 0x3f] : '=');
  }
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const auto size = DecodeBase64(text, reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  if (!size) return std::nullopt;
  bytes.resize(*size);
  return bytes;
}

std::optional<Sha256> Sha256FromBase64(std::string_view text) {
  Sha256 digest{};
  const auto size = DecodeBase64(text, digest.data(), digest.size());
  if (!size || *size != digest.size()) return std::nullopt;
  return digest;
}

Sha256 Sha256Of(std::string_view bytes) { return Digest<32>(bytes, EVP_sha256()); }

Sha512 Sha512Of(std::string_view bytes) { return Digest<64>(bytes, EVP_sha512()); }

struct Sha256Stream::Context {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Context() {
    if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) std::abort();
  }
  ~Context() { EVP_MD_CTX_free(context); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Add(std::string_view bytes) {
  if (EVP_DigestUpdate(context_->context, bytes.data(), bytes.size()) != 1) std::abort();
}

Sha256 Sha256Stream::Finish() {
  Sha256 digest{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_->context, digest.data(), &size) != 1 || size != digest.size()) {
    std::abort();
  }
  return digest;
}

}  // namespace crivet::trust
