// SPDX-License-Identifier: Apache-2.0

// What the four kinds of metadata accept: the shape that Notary writes, and nothing that two
// readers could take differently. Who signed it is another question.

#include "trust/tuf/metadata.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>

#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust/vectors.h"
#include "trust/signed/envelope.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;

const RoleName kReleases = RoleName::Parse("targets/releases").value();

// Reads any role from the object under `signed`, as the role that its name says.
Result<void> Read(const std::string& role, const Json& content) {
  const std::string text = content.dump();
  const auto document = JsonDocument::Parse(text, {});
  if (!document) return tl::unexpected(document.error());
  const JsonValue root = document->root();
  const Limits limits;
  const auto drop = [](auto result) -> Result<void> {
    if (!result) return tl::unexpected(result.error());
    return {};
  };
  if (role == "root") return drop(Root::Parse(root, limits));
  if (role == "timestamp") return drop(Timestamp::Parse(root, limits));
  if (role == "snapshot") return drop(Snapshot::Parse(root, limits));
  return drop(Targets::Parse(root, RoleName::Parse(role).value(), Sha256{}, limits));
}

void CheckMalformed(const std::string& role, const Json& content, const std::string& what) {
  const auto read = Read(role, content);
  BOOST_TEST_CONTEXT(role << ": " << what) {
    BOOST_TEST(!read);
    if (!read) BOOST_TEST(CodeOf(read.error().reason) == "malformed");
  }
}

// A repository in which every kind has all of its members.
struct Full {
  SigningRepository server;
  Full() {
    server.Sign("targets", "1.0", DigestOf("image"));
    server.Delegate("targets/releases", {SigningKey::Ecdsa(), SigningKey::Rsa()}, 2, {"v", ""});
    server.Sign("targets/releases", "v1", DigestOf("image"));
    server.Delegate("targets/releases/deep", {SigningKey::Ed25519()});
    server.Publish();
  }
  const std::vector<std::string> roles{"root", "timestamp", "snapshot", "targets",
                                       "targets/releases"};
};

// Members that need not be there at all.
bool IsOptional(const std::string& role, const Json::json_pointer& at) {
  const std::string path = at.to_string();
  if (role == "root") return path == "/consistent_snapshot" || path.ends_with("/private");
  if (path.ends_with("/private") || path.ends_with("/paths")) return true;
  return path == "/delegations";
}

// An element may go: the array is still one.
bool IsElement(const Json& content, const Json::json_pointer& at) {
  return content.at(at.parent_pointer()).is_array();
}

// Members whose name is free: a tag, a key ID, a delegation's entry.
bool HasFreeName(const Json::json_pointer& at) {
  const std::string parent = at.parent_pointer().to_string();
  return parent.ends_with("/targets") || parent == "/meta" || parent.ends_with("/keys");
}

// An entry of `targets`, or something in it.
bool IsOfOneEntry(const Json::json_pointer& at) { return at.to_string().starts_with("/targets/"); }

