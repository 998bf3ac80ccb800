// SPDX-License-Identifier: Apache-2.0
#include "trust/io/store/state_document.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "trust/signed/json.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kFormat = 1;
constexpr char kFirstKindsName[] = "gun";
constexpr JsonLimits kLimits{.max_bytes = kMaxRecordsBytes, .max_values = 1'000'000};

tl::unexpected<Error> Damaged() { return Fail(Reason::kState, "damaged"); }

// Json::dump throws on text that is not UTF-8; no text comes here that is not: what kinds name is
// ASCII, and the reader refuses other bytes.
std::string Sealed(const Json& content) {
  const std::string text = content.dump();
  const Result<JsonDocument> document = JsonDocument::Parse(text, kLimits);
  const Sha256 checksum = Sha256Of(document ? Canonical(document->root()) : text);
  const Json sealed{{"format", kFormat}, {"sha256", ToHex(checksum)}, {"content", content}};
  return sealed.dump(1) + "\n";
}

// The sealed content; nothing where the seal does not hold.
std::optional<JsonValue> Unsealed(const JsonDocument& document) {
  const std::optional<JsonValue> format = document.root().Find("format");
  const std::optional<JsonValue> checksum = document.root().Find("sha256");
  const std::optional<JsonValue> content = document.root().Find("content");
  if (!format || !checksum || !content || format->AsInteger() != kFormat) return std::nullopt;
  if (checksum->AsString() != ToHex(Sha256Of(Canonical(*content)))) return std::nullopt;
  return content;
}

// Reading: each function is empty where the value is not of that kind.

std::optional<std::string_view> TextAt(JsonValue object, std::string_view name) {
  const std::optional<JsonValue> value = object.Find(name);
  return value ? value->AsString() : std::nullopt;
}

std::optional<std::int64_t> IntegerAt(JsonValue object, std::string_view name) {
  const std::optional<JsonValue> value = object.Find(name);
  return value ? value->AsInteger() : std::nullopt;
}

std::optional<TimePoint> TimeAt(JsonValue object, std::string_view name) {
  const std::optional<std::string_view> text = TextAt(object, name);
  if (!text) return std::nullopt;
  const Result<TimePoint> time = ParseRfc3339(*text);
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<Sha256> HashAt(JsonValue object, std::string_view name) {
  const std::optional<std::string_view> text = TextAt(object, name);
  return text ? Sha256FromHex(*text) : std::nullopt;
}

std::optional<std::vector<std::string>> TextsIn(std::optional<JsonValue> value) {
  const std::optional<JsonElements> elements = value ? value->AsArray() : std::nullopt;
  if (!elements) return std::nullopt;
  std::vector<std::string> texts;
  for (const JsonValue element : *elements) {
    const std::optional<std::string_view> text = element.AsString();
    if (!text) return std::nullopt;
    texts.emplace_back(*text);
  }
  return texts;
}

// The first kind's documents say which GUN; all others which kind, and which name.
std::optional<CollectionId> CollectionIn(JsonValue content) {
  const std::optional<std::string_view> url = TextAt(content, "url");
  const std::optional<std::string_view> kind = TextAt(content, "kind");
  const std::optional<std::string_view> name = TextAt(content, kind ? "name" : kFirstKindsName);
  if (!url || !name) return std::nullopt;
  return CollectionId{std::string(kind.value_or(kFirstKind)), std::string(*url),
                      std::string(*name)};
}

std::optional<std::map<std::string, Sha256>> FilesIn(std::optional<JsonValue> value) {
  const std::optional<JsonMembers> members = value ? value->AsObject() : std::nullopt;
  if (!members) return std::nullopt;
  std::map<std::string, Sha256> files;
  for (const JsonMember& member : *members) {
    const std::optional<Sha256> hash = Sha256FromHex(member.value.AsString().value_or(""));
    if (!hash) return std::nullopt;
    files.emplace(member.name, *hash);
  }
  return files;
}

std::optional<Floors> FloorsIn(std::optional<JsonValue> value) {
  const std::optional<JsonMembers> members = value ? value->AsObject() : std::nullopt;
  if (!members) return std::nullopt;
  Floors floors;
  for (const JsonMember& member : *members) {
    const std::optional<std::int64_t> version = IntegerAt(member.value, "version");
    const std::optional<Sha256> hash = HashAt(member.value, "signed_sha256");
    const auto signers = TextsIn(member.value.Find("signers"));
    if (!version || !hash || !signers) return std::nullopt;
    floors.emplace(member.name, Floor{*version, *hash, {signers->begin(), signers->end()}});
  }
  return floors;
}

std::optional<VerifiedRecord> RecordIn(JsonValue value) {
  const Result<Sha256Digest> digest = Sha256Digest::Parse(TextAt(value, "digest").value_or(""));
  const std::optional<std::string_view> tag = TextAt(value, "tag");
  const std::optional<Sha256> root = HashAt(value, "root");
  const auto root_signers = TextsIn(value.Find("root_signers"));
  const std::optional<TimePoint> recorded_at = TimeAt(value, "recorded_at");
  const std::optional<JsonValue> vouching = value.Find("vouching");
  const std::optional<JsonMembers> roles = vouching ? vouching->AsObject() : std::nullopt;
  if (!digest || !tag || !root || !root_signers || !recorded_at || !roles) return std::nullopt;
  VerifiedRecord record{std::string(*tag), *digest, {}, *root, *root_signers, *recorded_at};
  record.name = TextAt(value, "name").value_or("");
  for (const JsonMember& member : *roles) {
    auto keys = TextsIn(member.value);
    if (!keys) return std::nullopt;
    record.vouching.emplace(member.name, *std::move(keys));
  }
  return record;
}

// Writing.

Json CollectionOut(const CollectionId& id) {
  if (id.kind == kFirstKind) return {{"url", id.url}, {kFirstKindsName, id.name}};
  return {{"kind", id.kind}, {"url", id.url}, {"name", id.name}};
}

Json RecordOut(const VerifiedRecord& record) {
  Json vouching = Json::object();
  for (const auto& [part, keys] : record.vouching) vouching[part] = keys;
  Json out{{"tag", record.tag},
           {"digest", record.digest.ToString()},
           {"vouching", std::move(vouching)},
           {"root", ToHex(record.anchor)},
           {"root_signers", record.anchor_signers},
           {"recorded_at", FormatRfc3339(record.recorded_at)}};
  if (!record.name.empty()) out["name"] = record.name;
  return out;
}

}  // namespace

