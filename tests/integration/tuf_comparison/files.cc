// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tuf_comparison/editions.h"

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;

struct ContentRow {
  const char* what;
  std::function<void(Json&)> edit;
};

const ContentRow kContents[] = {
    {"expired", [](Json& content) { content["expires"] = "2020-01-01T00:00:00Z"; }},
    {"another `_type` in", [](Json& content) { content["_type"] = "mirrors"; }},
    {"`_type` in capitals in",
     [](Json& content) { content["_type"] = content["_type"] == "root" ? "Root" : "Targets"; }},
    {"`spec_version` 2.0.0 in", [](Json& content) { content["spec_version"] = "2.0.0"; }},
    {"`spec_version` missing in", [](Json& content) { content.erase("spec_version"); }},
    {"`version` 0 in", [](Json& content) { content["version"] = 0; }},
    {"`version` a text in",
     [](Json& content) { content["version"] = std::to_string(content["version"].get<int>()); }},
    {"`version` missing in", [](Json& content) { content.erase("version"); }},
    {"`expires` missing in", [](Json& content) { content.erase("expires"); }},
    {"`expires` with a fraction in",
     [](Json& content) { content["expires"] = "2040-01-01T00:00:00.5Z"; }},
    {"`expires` with an offset in",
     [](Json& content) { content["expires"] = "2040-01-01T00:00:00+01:00"; }},
    {"unknown members in",
     [](Json& content) {
       content["x"] = {{"y", {1, "z", nullptr}}};
     }},
};

Json SignaturesOf(const std::string& file) { return Json::parse(file)["signatures"]; }

void PutSignatures(std::string& file, const Json& signatures) {
  Json all = Json::parse(file);
  all["signatures"] = signatures;
  file = all.dump();
}

struct BendRow {
  const char* what;
  std::function<void(std::string&)> bend;
};

void EditFirst(std::string& file, const std::function<void(std::string&)>& edit) {
  Json signatures = SignaturesOf(file);
  std::string text = signatures[0]["sig"];
  edit(text);
  signatures[0]["sig"] = text;
  PutSignatures(file, signatures);
}

void AddSignatures(std::string& file, int count) {
  Json signatures = SignaturesOf(file);
  for (int i = 0; i < count; ++i) {
    std::string id = std::to_string(1000 + i);
    signatures.push_back({{"keyid", std::string(60, '0') + id}, {"sig", std::string(128, 'a')}});
  }
  PutSignatures(file, signatures);
}

const BendRow kBends[] = {
    {"a signature changed in",
     [](std::string& file) {
       EditFirst(file, [](std::string& text) { text[5] = text[5] == '0' ? '1' : '0'; });
     }},
    {"a signature in capital hex in",
     [](std::string& file) {
       EditFirst(file, [](std::string& text) {
         for (char& c : text) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
       });
     }},
    {"a signature with a space in",
     [](std::string& file) { EditFirst(file, [](std::string& text) { text.insert(2, " "); }); }},
    {"no signature in", [](std::string& file) { PutSignatures(file, Json::array()); }},
    {"one signature twice in",
     [](std::string& file) {
       Json signatures = SignaturesOf(file);
       signatures.push_back(signatures[0]);
       PutSignatures(file, signatures);
     }},
    {"a stranger's signature beside it in", [](std::string& file) { AddSignatures(file, 1); }},
    {"100 more signatures in", [](std::string& file) { AddSignatures(file, 100); }},
    {"content added after signing to",
     [](std::string& file) {
       Json all = Json::parse(file);
       all["signed"]["x"] = 1;
       file = all.dump();
     }},
    {"an unsigned member beside `signed` in",
     [](std::string& file) { file.insert(file.find('{') + 1, "\"x\":1,"); }},
    {"`signed` twice in",
     [](std::string& file) { file.insert(file.find('{') + 1, "\"signed\":{\"_type\":\"x\"},"); }},
    {"`version` twice in",
     [](std::string& file) {
       const auto at = file.find("\"version\"", file.find("\"spec_version\""));
       file.insert(at, "\"version\":1,");
     }},
    {"`Signed` for `signed` in",
     [](std::string& file) { file.replace(file.find("\"signed\""), 8, "\"Signed\""); }},
    {"half of", [](std::string& file) { file.resize(file.size() / 2); }},
    {"nothing of", [](std::string& file) { file.clear(); }},
    {"a page in place of", [](std::string& file) { file = "<html>maintenance</html>"; }},
    {"a second value after", [](std::string& file) { file += "{}"; }},
    {"white space added to", [](std::string& file) { file += "\n\n"; }},
    {"100000 brackets beside `signed` in",
     [](std::string& file) {
       const std::string deep = std::string(100000, '[') + std::string(100000, ']');
       file.insert(file.find('{') + 1, "\"x\":" + deep + ",");
     }},
};

}  // namespace

void AddFiles(Editions& editions) {
  editions.AddForBoth("nothing wrong", [](TufPublisher&) {});
  for (const std::string& role : SomeRoles()) {
    for (const ContentRow& row : kContents) {
      const bool freezes = row.what == std::string("expired");
      editions.AddEdited(std::string(row.what) + " " + role, role, row.edit,
                         freezes ? Nodes::kNewAndWarm : Nodes::kNew);
    }
    for (const BendRow& row : kBends) {
      editions.AddBent(std::string(row.what) + " " + role, role, row.bend);
    }
    for (const int status : {404, 403, 500}) {
      editions.AddStatus(std::to_string(status) + " for " + role, role, status);
    }
  }
}

}  // namespace crivet::trust
