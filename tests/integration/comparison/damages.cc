// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "tests/integration/comparison/cases.h"
#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using Json = SigningRepository::Json;
using std::chrono::hours;

struct Way {
  std::string name;
  Damage damage;
};

// Puts text before the first place where another one stands.
Damage Inserted(const std::string& text, const std::string& before) {
  return Bytes([=](std::string& bytes) { bytes.insert(bytes.find(before), text); });
}

Damage Replaced(const std::string& what, const std::string& by) {
  return Bytes([=](std::string& bytes) { bytes.replace(bytes.find(what), what.size(), by); });
}

std::vector<Way> Ways(const Editions& editions) {
  const std::string expired = FormatRfc3339(
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) - hours{1});
  return {
      {"no JSON", Bytes([](std::string& b) { b[0] = '}'; })},
      {"half of", Bytes([](std::string& b) { b.resize(b.size() / 2); })},
      {"nothing of", Bytes([](std::string& b) { b.clear(); })},
      {"a second value after", Bytes([](std::string& b) { b += "{}"; })},
      {"white space after", Bytes([](std::string& b) { b += " \n"; })},
      {"`signed` null in", File([](Json& f) { f["signed"] = nullptr; })},
      {"`signed` a text in", File([](Json& f) { f["signed"] = "text"; })},
      {"another `_type` in", Content([](Json& c) { c["_type"] = "Mirrors"; })},
      {"`version` -3 in", Content([](Json& c) { c["version"] = -3; })},
      {"`version` 0 in", Content([](Json& c) { c["version"] = 0; })},
      {"`version` missing in", Content([](Json& c) { c.erase("version"); })},
      {"`version` 3.0 in", Bytes([](std::string& bytes) {
         const auto at = bytes.find("\"version\":") + 10;
         bytes.insert(bytes.find_first_of(",}", at), ".0");
       })},
      {"`version` 2^53 in", Content([](Json& c) { c["version"] = std::int64_t{1} << 53; })},
      {"`expires` missing in", Content([](Json& c) { c.erase("expires"); })},
      {"expired", Content([=](Json& c) { c["expires"] = expired; })},
      {"a signature changed in", File([](Json& f) {
         for (Json& s : f["signatures"]) s["sig"] = ToBase64(AsBytes(std::string(64, 'x')));
       })},
      {"no signature in", SignedBy({})},
      {"a stranger's signature in", SignedBy({RootKeyFor(editions.before.gun())})},
      {"another method in", File([](Json& f) {
         for (Json& s : f["signatures"]) s["method"] = "rsapss";
       })},
      {"content added after signing to", File([](Json& f) { f["signed"]["x"] = 1; })},
      {"an unsigned member beside `signed` in", File([](Json& f) { f["abc"] = 1; })},
      {"`version` twice in", Inserted("\"version\":99,", "\"version\":")},
      {"`signed` twice in", Inserted("\"signed\":{},", "\"signed\":")},
      {"`Signed` for `signed` in", Replaced("\"signed\":", "\"Signed\":")},
      {"100000 brackets beside `signed` in",
       Inserted("\"x\":" + std::string(100000, '[') + std::string(100000, ']') + ",",
                "\"signed\":")},
      {"100 more signatures in", File([](Json& f) {
         const Json signature = f["signatures"][0];
         for (int i = 0; i < 100; ++i) f["signatures"].push_back(signature);
       })},
  };
}

constexpr std::array kRoles{"root", "timestamp", "snapshot", "targets", "targets/releases"};

}  // namespace

std::vector<Attack> Damages(const Editions& editions) {
  std::vector<Attack> attacks;
  for (const Way& way : Ways(editions)) {
    for (const char* role : kRoles) {
      SigningRepository served = editions.After();
      served.Publish({{role, way.damage}});
      attacks.push_back({way.name + " " + role, std::move(served)});
    }
  }
  SigningRepository after = editions.After();
  after.Publish();
  for (const char* role : kRoles) {
    // Only the signature protects a timestamp; the others fail by their hash before.
    SigningRepository altered = after;
    std::string bytes = after.bytes(role);
    const auto at = bytes.find("\"expires\":\"2") + 13;
    bytes[at] = bytes[at] == '9' ? '8' : '9';
    const std::string longer = after.bytes(role) + " ";
    altered.Serve(after.FileName(role), bytes);
    if (std::string(role) == "root") altered.Serve("root.json", bytes);
    attacks.push_back({std::string("a byte changed on the way in ") + role, altered});
    SigningRepository missing = after;
    missing.Refuse(after.FileName(role), {FetchFailure::Kind::kNotFound, {}});
    if (std::string(role) == "root") missing.Refuse("root.json", {});
    attacks.push_back({std::string("404 for ") + role, missing});
    SigningRepository away = after;
    const FetchFailure failure{FetchFailure::Kind::kNetwork, NetworkCause::kServerError};
    away.Refuse(after.FileName(role), failure);
    if (std::string(role) == "root") away.Refuse("root.json", failure);
    attacks.push_back({std::string("503 for ") + role, away});
    if (std::string(role) == "timestamp") continue;  // nothing says how long it is
    SigningRepository lengthened = after;
    lengthened.Serve(after.FileName(role), longer);
    if (std::string(role) == "root") lengthened.Serve("root.json", longer);
    attacks.push_back({std::string("white space added on the way to ") + role, lengthened});
  }
  return attacks;
}

}  // namespace crivet::trust