std::string WriteManifest(const Manifest& manifest) {
  Json files = Json::object();
  for (const auto& [name, hash] : manifest.files) files[name] = ToHex(hash);
  Json floors = Json::object();
  for (const auto& [name, floor] : manifest.floors) {
    floors[name] = {{"version", floor.version},
                    {"signed_sha256", ToHex(floor.signed_sha256)},
                    {"signers", floor.signers}};
  }
  Json content = CollectionOut(manifest.id);
  content["verified_at"] = FormatRfc3339(manifest.verified_at);
  content["files"] = std::move(files);
  content["floors"] = std::move(floors);
  return Sealed(content);
}

std::optional<std::int64_t> LaterFormatIn(std::string_view text) {
  const Result<JsonDocument> document = JsonDocument::Parse(text, kLimits);
  if (!document) return std::nullopt;
  const std::optional<std::int64_t> format = IntegerAt(document->root(), "format");
  return format && *format > kFormat ? format : std::nullopt;
}

Result<Manifest> ReadManifest(std::string_view text) {
  if (text.size() > kMaxManifestBytes) return Damaged();
  const Result<JsonDocument> document = JsonDocument::Parse(text, kLimits);
  if (!document) return Damaged();
  const std::optional<JsonValue> content = Unsealed(*document);
  if (!content) return Damaged();
  std::optional<CollectionId> id = CollectionIn(*content);
  const std::optional<TimePoint> verified_at = TimeAt(*content, "verified_at");
  std::optional<std::map<std::string, Sha256>> files = FilesIn(content->Find("files"));
  std::optional<Floors> floors = FloorsIn(content->Find("floors"));
  if (!id || !verified_at || !files || !floors) return Damaged();
  return Manifest{*std::move(id), *std::move(files), *std::move(floors), *verified_at};
}

std::string WriteRecords(const CollectionId& id, const Records& records) {
  Json out = Json::array();
  for (const VerifiedRecord& record : records) out.push_back(RecordOut(record));
  Json content = CollectionOut(id);
  content["records"] = std::move(out);
  return Sealed(content);
}

Result<Records> ReadRecords(const CollectionId& id, std::string_view text) {
  const Result<JsonDocument> document = JsonDocument::Parse(text, kLimits);
  if (!document) return Damaged();
  const std::optional<JsonValue> content = Unsealed(*document);
  if (!content || CollectionIn(*content) != id) return Damaged();
  const std::optional<JsonValue> list = content->Find("records");
  const std::optional<JsonElements> elements = list ? list->AsArray() : std::nullopt;
  if (!elements) return Damaged();
  Records records;
  for (const JsonValue element : *elements) {
    std::optional<VerifiedRecord> record = RecordIn(element);
    if (!record) return Damaged();
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace crivet::trust
