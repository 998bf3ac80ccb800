// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/bundle.h"

#include <chrono>
#include <utility>

#include "trust/signed/certificate_usage.h"
#include "trust/signed/json.h"
#include "trust/sigstore/message_reader.h"

namespace crivet::trust::sigstore {
namespace {

constexpr JsonLimits kLimits{.max_bytes = Bundle::kMaxSize, .max_depth = 16, .max_values = 50'000};
constexpr std::size_t kMaxChain = 10;
constexpr std::size_t kMaxProofHashes = 64;

struct MediaType {
  std::string_view name;
  Bundle::Version version;
};
constexpr MediaType kMediaTypes[] = {
    {"application/vnd.dev.sigstore.bundle+json;version=0.1", Bundle::Version::k01},
    {"application/vnd.dev.sigstore.bundle+json;version=0.2", Bundle::Version::k02},
    {"application/vnd.dev.sigstore.bundle+json;version=0.3", Bundle::Version::k03},
    {"application/vnd.dev.sigstore.bundle.v0.3+json", Bundle::Version::k03},
};

SignatureResult<Bundle::Version> VersionOf(const MessageReader& bundle) {
  const auto media_type = bundle.Text("mediaType");
  if (!media_type) return tl::unexpected(media_type.error());
  for (const MediaType& known : kMediaTypes) {
    if (known.name == *media_type) return known.version;
  }
  return bundle.Wrong("mediaType", "is not a bundle's of version 0.1 to 0.3");
}

SignatureResult<LogEntry::Proof> ReadProof(JsonValue value) {
  const auto reader = MessageReader::Closed(
      value, "inclusionProof", {"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"});
  if (!reader) return tl::unexpected(reader.error());
  LogEntry::Proof proof;
  // Protobuf leaves a number that is 0 out.
  if (reader->Has("logIndex")) {
    const auto index = reader->Number("logIndex");
    if (!index) return tl::unexpected(index.error());
    proof.index = *index;
  }
  const auto tree_size = reader->Number("treeSize");
  if (!tree_size) return tl::unexpected(tree_size.error());
  proof.tree_size = *tree_size;
  auto root_hash = reader->Bytes("rootHash");
  if (!root_hash) return tl::unexpected(root_hash.error());
  proof.root_hash = *std::move(root_hash);
  const auto hashes = reader->List("hashes", kMaxProofHashes);
  if (!hashes) return tl::unexpected(hashes.error());
  for (const JsonValue element : *hashes) {
    const auto text = element.AsString();
    auto hash = text ? BytesOf(*text) : std::nullopt;
    if (!hash) return reader->Wrong("hashes", "has something that is not base64");
    proof.hashes.push_back(*std::move(hash));
  }
  if (!reader->Has("checkpoint")) return proof;
  const auto checkpoint =
      MessageReader::Closed(*reader->Find("checkpoint"), "checkpoint", {"envelope"});
  if (!checkpoint) return tl::unexpected(checkpoint.error());
  auto envelope = checkpoint->Text("envelope");
  if (!envelope) return tl::unexpected(envelope.error());
  proof.checkpoint = *std::move(envelope);
  return proof;
}

SignatureResult<void> ReadKindVersion(const MessageReader& entry, LogEntry& into) {
  const auto value = entry.Get("kindVersion");
  if (!value) return tl::unexpected(value.error());
  const auto reader = MessageReader::Closed(*value, "kindVersion", {"kind", "version"});
  if (!reader) return tl::unexpected(reader.error());
  auto kind = reader->Text("kind");
  if (!kind) return tl::unexpected(kind.error());
  auto version = reader->Text("version");
  if (!version) return tl::unexpected(version.error());
  into.kind = *std::move(kind);
  into.version = *std::move(version);
  return {};
}

// The log's own word on when it took the entry, and its promise.
SignatureResult<void> ReadPromise(const MessageReader& entry, LogEntry& into) {
  if (entry.Has("integratedTime")) {
    const auto seconds = entry.Number("integratedTime");
    if (!seconds) return tl::unexpected(seconds.error());
    constexpr std::uint64_t kYear9999 = 253'402'300'799;
    if (*seconds > kYear9999) return entry.Wrong("integratedTime", "is beyond any time");
    // Protobuf writes a time that was never set as 0.
    if (*seconds != 0) into.integrated = TimePoint(std::chrono::seconds(*seconds));
  }
  if (!entry.Has("inclusionPromise")) return {};
  const auto reader = MessageReader::Closed(*entry.Find("inclusionPromise"), "inclusionPromise",
                                            {"signedEntryTimestamp"});
  if (!reader) return tl::unexpected(reader.error());
  auto promise = reader->Bytes("signedEntryTimestamp");
  if (!promise) return tl::unexpected(promise.error());
  into.promise = *std::move(promise);
  return {};
}

SignatureResult<LogEntry> ReadLogEntry(JsonValue value) {
  const auto reader =
      MessageReader::Closed(value, "a tlogEntry",
                            {"logIndex", "logId", "kindVersion", "integratedTime",
                             "inclusionPromise", "inclusionProof", "canonicalizedBody"});
  if (!reader) return tl::unexpected(reader.error());
  LogEntry entry;
  if (reader->Has("logIndex")) {
    const auto index = reader->Number("logIndex");
    if (!index) return tl::unexpected(index.error());
    entry.index = *index;
  }
  const auto id_value = reader->Get("logId");
  if (!id_value) return tl::unexpected(id_value.error());
  const auto id = MessageReader::Closed(*id_value, "logId", {"keyId"});
  if (!id) return tl::unexpected(id.error());
  auto log_id = id->Bytes("keyId");
  if (!log_id) return tl::unexpected(log_id.error());
  entry.log_id = *std::move(log_id);
  if (auto read = ReadKindVersion(*reader, entry); !read) return tl::unexpected(read.error());
  if (auto read = ReadPromise(*reader, entry); !read) return tl::unexpected(read.error());
  if (reader->Has("inclusionProof")) {
    auto proof = ReadProof(*reader->Find("inclusionProof"));
    if (!proof) return tl::unexpected(proof.error());
    entry.proof = *std::move(proof);
  }
  auto body = reader->Bytes("canonicalizedBody");
  if (!body) return tl::unexpected(body.error());
  entry.body = *std::move(body);
  return entry;
}

SignatureResult<Certificate> ReadCertificate(JsonValue value) {
  const auto reader = MessageReader::Closed(value, "a certificate", {"rawBytes"});
  if (!reader) return tl::unexpected(reader.error());
  const auto der = reader->Bytes("rawBytes");
  if (!der) return tl::unexpected(der.error());
  auto certificate = Certificate::FromDer(*der, Certificate::Keep::kDecoded);
  if (!certificate) return tl::unexpected(certificate.error());
  return *std::move(certificate);
}

using Material = std::variant<Bundle::KeyHint, Certificate>;

SignatureResult<Material> ReadKeyOrCertificate(const MessageReader& reader,
                                               Bundle::Version version) {
  const int forms = static_cast<int>(reader.Has("publicKey")) +
                    static_cast<int>(reader.Has("certificate")) +
                    static_cast<int>(reader.Has("x509CertificateChain"));
  if (forms != 1) return reader.Wrong("publicKey", "or a certificate: exactly one is wanted");
  if (const auto value = reader.Find("publicKey")) {
    const auto key = MessageReader::Closed(*value, "publicKey", {"hint"});
    if (!key) return tl::unexpected(key.error());
    return Material(Bundle::KeyHint{key->Text("hint").value_or(std::string())});
  }
  if (const auto value = reader.Find("certificate")) {
    auto certificate = ReadCertificate(*value);
    if (!certificate) return tl::unexpected(certificate.error());
    return Material(*std::move(certificate));
  }
  // Bundle 0.3: "the certificate alone"; a CA that came along could only be mistaken for trusted.
  if (version == Bundle::Version::k03) {
    return reader.Wrong("x509CertificateChain", "is not allowed in version 0.3");
  }
  const auto chain = MessageReader::Closed(*reader.Find("x509CertificateChain"),
                                           "x509CertificateChain", {"certificates"});
  if (!chain) return tl::unexpected(chain.error());
  const auto list = chain->List("certificates", kMaxChain);
  if (!list) return tl::unexpected(list.error());
  if (list->empty()) return chain->Wrong("certificates", "is empty");
  for (std::size_t i = 1; i < list->size(); ++i) {
    const auto issuer = ReadCertificate((*list)[i]);
    if (!issuer) return tl::unexpected(issuer.error());
    // Bundle 0.1 and 0.2: "must not contain root certificates"; a trusted root has those.
    if (IsSelfIssued(*issuer)) return chain->Wrong("certificates", "has a root among them");
  }
  auto leaf = ReadCertificate(list->front());
  if (!leaf) return tl::unexpected(leaf.error());
  return Material(*std::move(leaf));
}

SignatureResult<std::vector<std::string>> ReadTimestamps(const MessageReader& material) {
  std::vector<std::string> timestamps;
  if (!material.Has("timestampVerificationData")) return timestamps;
  const auto data = MessageReader::Closed(*material.Find("timestampVerificationData"),
                                          "timestampVerificationData", {"rfc3161Timestamps"});
  if (!data) return tl::unexpected(data.error());
  const auto list = data->List("rfc3161Timestamps", Bundle::kMaxTimestamps);
  if (!list) return tl::unexpected(list.error());
  for (const JsonValue element : *list) {
    const auto reader = MessageReader::Closed(element, "a timestamp", {"signedTimestamp"});
    if (!reader) return tl::unexpected(reader.error());
    auto response = reader->Bytes("signedTimestamp");
    if (!response) return tl::unexpected(response.error());
    timestamps.push_back(*std::move(response));
  }
  return timestamps;
}

SignatureResult<Envelope> ReadEnvelope(JsonValue value) {
  const auto reader =
      MessageReader::Closed(value, "dsseEnvelope", {"payload", "payloadType", "signatures"});
  if (!reader) return tl::unexpected(reader.error());
  auto type = reader->Text("payloadType");
  if (!type) return tl::unexpected(type.error());
  auto payload = reader->Bytes("payload");
  if (!payload) return tl::unexpected(payload.error());
  constexpr std::size_t kMaxSignatures = 100;
  const auto list = reader->List("signatures", kMaxSignatures);
  if (!list) return tl::unexpected(list.error());
  // Bundle 0.1 to 0.3: exactly one.
  if (list->size() != 1) return reader->Wrong("signatures", "has to be exactly one");
  const auto entry = MessageReader::Closed(list->front(), "a signature", {"sig", "keyid"});
  if (!entry) return tl::unexpected(entry.error());
  auto signature = entry->Bytes("sig");
  if (!signature) return tl::unexpected(signature.error());
  return Envelope{*std::move(type), *std::move(payload), *std::move(signature)};
}

SignatureResult<MessageSignature> ReadMessageSignature(JsonValue value) {
  const auto reader =
      MessageReader::Closed(value, "messageSignature", {"messageDigest", "signature"});
  if (!reader) return tl::unexpected(reader.error());
  MessageSignature result;
  if (const auto digest_value = reader->Find("messageDigest")) {
    const auto digest =
        MessageReader::Closed(*digest_value, "messageDigest", {"algorithm", "digest"});
    if (!digest) return tl::unexpected(digest.error());
    auto bytes = digest->Bytes("digest");
    if (!bytes) return tl::unexpected(bytes.error());
    result.digest = *std::move(bytes);
  }
  auto signature = reader->Bytes("signature");
  if (!signature) return tl::unexpected(signature.error());
  result.signature = *std::move(signature);
  return result;
}

using Content = std::variant<Envelope, MessageSignature>;

SignatureResult<Content> ReadContent(const MessageReader& bundle) {
  if (bundle.Has("dsseEnvelope") == bundle.Has("messageSignature")) {
    return bundle.Wrong("dsseEnvelope", "or messageSignature: exactly one is wanted");
  }
  if (const auto value = bundle.Find("dsseEnvelope")) {
    auto envelope = ReadEnvelope(*value);
    if (!envelope) return tl::unexpected(envelope.error());
    return Content(*std::move(envelope));
  }
  auto message = ReadMessageSignature(*bundle.Find("messageSignature"));
  if (!message) return tl::unexpected(message.error());
  return Content(*std::move(message));
}

}  // namespace

std::string Envelope::Signed() const {
  std::string text = "DSSEv1 ";
  text += std::to_string(payload_type.size()) + ' ' + payload_type + ' ';
  text += std::to_string(payload.size()) + ' ';
  return text + payload;
}

SignatureResult<Bundle> Bundle::Parse(std::string_view json) {
  const auto document = JsonDocument::Parse(json, kLimits);
  if (!document) return tl::unexpected(document.error());
  const auto bundle = MessageReader::Closed(
      document->root(), "the bundle",
      {"mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"});
  if (!bundle) return tl::unexpected(bundle.error());
  const auto version = VersionOf(*bundle);
  if (!version) return tl::unexpected(version.error());
  const auto material_value = bundle->Get("verificationMaterial");
  if (!material_value) return tl::unexpected(material_value.error());
  const auto material_reader =
      MessageReader::Closed(*material_value, "verificationMaterial",
                            {"publicKey", "certificate", "x509CertificateChain", "tlogEntries",
                             "timestampVerificationData"});
  if (!material_reader) return tl::unexpected(material_reader.error());
  auto material = ReadKeyOrCertificate(*material_reader, *version);
  if (!material) return tl::unexpected(material.error());
  std::vector<LogEntry> entries;
  const auto list = material_reader->List("tlogEntries", kMaxLogEntries);
  if (!list) return tl::unexpected(list.error());
  for (const JsonValue element : *list) {
    auto entry = ReadLogEntry(element);
    if (!entry) return tl::unexpected(entry.error());
    entries.push_back(*std::move(entry));
  }
  auto timestamps = ReadTimestamps(*material_reader);
  if (!timestamps) return tl::unexpected(timestamps.error());
  auto content = ReadContent(*bundle);
  if (!content) return tl::unexpected(content.error());
  return Bundle{*version, *std::move(material), std::move(entries), *std::move(timestamps),
                *std::move(content)};
}

}  // namespace crivet::trust::sigstore
