// SPDX-License-Identifier: Apache-2.0

// The client that the conformance suite of TUF drives, run as the suite runs it, against a server
// on loopback: what it asks for, what it stores and what it returns (tests/conformance/README.md).

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/trust/tuf_publisher.h"
#include "tests/support/trust_io/fault_server.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "trust/base/bytes.h"
#include "trust/base/time.h"

namespace crivet::trust {
namespace {

namespace fs = std::filesystem;
using Json = TufPublisher::Json;
using Names = std::vector<std::string>;

class Driven {
 public:
  Driven() : http_([this](FaultServer::Exchange& exchange) { Answer(exchange); }) {
    fs::create_directory(folder_ / "downloads");
  }

  void Init() { Init(server.files.at("1.root.json")); }
  void Init(const std::string& root) {
    std::ofstream(folder_ / "first", std::ios::binary) << root;
    BOOST_REQUIRE(Run({"--metadata-dir", State(), "init", folder_ / "first"}) == 0);
    BOOST_TEST(server.asked.empty());
  }
  int Refresh() {
    return Run({"--metadata-url", http_.Url() + "/metadata", "--metadata-dir", State(), "refresh"});
  }
  int Download(const Names& names) {
    Names words = {"--metadata-url", http_.Url() + "/metadata", "--metadata-dir", State()};
    for (const std::string& name : names) words.insert(words.end(), {"--target-name", name});
    words.insert(words.end(), {"--target-dir", folder_ / "downloads", "--target-base-url",
                               http_.Url() + "/targets", "download"});
    return Run(std::move(words));
  }

  // Content that the server has for a target.
  void Publish(const std::string& role, const std::string& name, const std::string& content) {
    server.Sign(role, name, content);
    artifacts[name] = content;
  }

  std::string Stored(const std::string& role) const {
    return Read(folder_ / ("state/" + role + ".json"));
  }
  /// 0: there is none.
  std::int64_t Version(const std::string& role) const {
    const std::string bytes = Stored(role);
    return bytes.empty() ? 0 : Json::parse(bytes)["signed"]["version"].get<std::int64_t>();
  }
  void Has(const std::vector<std::int64_t>& versions) const {
    std::vector<std::int64_t> stored;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      stored.push_back(Version(role));
    }
    BOOST_TEST(stored == versions, boost::test_tools::per_element());
  }
  std::size_t CountStored() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / "state")) {
      count += entry.path().extension() == ".json" ? 1 : 0;
    }
    return count;
  }
  Names Downloaded() const {
    Names contents;
    for (const auto& entry : fs::directory_iterator(folder_ / "downloads")) {
      contents.push_back(Read(entry.path()));
    }
    std::sort(contents.begin(), contents.end());
    return contents;
  }
  void HasDownloaded(Names contents) const {
    std::sort(contents.begin(), contents.end());
    BOOST_TEST(Downloaded() == contents, boost::test_tools::per_element());
  }
  void Asked(const Names& files) const {
    BOOST_TEST(server.asked == files, boost::test_tools::per_element());
  }

  TufPublisher server;
  std::map<std::string, std::string> artifacts;
  Names asked_for_artifacts;
  Names environment;

 private:
  static std::string Read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string State() const { return folder_ / "state"; }

  int Run(Names words) {
    const char* const client = getenv("TUF_CLIENT");
    BOOST_REQUIRE(client != nullptr);
    words.insert(words.begin(), client);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> variables;
    for (char** variable = environ; *variable != nullptr; ++variable)
      variables.push_back(*variable);
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    server.asked.clear();
    asked_for_artifacts.clear();
    pid_t child = 0;
    BOOST_REQUIRE(
        posix_spawn(&child, client, nullptr, nullptr, arguments.data(), variables.data()) == 0);
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  // The client is the only one who asks, and this thread waits for it meanwhile.
  void Answer(FaultServer::Exchange& exchange) {
    const std::lock_guard lock(mutex_);
    constexpr std::string_view kMetadata = "/metadata/";
    constexpr std::string_view kTargets = "/targets/";
    const std::string& path = exchange.request().target;
    if (path.starts_with(kMetadata)) {
      const Fetched file = server.Serve(path.substr(kMetadata.size()), 16 << 20);
      return file ? exchange.Reply(200, file->bytes) : exchange.Reply(404, "");
    }
    if (!path.starts_with(kTargets)) return exchange.Reply(400, "");
    // `dir/HASH.name`
    std::string name = path.substr(kTargets.size());
    const std::size_t file = name.rfind('/') + 1;
    name.erase(file, name.find('.', file) + 1 - file);
    asked_for_artifacts.push_back(name);
    const auto artifact = artifacts.find(name);
    if (artifact == artifacts.end()) return exchange.Reply(404, "");
    exchange.Reply(200, artifact->second);
  }

  TemporaryFolder folder_;
  std::mutex mutex_;
  FaultServer http_;
};

