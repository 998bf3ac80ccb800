// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/trusted_root.h"

#include <utility>

#include "trust/signed/json.h"
#include "trust/sigstore/message_reader.h"

namespace crivet::trust::sigstore {
namespace {

constexpr JsonLimits kLimits{.max_bytes = 4 * 1024 * 1024, .max_depth = 16, .max_values = 200'000};
constexpr std::size_t kMaxEntries = 256;
constexpr std::size_t kMaxChain = 10;
constexpr std::size_t kLogIdSize = 32;

SignatureResult<ValidFor> ReadValidFor(const MessageReader& parent) {
  ValidFor valid_for;
  if (!parent.Has("validFor")) return valid_for;
  const auto reader = MessageReader::Open(*parent.Find("validFor"), "validFor");
  if (!reader) return tl::unexpected(reader.error());
  auto start = reader->Time("start");
  if (!start) return tl::unexpected(start.error());
  auto end = reader->Time("end");
  if (!end) return tl::unexpected(end.error());
  valid_for.start = *start;
  valid_for.end = *end;
  return valid_for;
}

// `https://rekor.example:443/path` -> `rekor.example`. Only compared, never asked.
std::string HostOf(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of(":/")));
}

// Nothing for a key of an unknown kind.
SignatureResult<std::optional<Log>> ReadLog(JsonValue value) {
  const auto log = MessageReader::Open(value, "a log");
  if (!log) return tl::unexpected(log.error());
  const auto key_value = log->Get("publicKey");
  if (!key_value) return tl::unexpected(key_value.error());
  const auto key_reader = MessageReader::Open(*key_value, "a log's publicKey");
  if (!key_reader) return tl::unexpected(key_reader.error());
  const auto der = key_reader->Bytes("rawBytes");
  if (!der) return tl::unexpected(der.error());
  auto key = VerificationKey::FromSpki(*der);
  if (!key) return std::optional<Log>();
  const auto id_value = log->Get("logId");
  if (!id_value) return tl::unexpected(id_value.error());
  const auto id_reader = MessageReader::Open(*id_value, "a logId");
  if (!id_reader) return tl::unexpected(id_reader.error());
  auto id = id_reader->Bytes("keyId");
  if (!id) return tl::unexpected(id.error());
  if (id->size() != kLogIdSize) return log->Wrong("logId", "is not 32 bytes");
  auto valid_for = ReadValidFor(*key_reader);
  if (!valid_for) return tl::unexpected(valid_for.error());
  const auto url = log->Text("baseUrl");
  return std::optional(
      Log{url ? HostOf(*url) : std::string(), *std::move(id), *std::move(key), *valid_for});
}

SignatureResult<Authority> ReadAuthority(JsonValue value) {
  const auto reader = MessageReader::Open(value, "an authority");
  if (!reader) return tl::unexpected(reader.error());
  const auto chain_value = reader->Get("certChain");
  if (!chain_value) return tl::unexpected(chain_value.error());
  const auto chain = MessageReader::Open(*chain_value, "a certChain");
  if (!chain) return tl::unexpected(chain.error());
  const auto list = chain->List("certificates", kMaxChain);
  if (!list) return tl::unexpected(list.error());
  Authority authority;
  for (const JsonValue element : *list) {
    const auto entry = MessageReader::Open(element, "a certificate");
    if (!entry) return tl::unexpected(entry.error());
    const auto der = entry->Bytes("rawBytes");
    if (!der) return tl::unexpected(der.error());
    auto certificate = Certificate::FromDer(*der);
    if (!certificate) return tl::unexpected(certificate.error());
    authority.chain.push_back(*std::move(certificate));
  }
  if (authority.chain.empty()) return chain->Wrong("certificates", "is empty");
  auto valid_for = ReadValidFor(*reader);
  if (!valid_for) return tl::unexpected(valid_for.error());
  authority.valid_for = *valid_for;
  return authority;
}

SignatureResult<std::vector<Log>> ReadLogs(const MessageReader& root, std::string_view name) {
  const auto list = root.List(name, kMaxEntries);
  if (!list) return tl::unexpected(list.error());
  std::vector<Log> logs;
  for (const JsonValue element : *list) {
    auto log = ReadLog(element);
    if (!log) return tl::unexpected(log.error());
    if (*log) logs.push_back(**std::move(log));
  }
  return logs;
}

SignatureResult<std::vector<Authority>> ReadAuthorities(const MessageReader& root,
                                                        std::string_view name) {
  const auto list = root.List(name, kMaxEntries);
  if (!list) return tl::unexpected(list.error());
  std::vector<Authority> authorities;
  for (const JsonValue element : *list) {
    auto authority = ReadAuthority(element);
    if (!authority) return tl::unexpected(authority.error());
    authorities.push_back(*std::move(authority));
  }
  return authorities;
}

}  // namespace

CertificateSet Authority::Anchor() const {
  return CertificateSet(std::vector<Certificate>{chain.back()});
}

std::vector<Certificate> Authority::Known() const { return {chain.begin(), chain.end() - 1}; }

SignatureResult<TrustedRoot> TrustedRoot::Parse(std::string_view json) {
  const auto document = JsonDocument::Parse(json, kLimits);
  if (!document) return tl::unexpected(document.error());
  const auto root = MessageReader::Open(document->root(), "the trusted root");
  if (!root) return tl::unexpected(root.error());
  const auto media_type = root->Text("mediaType");
  if (!media_type) return tl::unexpected(media_type.error());
  if (!media_type->starts_with("application/vnd.dev.sigstore.trustedroot")) {
    return root->Wrong("mediaType", "is not a trusted root's");
  }
  TrustedRoot result;
  auto logs = ReadLogs(*root, "tlogs");
  if (!logs) return tl::unexpected(logs.error());
  result.logs = *std::move(logs);
  auto certificate_logs = ReadLogs(*root, "ctlogs");
  if (!certificate_logs) return tl::unexpected(certificate_logs.error());
  result.certificate_logs = *std::move(certificate_logs);
  auto authorities = ReadAuthorities(*root, "certificateAuthorities");
  if (!authorities) return tl::unexpected(authorities.error());
  result.certificate_authorities = *std::move(authorities);
  auto timestamps = ReadAuthorities(*root, "timestampAuthorities");
  if (!timestamps) return tl::unexpected(timestamps.error());
  result.timestamp_authorities = *std::move(timestamps);
  return result;
}

}  // namespace crivet::trust::sigstore