void ForEveryMember(const Json& content,
                    const std::function<void(const Json::json_pointer&)>& visit) {
  const Json flat = content.flatten();
  std::set<std::string> paths;
  for (const auto& [path, value] : flat.items()) {
    for (Json::json_pointer at(path); !at.empty(); at.pop_back()) paths.insert(at.to_string());
  }
  for (const std::string& path : paths) visit(Json::json_pointer(path));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(MetadataTest)

BOOST_FIXTURE_TEST_CASE(WhatNotaryWrites_IsRead, Full) {
  for (const std::string& role : roles) {
    const auto read = Read(role, server.content(role));
    BOOST_TEST(read.has_value(), role << ": " << (read ? "" : read.error().detail));
  }
}

BOOST_AUTO_TEST_CASE(FilesOfTheRealClient_AreReadAndVerify) {
  for (const auto& [file, role] :
       {std::pair{"root", "root"}, std::pair{"timestamp", "timestamp"},
        std::pair{"snapshot", "snapshot"}, std::pair{"targets", "targets"},
        std::pair{"releases", "targets/releases"}}) {
    const std::string bytes = ReadTestFile(std::string("notary/") + file + ".json");
    const auto read = Read(role, Json::parse(bytes)["signed"]);
    BOOST_TEST(read.has_value(), file << ": " << (read ? "" : read.error().detail));
  }
}

BOOST_FIXTURE_TEST_CASE(EveryMember_NullOrOfAnotherType_IsMalformed, Full) {
  std::size_t tried = 0;
  for (const std::string& role : roles) {
    const Json content = server.content(role);
    ForEveryMember(content, [&](const Json::json_pointer& at) {
      for (const Json& other :
           {Json(nullptr), Json(true), Json(7), Json("text"), Json::array(), Json::object(),
            Json::array({nullptr}), Json::object({{"a", nullptr}})}) {
        if (other.type() == content.at(at).type()) continue;
        const bool number = other.is_number() && content.at(at).is_number();
        if (number) continue;
        // Notary's client leaves it behind: Delegations_AbsentOrEmpty.
        if (other.is_null() && at.to_string() == "/delegations/roles") continue;
        // That entry alone: Entry_ThatCannotBeUsed_SpoilsNoOther.
        if (IsOfOneEntry(at)) continue;
        // A key with something else there counts for nothing: unknown_keys_test.
        if (at.back() == "private") continue;
        Json damaged = content;
        damaged[at] = other;
        CheckMalformed(role, damaged, at.to_string() + " = " + other.dump());
        ++tried;
      }
    });
  }
  BOOST_TEST(tried > 500u);
}

BOOST_FIXTURE_TEST_CASE(EveryMember_Missing_IsMalformed, Full) {
  for (const std::string& role : roles) {
    const Json content = server.content(role);
    ForEveryMember(content, [&](const Json::json_pointer& at) {
      if (IsOptional(role, at)) return;
      if (IsElement(content, at) || IsOfOneEntry(at)) return;
      if (HasFreeName(at) && at.to_string().find("keys") == std::string::npos &&
          at.back() != "root" && at.back() != "targets" && at.back() != "snapshot") {
        return;
      }
      Json damaged = content;
      damaged.at(at.parent_pointer()).erase(at.back());
      CheckMalformed(role, damaged, at.to_string() + " missing");
    });
  }
}

BOOST_FIXTURE_TEST_CASE(EveryMember_InAnotherCase_IsMalformed, Full) {
  for (const std::string& role : roles) {
    const Json content = server.content(role);
    ForEveryMember(content, [&](const Json::json_pointer& at) {
      if (IsElement(content, at) || HasFreeName(at) || IsOfOneEntry(at)) return;
      // Beside the exact one: Go's reader would take whichever comes last.
      Json damaged = content;
      std::string name = at.back();
      for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      damaged.at(at.parent_pointer())[name] = content.at(at);
      CheckMalformed(role, damaged, at.to_string() + " also as " + name);
    });
  }
}

BOOST_FIXTURE_TEST_CASE(MembersThatNobodyKnows_AreIgnored, Full) {
  for (const std::string& role : roles) {
    Json content = server.content(role);
    content["spec_version"] = "1.0";
    content["x"] = {{"y", nullptr}};
    BOOST_TEST(Read(role, content).has_value(), role);
  }
  Json targets = server.content("targets");
  targets["targets"]["1.0"]["custom"] = {{"anything", Json::array({1, nullptr})}};
  targets["targets"]["1.0"]["hashes"]["md5"] = "AAAA";
  BOOST_TEST(Read("targets", targets).has_value());
}

BOOST_FIXTURE_TEST_CASE(Type_OfAnotherRole_IsMalformed, Full) {
  for (const std::string& role : roles) {
    for (const char* type :
         {"Root", "Timestamp", "Snapshot", "Targets", "targets", "root", "TARGETS", ""}) {
      Json content = server.content(role);
      if (content["_type"] == type) continue;
      content["_type"] = type;
      CheckMalformed(role, content, type);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(Version_IsAtLeastOneAndExact, Full) {
  for (const std::string& role : roles) {
    Json content = server.content(role);
    for (const std::int64_t version : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{-3},
                                       std::int64_t{1} << 53, std::int64_t{9223372036854775807}}) {
      content["version"] = version;
      CheckMalformed(role, content, std::to_string(version));
    }
    for (const Json& version : {Json(1.5), Json(3.0), Json(18446744073709551615u)}) {
      content["version"] = version;
      CheckMalformed(role, content, version.dump());
    }
    for (const std::int64_t version :
         {std::int64_t{1}, std::int64_t{2147483647}, (std::int64_t{1} << 53) - 1}) {
      content["version"] = version;
      BOOST_TEST(Read(role, content).has_value(), role << version);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(Root_ThresholdOutsideItsKeys_IsMalformed, Full) {
  for (const char* name : {"root", "targets", "snapshot", "timestamp"}) {
    for (const std::int64_t threshold :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{2}, (std::int64_t{1} << 53) - 1}) {
      Json content = server.content("root");
      content["roles"][name]["threshold"] = threshold;
      CheckMalformed("root", content, std::to_string(threshold));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(Root_OnePublicKeyUnderTwoIds_DoesNotRaiseWhatTheThresholdMayBe, Full) {
  const SigningKey plain = SigningKey::Ecdsa();
  CertificateRequest request;
  request.common_names = {server.gun()};
  const SigningKey certified = plain.SelfSigned(request);
  Json content = server.content("root");
  for (const SigningKey& key : {plain, certified}) {
    content["keys"][key.id()] = Json::parse(key.KeyJson());
  }
  content["roles"]["targets"] = {{"keyids", {plain.id(), certified.id()}}, {"threshold", 2}};
  CheckMalformed("root", content, "two IDs, one key");
  content["roles"]["targets"]["threshold"] = 1;
  BOOST_TEST(Read("root", content).has_value());
}

BOOST_FIXTURE_TEST_CASE(KeyId_NotOfItsKey_IsMalformed, Full) {
  Json root = server.content("root");
  const std::string id = root["roles"]["targets"]["keyids"][0];
  root["keys"][id] = Json::parse(SigningKey::Ecdsa().KeyJson());
  CheckMalformed("root", root, "another key under the ID");

  Json targets = server.content("targets");
  const std::string delegated = targets["delegations"]["roles"][0]["keyids"][0];
  targets["delegations"]["keys"][delegated] = Json::parse(SigningKey::Ecdsa().KeyJson());
  CheckMalformed("targets", targets, "another key under the ID");
}

BOOST_FIXTURE_TEST_CASE(Root_RetiredKeysAndOtherRoles_AreIgnored, Full) {
  Json content = server.content("root");
  content["keys"][std::string(64, 'a')] = {{"keytype", "gpg"},
                                           {"keyval", {{"private", nullptr}, {"public", "AA=="}}}};
  content["roles"]["root.1"] = {{"keyids", Json::array()}, {"threshold", 1}};
  BOOST_TEST(Read("root", content).has_value());
}

BOOST_FIXTURE_TEST_CASE(Root_MoreKeysThanTheLimit_IsMalformed, Full) {
  Json content = server.content("root");
  const Json key = Json::parse(SigningKey::Ecdsa().KeyJson());
  while (content["keys"].size() <= Limits{}.keys) {
    content["keys"][std::to_string(content["keys"].size())] = key;
  }
  CheckMalformed("root", content, "keys");
}

BOOST_FIXTURE_TEST_CASE(FileEntry_LengthsAndHashes, Full) {
  Json content = server.content("timestamp");
  Json& entry = content["meta"]["snapshot"];
  entry["length"] = -1;  // Notary's "no limit"
  CheckMalformed("timestamp", content, "negative length");
  entry["length"] = 0;
  BOOST_TEST(Read("timestamp", content).has_value());
  for (const std::size_t size : {0u, 31u, 33u, 64u}) {
    entry["hashes"]["sha256"] = ToBase64(AsBytes(std::string(size, 'h')));
    CheckMalformed("timestamp", content, std::to_string(size));
  }
  entry["hashes"]["sha256"] = ToBase64(AsBytes(std::string(32, 'h')));
  entry["hashes"]["sha512"] = ToBase64(AsBytes(std::string(63, 'h')));
  CheckMalformed("timestamp", content, "short SHA-512");
  entry["hashes"]["sha512"] = ToBase64(AsBytes(std::string(64, 'h')));
  BOOST_TEST(Read("timestamp", content).has_value());
  entry["hashes"].erase("sha256");
  CheckMalformed("timestamp", content, "SHA-512 alone");
}

BOOST_AUTO_TEST_CASE(FileEntry_ChecksLengthAsACapAndEveryHash) {
  const std::string file = "the file";
  FileEntry entry{file.size(), Sha256Of(file), std::nullopt};
  BOOST_TEST(entry.Check(file).has_value());
  entry.length = 1000;
  BOOST_TEST(entry.Check(file).has_value());
  entry.sha512 = Sha512Of(file);
  BOOST_TEST(entry.Check(file).has_value());
  BOOST_TEST(!entry.Check(file + " "));
  entry.sha512 = Sha512Of("another");
  BOOST_TEST((entry.Check(file).error().reason == Reason::kHash));
  entry.sha512.reset();
  entry.length = file.size() - 1;
  BOOST_TEST((entry.Check(file).error().reason == Reason::kHash));
}

BOOST_FIXTURE_TEST_CASE(Snapshot_EntriesOfNoRole_AreIgnored, Full) {
  Json content = server.content("snapshot");
  content["meta"]["root.1"] = content["meta"]["targets"];
  content["meta"]["../../etc/passwd"] = content["meta"]["targets"];
  BOOST_TEST(Read("snapshot", content).has_value());
}

BOOST_FIXTURE_TEST_CASE(Entry_ThatCannotBeUsed_SpoilsNoOther, Full) {
  const Json good = server.content("targets")["targets"]["1.0"];
  const auto with = [&](const std::function<void(Json&)>& change) {
    Json entry = good;
    change(entry);
    return entry;
  };
  const auto hashed = [&](Json hashes) {
    return with([&](Json& entry) { entry["hashes"] = std::move(hashes); });
  };
  struct Odd {
    Json entry;
    EntryFault fault;
  };
  const std::vector<Odd> odd = {
      {Json(nullptr), EntryFault::kNotAnObject},
      {Json("text"), EntryFault::kNotAnObject},
      {with([](Json& e) { e.erase("length"); }), EntryFault::kLength},
      {with([](Json& e) { e["length"] = -1; }), EntryFault::kLength},
      {with([](Json& e) { e["length"] = "7"; }), EntryFault::kLength},
      {with([](Json& e) { e.erase("hashes"); }), EntryFault::kHashes},
      {hashed(Json::array()), EntryFault::kHashes},
      {hashed({{"sha256", 7}}), EntryFault::kHashes},
      {hashed(Json::object()), EntryFault::kNoSha256},
      {hashed({{"sha512", "AAAA"}}), EntryFault::kNoSha256},
      {hashed({{"sha256", ""}}), EntryFault::kBadSha256},
      {hashed({{"sha256", "AAAA"}}), EntryFault::kBadSha256},
      {hashed({{"sha256", ToBase64(AsBytes(std::string(31, 'h')))}}), EntryFault::kBadSha256},
      {hashed({{"sha256", std::string(64, 'a')}}), EntryFault::kBadSha256},
      {with([](Json& e) { e["Hashes"] = e["hashes"]; }), EntryFault::kTwoCases},
      {with([](Json& e) { e["hashes"]["SHA256"] = "AAAA"; }), EntryFault::kTwoCases},
      {with([](Json& e) { e["LENGTH"] = 7; }), EntryFault::kTwoCases},
  };
  for (const Odd& one : odd) {
    Json content = server.content("targets");
    content["targets"]["odd"] = one.entry;
    const std::string text = content.dump();
    const auto document = JsonDocument::Parse(text, {});
    BOOST_REQUIRE(document);
    const auto targets = Targets::Parse(document->root(), RoleName::Targets(), Sha256{}, {});
    BOOST_TEST_CONTEXT(one.entry.dump()) {
      BOOST_REQUIRE(targets);
      BOOST_TEST((targets->Find("1.0") == DigestOf("image")));
      BOOST_TEST(!targets->FaultOf("1.0"));
      BOOST_TEST(!targets->Find("odd"));
      BOOST_TEST((targets->FaultOf("odd") == one.fault));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(Entry_WhoseNameIsNoTag_IsPassedOver, Full) {
  Json content = server.content("targets");
  const Json entry = content["targets"]["1.0"];
  for (const std::string& name :
       {std::string(), std::string("v&1<2>"), std::string("\"\\"), std::string("\xc3\xa9"),
        std::string(129, 'x'), std::string("a/b"), std::string("1.0 "), std::string(".x")}) {
    content["targets"][name] = entry;
  }
  content["targets"][std::string(128, 'x')] = entry;
  const std::string text = content.dump();
  const auto document = JsonDocument::Parse(text, {});
  BOOST_REQUIRE(document);
  const auto targets = Targets::Parse(document->root(), RoleName::Targets(), Sha256{}, {});
  BOOST_REQUIRE(targets);
  BOOST_TEST(targets->size() == 2u);
  BOOST_TEST((targets->Find(std::string(128, 'x')) == DigestOf("image")));
  BOOST_TEST(!targets->Find("1.00"));
}

BOOST_FIXTURE_TEST_CASE(Delegation_NamesOutsideItsParent_AreMalformed, Full) {
  for (const std::string name :
       {"root", "targets", "snapshot", "targets/", "targets/a/b", "targets//a", "targets/../a",
        "targets/A", "targets/a b", "/targets/a", "other/a", ""}) {
    Json content = server.content("targets");
    content["delegations"]["roles"][0]["name"] = name;
    CheckMalformed("targets", content, name);
  }
  for (const std::string name : {"targets/releases", "targets/other", "targets/releases/x/y"}) {
    Json content = server.content("targets/releases");
    content["delegations"]["roles"][0]["name"] = name;
    CheckMalformed("targets/releases", content, name);
  }
}

BOOST_FIXTURE_TEST_CASE(Delegation_Twice_IsMalformed, Full) {
  Json content = server.content("targets");
  content["delegations"]["roles"].push_back(content["delegations"]["roles"][0]);
  CheckMalformed("targets", content, "twice");
}

BOOST_FIXTURE_TEST_CASE(Delegation_MoreThanTheLimit_AreMalformed, Full) {
  Json content = server.content("targets");
  Json& delegations = content["delegations"]["roles"];
  for (std::size_t i = 1; i < Limits{}.delegations; ++i) {
    Json another = delegations[0];
    another["name"] = "targets/r" + std::to_string(i);
    delegations.push_back(another);
  }
  BOOST_TEST(Read("targets", content).has_value());
  Json another = delegations[0];
  another["name"] = "targets/one-more";
  delegations.push_back(another);
  CheckMalformed("targets", content, "delegations");
}

BOOST_FIXTURE_TEST_CASE(Delegation_ThresholdBelowOne_IsMalformed, Full) {
  for (const int threshold : {0, -1}) {
    Json content = server.content("targets");
    content["delegations"]["roles"][0]["threshold"] = threshold;
    CheckMalformed("targets", content, std::to_string(threshold));
  }
}

BOOST_FIXTURE_TEST_CASE(Delegation_ThatNobodyCanMeet_IsNoErrorOfItsParent, Full) {
  // `notary delegation remove` of a role's last key leaves exactly this behind.
  Json content = server.content("targets");
  content["delegations"]["roles"][0]["keyids"] = Json::array();
  BOOST_TEST(Read("targets", content).has_value());
  const SigningKey weak = SigningKey::Rsa(1024);
  content["delegations"]["keys"][weak.id()] = Json::parse(weak.KeyJson());
  content["delegations"]["roles"][0]["keyids"] = {weak.id()};
  const std::string text = content.dump();
  const auto document = JsonDocument::Parse(text, {});
  const auto targets = Targets::Parse(document->root(), RoleName::Targets(), Sha256{}, {});
  BOOST_REQUIRE(targets);
  BOOST_TEST(targets->FindDelegation(kReleases)->keys.keys.empty());
}

BOOST_FIXTURE_TEST_CASE(Delegations_AbsentOrEmpty, Full) {
  Json content = server.content("targets");
  content["delegations"] = {{"keys", Json::object()}, {"roles", Json::array()}};
  BOOST_TEST(Read("targets", content).has_value());
  // As the notary client leaves it when the last one was removed.
  content["delegations"]["roles"] = nullptr;
  BOOST_TEST(Read("targets", content).has_value());
  content.erase("delegations");
  BOOST_TEST(Read("targets", content).has_value());
}

BOOST_FIXTURE_TEST_CASE(Envelope_ShapesThatAreNone_AreMalformed, Full) {
  const std::string good = server.bytes("targets");
  const Json envelope = Json::parse(good);
  const auto parse = [](const std::string& text) {
    return Envelope::Parse(text, 1 << 20, Limits{});
  };
  BOOST_REQUIRE(parse(good).has_value());
  std::vector<std::string> bad = {"",
                                  "null",
                                  "{}",
                                  "[]",
                                  "<html></html>",
                                  good + "x",
                                  good + good,
                                  good.substr(0, 99),
                                  R"({"signed":null,"signatures":[{}]})",
                                  R"({"signatures":[]})",
                                  R"({"signed":{}})"};
  ForEveryMember(envelope["signatures"][0], [&](const Json::json_pointer& at) {
    for (const Json& other : {Json(nullptr), Json(1), Json::array(), Json::object()}) {
      Json damaged = envelope;
      damaged["signatures"][0][at] = other;
      bad.push_back(damaged.dump());
    }
    Json damaged = envelope;
    damaged["signatures"][0].erase(at.back());
    bad.push_back(damaged.dump());
  });
  for (const Json& other : {Json(nullptr), Json(1), Json("x"), Json::object()}) {
    Json damaged = envelope;
    damaged["signatures"] = other;
    bad.push_back(damaged.dump());
    damaged = envelope;
    damaged["signatures"][0] = other;
    bad.push_back(damaged.dump());
    damaged = envelope;
    damaged["signed"] = other.is_object() ? Json::array() : other;
    bad.push_back(damaged.dump());
  }
  Json damaged = envelope;
  damaged["signatures"][0]["sig"] = "not base64!";
  bad.push_back(damaged.dump());
  for (const char* name : {"SIGNED", "Signed", "SIGNATURES", "Signatures"}) {
    damaged = envelope;
    damaged[name] = envelope["signed"];
    bad.push_back(damaged.dump());
  }
  bad.push_back(R"({"signed":{},)" + good.substr(1));
  bad.push_back(good.substr(0, good.size() - 1) + R"(,"signatures":[]})");
  for (const std::string& text : bad) {
    const auto read = parse(text);
    BOOST_TEST(!read, text.substr(0, 120));
    if (!read) BOOST_TEST(CodeOf(read.error().reason) == "malformed");
  }
}

BOOST_FIXTURE_TEST_CASE(Envelope_UnsignedMembersAndLayout_ChangeNothing, Full) {
  Json envelope = Json::parse(server.bytes("targets"));
  const auto plain = Envelope::Parse(server.bytes("targets"), 1 << 20, Limits{});
  envelope["abc"] = {{"signed", nullptr}};
  for (const std::string& text : {envelope.dump(), envelope.dump(4) + "\n\n\t "}) {
    const auto read = Envelope::Parse(text, 1 << 20, Limits{});
    BOOST_REQUIRE(read);
    BOOST_TEST(read->signed_bytes().bytes() == plain->signed_bytes().bytes());
  }
}

BOOST_FIXTURE_TEST_CASE(Envelope_SignaturesAreCapped, Full) {
  Json envelope = Json::parse(server.bytes("targets"));
  const Json signature = envelope["signatures"][0];
  while (envelope["signatures"].size() < Limits{}.signatures) {
    envelope["signatures"].push_back(signature);
  }
  BOOST_TEST(Envelope::Parse(envelope.dump(), 1 << 20, Limits{}).has_value());
  envelope["signatures"].push_back(signature);
  BOOST_TEST(!Envelope::Parse(envelope.dump(), 1 << 20, Limits{}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(TagIndexTest)

BOOST_AUTO_TEST_CASE(Empty_FindsNothing) {
  const TagIndex never_built;
  const TagIndex built = TagIndex::Builder(Sha256{}, 0).Build();
  for (const TagIndex* index : {&never_built, &built}) {
    BOOST_TEST(!index->Find(""));
    BOOST_TEST(index->TagsOf(DigestOf("x")).empty());
    BOOST_TEST(index->size() == 0u);
  }
}

// Up to 65 534 tags it is kept in a smaller form.
BOOST_DATA_TEST_CASE(ManyTags_AreFoundByTagAndByDigest,
                     boost::unit_test::data::make({1, 5000, 65'534, 65'535, 70'000}), tag_count) {
  constexpr int kDigests = 700;
  TagIndex::Builder builder(Sha256Of("seed"), static_cast<std::size_t>(tag_count));
  std::map<Sha256Digest, std::set<std::string>> expected;
  for (int i = 0; i < tag_count; ++i) {
    const std::string tag = "tag-" + std::to_string(i);
    const Sha256Digest digest = DigestOf(std::to_string(i % kDigests));
    builder.Add(tag, digest.bytes());
    expected[digest].insert(tag);
  }
  const TagIndex index = std::move(builder).Build();
  BOOST_TEST(index.size() == static_cast<std::size_t>(tag_count));
  for (const auto& [digest, tags] : expected) {
    std::set<std::string> found;
    bool each_found = true;
    for (const std::string_view tag : index.TagsOf(digest)) {
      each_found &= found.emplace(tag).second && index.Find(tag) == digest;
    }
    BOOST_TEST(each_found);
    BOOST_TEST((found == tags));
  }
  BOOST_TEST(!index.Find("tag-" + std::to_string(tag_count)));
  BOOST_TEST(!index.Find("tag-"));
  BOOST_TEST(index.TagsOf(DigestOf("none")).empty());
}

BOOST_AUTO_TEST_CASE(Moved_GoesOnWorking) {
  TagIndex::Builder builder(Sha256{}, 1);
  builder.Add("1.0", DigestOf("a").bytes());
  TagIndex first = std::move(builder).Build();
  const TagIndex second = std::move(first);
  BOOST_TEST((second.Find("1.0") == DigestOf("a")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
