// SPDX-License-Identifier: Apache-2.0

// Runs vectors of TUF 1.0, one JSON object a line, against crivet's readers. `kind` says what a
// line is about: keyid, keyid_mismatch, canonical, signature, pattern, bin, prefix, field, role.
//
//   tuf_vectors FILE.jsonl
//
// Prints a line for each that comes out otherwise, and last `N passed, N failed`.
// Exit: 0 if none failed.

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/signed/json.h"
#include "trust/tuf1/delegations.h"
#include "trust/tuf1/metadata.h"
#include "trust/tuf1/path_pattern.h"
#include "trust/tuf1/signed_file.h"

namespace crivet::trust::tuf1 {
namespace {

using Json = nlohmann::json;

std::string Raw(const Json& hex) {
  const auto bytes = FromHex(hex.get<std::string>());
  if (!bytes) throw std::runtime_error("the line itself: not hex");
  return *bytes;
}

JsonDocument Read(const Json& json) {
  auto document = JsonDocument::Parse(json.dump(), {});
  if (!document) throw std::runtime_error("the line itself: " + document.error().detail);
  return *std::move(document);
}

bool KeyHasId(const Json& line) {
  const JsonDocument object = Read(line.at("key"));
  const auto key = Key::Parse(object.root());
  return key && ToHex(key->id()) == line.at("keyid").get<std::string>() &&
         (!line.contains("canonical_hex") ||
          Canonical(object.root()) == Raw(line.at("canonical_hex")));
}

// A key under an ID that is not its own has the one that its bytes give, and the file's name for it
// does.
bool MisnamedKeyCounts(const Json& line) {
  const std::string name = line.at("listed_as");
  const Json holder = {{"keys", {{name, line.at("key")}}}};
  const Json role = {{"keyids", {name}}, {"threshold", 1}};
  const JsonDocument keys_text = Read(holder);
  const JsonDocument role_text = Read(role);
  auto keys = KeyTable::Read(keys_text.root());
  if (!keys) return false;
  const auto read = keys->ReadRole(role_text.root());
  return read && read->keys.contains(name) && KeyHasId(line);
}

bool CanonicalForm(const Json& line) {
  // As SignedFile reads.
  JsonLimits limits;
  limits.negative_zero = JsonLimits::NegativeZero::kIsZero;
  const auto document = JsonDocument::Parse(Raw(line.at("input_hex")), limits);
  if (line.value("ours", "") == "refuse" || line.contains("error")) return !document;
  return document && Canonical(document->root()) == Raw(line.at("canonical_hex"));
}

bool SignatureHolds(const Json& line) {
  const JsonDocument object = Read(line.at("key"));
  const auto key = Key::Parse(object.root());
  const bool good = key && key->Verify(line.at("sig").get<std::string>(),
                                       Raw(line.at("message_hex"))) == SignatureCheck::kGood;
  return good == line.at("valid");
}

bool PatternMatches(const Json& line) {
  MatchWork work;
  const auto match =
      MatchPath(line.at("pattern").get<std::string>(), line.at("target").get<std::string>(), work);
  return (match == PathMatch::kYes) == line.at("match");
}

bool BinOf(const Json& line) {
  const std::string role = line.at("role");
  const Bins bins{line.at("bit_length").get<unsigned>(), role.substr(0, role.rfind('-'))};
  return bins.RoleOf(line.at("target").get<std::string>()) == role && bins.Has(role);
}

bool PrefixMatches(const Json& line) {
  MatchWork work;
  return MatchHashPrefix(line.at("prefixes").get<std::vector<std::string>>(),
                         ToHex(Sha256Of(line.at("target").get<std::string>())),
                         work) == line.at("match");
}

bool FieldIsRead(const Json& line) {
  Json content = {{"_type", "timestamp"},
                  {"spec_version", "1.0.34"},
                  {"version", 1},
                  {"expires", "2030-01-01T00:00:00Z"},
                  {"meta", {{"snapshot.json", {{"version", 1}}}}}};
  content[line.at("field").get<std::string>()] = line.at("value");
  const auto document = JsonDocument::Parse(content.dump(), {});
  const bool accepted = document && Timestamp::Parse(document->root());
  return accepted == (line.at("ours") == "accept");
}

bool RoleVerifies(const Json& line) {
  const JsonDocument root_text = Read(line.at("root_signed"));
  const auto root = Root::Parse(root_text.root());
  const std::string role = line.at("role");
  const auto file = SignedFile::Parse(line.at("file").get<std::string>(), 1024 * 1024, {});
  const bool accepted = root && IsTopLevel(role) && file && file->Verify(root->KeysOf(role));
  return accepted == (line.at("ours") == "accept");
}

bool Passes(const Json& line) {
  const std::string kind = line.at("kind");
  if (kind == "keyid") return KeyHasId(line);
  if (kind == "keyid_mismatch") return MisnamedKeyCounts(line);
  if (kind == "canonical") return CanonicalForm(line);
  if (kind == "signature") return SignatureHolds(line);
  if (kind == "pattern") return PatternMatches(line);
  if (kind == "bin") return BinOf(line);
  if (kind == "prefix") return PrefixMatches(line);
  if (kind == "field") return FieldIsRead(line);
  if (kind == "role") return RoleVerifies(line);
  throw std::runtime_error("no such kind of line: " + kind);
}

int Run(const char* path) {
  std::ifstream in(path);
  if (!in) {
    fmt::print(stderr, "tuf_vectors: cannot read {}\n", path);
    return 2;
  }
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    if (text.empty()) continue;
    std::string what;
    bool good = false;
    try {
      const Json line = Json::parse(text);
      what = line.value("kind", "?") + ": " + line.value("name", line.dump());
      good = Passes(line);
    } catch (const std::exception& e) {
      what += std::string(": ") + e.what();
    }
    good ? ++passed : ++failed;
    if (!good) fmt::print("line {}: {}\n", number, what);
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace crivet::trust::tuf1

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: tuf_vectors FILE.jsonl\n");
    return 64;
  }
  return crivet::trust::tuf1::Run(argv[1]);
}
