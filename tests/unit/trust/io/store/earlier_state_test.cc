// SPDX-License-Identifier: Apache-2.0

// What an earlier version left on the node's disk is read by this one: tests/data/state/README.md
// says how the copies were made.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/support/trust_io/test_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const fs::path kFolder = fs::path(CRIVET_TEST_DATA) / "state/format_1";
const std::string kName = TestNode::kWeb;
const std::string kFirst = DigestOf("web 1.0").ToString();
const std::string kSecond = DigestOf("web 1.0, second edition").ToString();
const std::string kThird = DigestOf("web 3.0").ToString();

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// ServedFolder is the server: away, or what it served one edition before the state was left.
class ServedFolder final : public MetadataFetcher {
 public:
  bool is_away = true;

  Answer Fetch(const FileRequest& request, const Terms& /*terms*/) override {
    using Kind = FetchFailure::Kind;
    if (is_away) {
      return {tl::unexpected(FetchFailure{Kind::kNetwork, NetworkCause::kUnreachable}), {}};
    }
    const fs::path file = kFolder / "older" / request.file_names.front();
    if (!fs::exists(file)) return {tl::unexpected(FetchFailure{Kind::kNotFound, {}}), {}};
    return {FetchedFile{ReadAll(file)}, {}};
  }
};

struct UpgradedNode : TestNode {
  UpgradedNode() {
    MakeFolder(kFolder / "state");
    for (const auto& entry : fs::recursive_directory_iterator(kFolder / "state")) {
      entry.is_directory() ? MakeFolder(entry.path()) : Put(entry.path());
    }
    SetFetcher("acme", server_);
    NotaryRule rule = VerifyRule("registry.acme.example/**", kName);
    const std::string pinned = ReadAll(kFolder / "root_key");
    rule.root.key_ids = {KeyId::Parse(pinned.substr(0, pinned.find('\n'))).value()};
    SetRules({rule});
    Advance(400s);
    Start();
  }

  void MakeFolder(const fs::path& folder) {
    BOOST_REQUIRE(disk().MakePath(folder.lexically_relative(kFolder).string()) == 0);
  }

  void Put(const fs::path& file) {
    const std::string folder = file.parent_path().lexically_relative(kFolder).string();
    const int directory = disk().OpenPath(folder);
    const int made = disk().CreateToWrite(directory, file.filename());
    disk().Sync(directory);
    disk().Close(made);
    disk().Close(directory);
    disk().WriteAt(folder + "/" + file.filename().string(), ReadAll(file));
  }

  Decision IfPresent(const std::string& tag, const std::string& local) {
    Question question = Ask(kName + ":" + tag);
    question.local = DigestOf(local);
    return service().DecideNow(question);
  }

  /// All but what the node knew of versions and what it verified.
  void LoseTheFiles() {
    Stop();
    for (const auto& entry : fs::recursive_directory_iterator(kFolder / "state")) {
      const bool is_metadata = entry.path().stem().string().size() == 64;
      if (is_metadata && entry.is_regular_file()) {
        disk().RemoveAt(entry.path().lexically_relative(kFolder).string());
      }
    }
    Start();
  }

  ServedFolder& served() { return *server_; }

 private:
  std::shared_ptr<ServedFolder> server_ = std::make_shared<ServedFolder>();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(EarlierStateTest, UpgradedNode)

BOOST_AUTO_TEST_CASE(VerifiedSet_AnswersWithTheServerAway) {
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == kSecond);
  BOOST_TEST(Outcome(Pull(kName + ":2.0")) == "tag-not-signed");
  BOOST_TEST(Outcome(Pull(kName + ":3.0")) == kThird);
}

BOOST_AUTO_TEST_CASE(Records_LetRunWhatWasVerified) {
  const Decision moved = IfPresent("1.0", "web 1.0");
  BOOST_TEST(Outcome(moved) == kFirst);
  BOOST_TEST(moved.evidence.from_record);
  BOOST_TEST(Outcome(IfPresent("2.0", "web 2.0")) != DigestOf("web 2.0").ToString());
  BOOST_TEST(Outcome(IfPresent("1.0", "another")) != DigestOf("another").ToString());
  BOOST_TEST(StatusOf(kName).records == 3U);
}

BOOST_AUTO_TEST_CASE(OlderEdition_IsARollback) {
  served().is_away = false;
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == kSecond);
  BOOST_TEST(Outcome(Pull(kName + ":2.0")) != DigestOf("web 2.0").ToString());
  BOOST_REQUIRE(StatusOf(kName).last_failure);
  BOOST_TEST(CodeOf(StatusOf(kName).last_failure->error.reason) == "rollback");
}

BOOST_AUTO_TEST_CASE(OlderEdition_IsARollback_AlsoWhereOnlyTheFloorsAreLeft) {
  served().is_away = false;
  LoseTheFiles();
  BOOST_TEST(Outcome(Pull(kName + ":1.0")) == "rollback");
  BOOST_TEST(Outcome(Pull(kName + ":2.0")) == "rollback");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
