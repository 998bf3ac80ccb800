// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/certificate_log.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/signed/certificate_usage.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::string_view kTimestampList = "1.3.6.1.4.1.11129.2.4.2";
constexpr std::size_t kMaxTimestamps = 16;
constexpr std::size_t kLogIdSize = 32;

// Reads TLS presentation language (RFC 8446 3): big-endian numbers and vectors with their length.
class TlsReader {
 public:
  explicit TlsReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::optional<std::string_view> Take(std::size_t size) {
    if (size > rest_.size()) return std::nullopt;
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::optional<std::uint64_t> Number(std::size_t size) {
    const auto bytes = Take(size);
    if (!bytes) return std::nullopt;
    std::uint64_t number = 0;
    for (const char byte : *bytes) number = number << 8 | static_cast<std::uint8_t>(byte);
    return number;
  }
  std::optional<std::string_view> Vector() {
    constexpr std::size_t kLengthSize = 2;
    const auto size = Number(kLengthSize);
    return size ? Take(*size) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::string Big(std::uint64_t number, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = size; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number & 0xff);
  return bytes;
}

// The OCTET STRING in the extension's value, which has the list in it.
std::optional<std::string_view> Unwrap(std::string_view der) {
  constexpr char kOctetString = 0x04;
  constexpr std::uint8_t kLongForm = 0x80;
  if (der.size() < 2 || der[0] != kOctetString) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(der[1]);
  der.remove_prefix(2);
  std::size_t size = first;
  if (first >= kLongForm) {
    TlsReader length(der);
    const std::size_t width = first & 0x7fU;
    const auto number = width >= 1 && width <= 2 ? length.Number(width) : std::nullopt;
    if (!number) return std::nullopt;
    size = *number;
    der.remove_prefix(width);
  }
  if (size != der.size()) return std::nullopt;
  return der;
}

struct Timestamp {
  std::string_view log_id;
  std::uint64_t milliseconds = 0;
  std::string_view extensions;
  std::string_view signature;
};

// RFC 6962 3.2, SignedCertificateTimestamp; the hash is SHA-256 in every log.
std::optional<Timestamp> ReadTimestamp(std::string_view bytes) {
  TlsReader reader(bytes);
  const auto version = reader.Number(1);
  const auto log_id = reader.Take(kLogIdSize);
  const auto milliseconds = reader.Number(8);
  const auto extensions = reader.Vector();
  const auto hash = reader.Number(1);
  const auto algorithm = reader.Number(1);
  const auto signature = reader.Vector();
  constexpr std::uint64_t kSha256 = 4;
  if (!version || *version != 0 || !log_id || !milliseconds || !extensions || !hash ||
      *hash != kSha256 || !algorithm || !signature || !reader.empty()) {
    return std::nullopt;
  }
  return Timestamp{*log_id, *milliseconds, *extensions, *signature};
}

// RFC 6962 3.2, digitally-signed CertificateTimestamp for a precert_entry.
std::string SignedBy(const Timestamp& timestamp, std::string_view tbs, const Certificate& issuer) {
  constexpr std::uint64_t kPrecertEntry = 1;
  std::string text(2, '\0');  // v1, certificate_timestamp
  text += Big(timestamp.milliseconds, 8) + Big(kPrecertEntry, 2);
  text += HashOf(HashAlgorithm::kSha256, issuer.spki());
  text += Big(tbs.size(), 3);
  text.append(tbs);
  text += Big(timestamp.extensions.size(), 2);
  return text.append(timestamp.extensions);
}

tl::unexpected<SignatureError> Unreadable() {
  return RefuseSignature(
      SignatureReason::kUntrustedRoot,
      "the certificate's list of certificate transparency timestamps cannot be read");
}

}  // namespace

SignatureResult<std::size_t> CountLogged(const Certificate& certificate, const Certificate& issuer,
                                         const std::vector<Log>& logs) {
  const auto extension = ExtensionOf(certificate, kTimestampList);
  if (!extension) return Unreadable();
  if (!*extension) return std::size_t{0};
  const auto unwrapped = Unwrap(**extension);
  if (!unwrapped) return Unreadable();
  TlsReader outer(*unwrapped);
  const auto list = outer.Vector();
  if (!list || !outer.empty()) return Unreadable();
  const auto tbs = TbsWithoutExtension(certificate, kTimestampList);
  if (!tbs) return Unreadable();

  std::set<std::string_view> vouching;
  TlsReader reader(*list);
  for (std::size_t i = 0; !reader.empty() && i < kMaxTimestamps; ++i) {
    const auto bytes = reader.Vector();
    if (!bytes) return Unreadable();
    const auto timestamp = ReadTimestamp(*bytes);
    if (!timestamp) continue;
    const auto log = std::find_if(logs.begin(), logs.end(),
                                  [&](const Log& it) { return it.id == timestamp->log_id; });
    if (log == logs.end() || timestamp->milliseconds > INT64_MAX) continue;
    const TimePoint time(std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::milliseconds(timestamp->milliseconds)));
    if (!log->valid_for.Covers(time)) continue;
    const std::string text = SignedBy(*timestamp, *tbs, issuer);
    if (log->key.VerifyUsual(timestamp->signature, text) == SignatureCheck::kGood) {
      vouching.insert(log->id);
    }
  }
  return vouching.size();
}

}  // namespace crivet::trust::sigstore