struct Initialised : Driven {
  Initialised() { Init(); }
};

BOOST_FIXTURE_TEST_SUITE(TufClientTest, Initialised)

BOOST_AUTO_TEST_CASE(Refresh_FirstContact_AsksForFourFilesAndStoresThemAsServed) {
  server.files.at("timestamp.json") += " ";
  BOOST_TEST(Refresh() == 0);
  Asked({"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"});
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    BOOST_TEST(Stored(role) == server.files.at(server.NameOf(role)));
  }
  BOOST_TEST(CountStored() == 4);
  BOOST_TEST(Downloaded().empty());
}

BOOST_AUTO_TEST_CASE(Download_OfAnUnknownName_RefreshesAndFails) {
  BOOST_TEST(Download({"nobody lists it"}) == 1);
  Asked({"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"});
  Has({1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(FirstRoot_ThatIsNone_AsksForNothing) {
  Json invalid = Json::parse(server.files.at("1.root.json"));
  Json unsigned_root = invalid;
  invalid["signed"].erase("version");
  unsigned_root["signatures"][0]["sig"] = "3045";
  for (const Json& root : {invalid, unsigned_root}) {
    Driven other;
    other.Init(root.dump());
    BOOST_TEST(other.Refresh() == 1);
    other.Asked({});
  }
}

BOOST_AUTO_TEST_CASE(Refresh_RoleSignedByAStranger_StoresWhatCameBefore) {
  const std::pair<const char*, std::vector<std::int64_t>> rows[] = {{"root", {1, 1, 1, 1}},
                                                                    {"timestamp", {2, 1, 1, 1}},
                                                                    {"snapshot", {2, 2, 1, 1}},
                                                                    {"targets", {2, 2, 2, 1}}};
  for (const auto& [role, versions] : rows) {
    BOOST_TEST_CONTEXT(role) {
      Initialised other;
      BOOST_TEST(other.Refresh() == 0);
      other.server[role].signers = {SigningKey::Ed25519()};
      other.server.Publish({"root"});
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 1);
      other.Has(versions);
    }
  }
}

BOOST_AUTO_TEST_CASE(Refresh_FileIsNotThere_IsTheLastRequest) {
  for (const std::string role : {"timestamp", "snapshot", "targets"}) {
    BOOST_TEST_CONTEXT(role) {
      Initialised other;
      const std::string name = other.server.NameOf(role);
      other.server.files.erase(name);
      BOOST_TEST(other.Refresh() == 1);
      BOOST_TEST(other.server.asked.back() == name);
      BOOST_TEST(other.Version(role) == 0);
      BOOST_TEST((other.Version("timestamp") == 1) == (role != "timestamp"));
    }
  }
}

BOOST_AUTO_TEST_CASE(Timestamp_EqualVersionWithOtherContent_StaysAsItIs) {
  BOOST_TEST(Refresh() == 0);
  const std::string before = Stored("timestamp");
  Json content = server.Content("timestamp");
  content["meta"]["snapshot.json"]["version"] = 100;
  server.files["timestamp.json"] = TufPublisher::Signed(content, server["timestamp"].keys);
  BOOST_TEST(Refresh() == 0);
  Asked({"2.root.json", "timestamp.json"});
  BOOST_TEST(Stored("timestamp") == before);
}

BOOST_AUTO_TEST_CASE(Root_HasExpired_IsStoredAndNothingElseIs) {
  BOOST_TEST(Refresh() == 0);
  server.Publish({"root"});
  server["root"].expires = "2025-01-01T00:00:00Z";
  server.Publish({"root"});
  server.PublishEdition();
  BOOST_TEST(Refresh() == 1);
  Has({3, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(Refresh_ExpiredRole_IsNotStored) {
  const std::pair<const char*, std::vector<std::int64_t>> rows[] = {
      {"timestamp", {1, 1, 1, 1}}, {"snapshot", {1, 2, 1, 1}}, {"targets", {1, 2, 2, 1}}};
  for (const auto& [role, versions] : rows) {
    BOOST_TEST_CONTEXT(role) {
      Initialised other;
      BOOST_TEST(other.Refresh() == 0);
      other.server[role].expires = "2025-01-01T00:00:00Z";
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 1);
      other.Has(versions);
    }
  }
}

// Time is the process's: of one that thinks it is eight days later.
BOOST_AUTO_TEST_CASE(Clock_OfTheClientAlone_IsEightDaysAhead) {
  const char* const library = getenv("TUF_FAKETIME");
  if (library == nullptr || !fs::exists(library)) {
    BOOST_TEST_MESSAGE("no libfaketime: not tested");
    return;
  }
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch();
  server["root"].expires = FormatRfc3339(TimePoint(now + std::chrono::hours(24 * 7)));
  server.Publish({"root"});
  BOOST_TEST(Refresh() == 0);
  environment = {std::string("LD_PRELOAD=") + library, "FAKETIME=+8d"};
  BOOST_TEST(Refresh() == 1);
  environment = {std::string("LD_PRELOAD=") + library, "FAKETIME=+6d"};
  BOOST_TEST(Refresh() == 0);
}

BOOST_AUTO_TEST_CASE(Download_NamesWithAndWithoutFolders_AreStored) {
  Publish("targets", "file.txt", "one");
  Publish("targets", "path/to/a/file.txt", "two");
  server.PublishEdition();
  BOOST_TEST(Refresh() == 0);
  HasDownloaded({});
  BOOST_TEST(Download({"file.txt"}) == 0);
  HasDownloaded({"one"});
  BOOST_TEST(Download({"path/to/a/file.txt"}) == 0);
  HasDownloaded({"one", "two"});
}

BOOST_AUTO_TEST_CASE(Download_OtherBytesThanSigned_AreNeverStored) {
  Publish("targets", "one", "first");
  Publish("targets", "two", "second");
  server.PublishEdition();
  BOOST_TEST(Download({"one"}) == 0);
  artifacts["one"] = artifacts["two"] = "malice";
  Download({"one"});
  HasDownloaded({"first"});
  BOOST_TEST(Download({"two"}) == 1);
  HasDownloaded({"first"});
}

BOOST_AUTO_TEST_CASE(Download_OfANewerEdition_TakesTheOldOnesPlace) {
  for (const char* content : {"one", "two", "three"}) {
    Publish("targets", "file", content);
    server.PublishEdition();
    BOOST_TEST(Download({"file"}) == 0);
    HasDownloaded({content});
    artifacts["file"] = "malice";
    server.PublishEdition();
    Download({"file"});
    HasDownloaded({content});
  }
}

BOOST_AUTO_TEST_CASE(Download_ByEachHashThatIsKnown_AndByNoOther) {
  const std::string content = "content";
  const std::string sha256 = ToHex(Sha256Of(content));
  const std::string sha512 = ToHex(Sha512Of(content));
  const std::pair<Json, int> rows[] = {
      {{{"sha256", sha256}}, 0},
      {{{"sha512", sha512}}, 0},
      {{{"sha256", sha256}, {"sha512", sha512}}, 0},
      {{{"sha256", sha256}, {"sha512", std::string(128, '0')}}, 1},
      {{{"blake2b", sha256}}, 1},
  };
  artifacts["file"] = content;
  for (const auto& [hashes, result] : rows) {
    BOOST_TEST_CONTEXT(hashes) {
      Initialised other;
      other.artifacts = artifacts;
      other.server["targets"].targets["file"] = {{"length", content.size()}, {"hashes", hashes}};
      other.server.PublishEdition();
      BOOST_TEST(other.Download({"file"}) == result);
      other.HasDownloaded(result == 0 ? Names{content} : Names{});
    }
  }
}

BOOST_AUTO_TEST_CASE(Download_WhatIsHere_IsNotAskedForAgain) {
  Publish("targets", "file", "content");
  server.PublishEdition();
  BOOST_TEST(Download({"file"}) == 0);
  BOOST_TEST(asked_for_artifacts.size() == 1);
  BOOST_TEST(Download({"file"}) == 0);
  BOOST_TEST(asked_for_artifacts.empty());
}

BOOST_AUTO_TEST_CASE(Threshold_NotMet_TheFileBeforeStays) {
  BOOST_TEST(Refresh() == 0);
  server["snapshot"].threshold = 3;
  server["snapshot"].keys.push_back(SigningKey::Ed25519());
  server.Publish({"root"});
  server.PublishEdition();
  BOOST_TEST(Refresh() == 1);
  Has({2, 2, 1, 1});
  server["snapshot"].keys.push_back(SigningKey::Ed25519());
  server.Publish({"root"});
  server.PublishEdition();
  BOOST_TEST(Refresh() == 0);
  Has({3, 3, 3, 3});
}

BOOST_AUTO_TEST_CASE(Signatures_OneKeyTwice_AreRefused) {
  BOOST_TEST(Refresh() == 0);
  server.PublishEdition();
  Json file = Json::parse(server.files.at("timestamp.json"));
  file["signatures"].push_back(file["signatures"][0]);
  server.files["timestamp.json"] = file.dump();
  BOOST_TEST(Refresh() == 1);
  Has({1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(Keys_OfEachKind_SignARepository) {
  for (const SigningKey& key :
       {SigningKey::Rsa(), SigningKey::Ecdsa("P-256"), SigningKey::Ed25519()}) {
    BOOST_TEST_CONTEXT(key.method()) {
      Initialised other;
      for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
        other.server[role].keys = {key};
      }
      other.server.Publish({"root"});
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 0);
      other.Has({2, 2, 2, 2});
    }
  }
}

BOOST_AUTO_TEST_CASE(Roles_OfUnusualNames_AreOneFileEach) {
  for (const std::string role : {"?", "#", "/delegatedrole", "../delegatedrole"}) {
    BOOST_TEST_CONTEXT(role) {
      Initialised other;
      other.server.Delegate("targets", role, {"*"});
      other.server.PublishEdition({"targets", role});
      BOOST_TEST(other.Download({"nobody lists it"}) == 1);
      BOOST_TEST(other.server.asked.back() == other.server.NameOf(role));
      BOOST_TEST(other.CountStored() == 5);
    }
  }
}

BOOST_AUTO_TEST_CASE(Rollback_FromOneRunToTheNext_IsRefused) {
  for (const bool hashes : {false, true}) {
    BOOST_TEST_CONTEXT(hashes) {
      Initialised other;
      other.server.lists_hashes = hashes;
      other.server.PublishEdition();
      const TufPublisher older = other.server;
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 0);
      const TufPublisher newer = other.server;
      other.server = older;
      BOOST_TEST(other.Refresh() == 1);
      other.Has({1, 3, 3, 3});
      other.server = newer;
      other.server["snapshot"].version = 1;
      other.server.Publish({"timestamp"});
      BOOST_TEST(other.Refresh() == 1);
      other.Has({1, 3, 3, 3});
      other.server = newer;
      other.server["targets"].version = 1;
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 1);
      other.Has({1, 4, 3, 3});
    }
  }
}

BOOST_AUTO_TEST_CASE(Snapshot_EntryVanishes_IsRefused) {
  server.Delegate("targets", "web", {"web:*"});
  server.PublishEdition({"targets", "web"});
  BOOST_TEST(Refresh() == 0);
  server.unlisted.insert("web");
  server.PublishEdition();
  BOOST_TEST(Refresh() == 1);
  Has({1, 3, 2, 2});
}

// The right keys rotate, and versions fall.
BOOST_AUTO_TEST_CASE(FastForward_FromOneRunToTheNext_IsRecoveredFrom) {
  struct Row {
    const char* role;
    Names rotate;
    std::vector<std::int64_t> versions;
  };
  const Row rows[] = {{"timestamp", {"timestamp"}, {2, 1, 3, 3}},
                      {"snapshot", {"timestamp", "snapshot"}, {2, 3, 1, 3}},
                      {"targets", {"snapshot"}, {2, 3, 3, 1}}};
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT(row.role) {
      Initialised other;
      other.server[row.role].version = 99;
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 0);
      BOOST_TEST(other.Version(row.role) == 100);
      for (const std::string& role : row.rotate) other.server[role].keys = {SigningKey::Ed25519()};
      other.server[row.role].version = 0;
      other.server.Publish({"root"});
      other.server.PublishEdition();
      BOOST_TEST(other.Refresh() == 0);
      other.Has(row.versions);
    }
  }
}

BOOST_AUTO_TEST_CASE(Download_RoleGoodThroughOneDelegatorAlone_IsVerifiedForEach) {
  for (const char* from : {"a", "b"}) {
    server.Delegate("targets", from, {std::string(from) + "/*"});
    server.Delegate(from, "shared", {std::string(from) + "/*"});
    Publish("shared", std::string(from) + "/file", from);
  }
  const SigningKey other = SigningKey::Ed25519();
  Json& delegations = server["b"].delegations;
  delegations["keys"][TufPublisher::IdOf(other)] = TufPublisher::KeyJson(other);
  delegations["roles"][0]["keyids"] = {TufPublisher::IdOf(other)};
  delegations["roles"][0]["threshold"] = 1;
  server.PublishEdition({"targets", "a", "b", "shared"});
  BOOST_TEST(Download({"a/file", "b/file"}) == 1);
  HasDownloaded({"a"});
}

BOOST_AUTO_TEST_CASE(Download_ThroughADelegationThatTheSnapshotDoesNotList_AsksForNoRole) {
  server.Delegate("targets", "web", {"*"});
  server.unlisted.insert("web");
  server.PublishEdition({"targets", "web"});
  BOOST_TEST(Refresh() == 0);
  BOOST_TEST(Download({"file"}) == 1);
  Asked({"2.root.json", "timestamp.json"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
