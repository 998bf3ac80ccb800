// SPDX-License-Identifier: Apache-2.0

// Evidence of signatures beside images that an earlier version left on the node's disk is read by
// this one, and what is no evidence is none: tests/data/state/README.md says how the copies were
// made.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/trust_io/cosign_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace data = boost::unit_test::data;

const std::string kName = CosignNode::kRepository;
const std::string kTagged = kName + ":1.0";

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A node with such a disk and without a registry.
struct UpgradedEvidence : CosignNode {
  void Find(const std::string& copy) {
    Stop();
    SetWall(*ParseRfc3339("2026-07-02T00:00:00Z"));
    SetDisk(std::make_unique<MemoryDisk>());
    const fs::path folder = fs::path(CRIVET_TEST_DATA) / "state" / copy;
    BOOST_REQUIRE(disk().MakePath("state") == 0);
    for (const auto& entry : fs::recursive_directory_iterator(folder / "state")) {
      const std::string at = entry.path().lexically_relative(folder).string();
      if (entry.is_directory()) {
        BOOST_REQUIRE(disk().MakePath(at) == 0);
      } else {
        Put(at, ReadAll(entry.path()));
      }
    }
    registry->With([](MemoryRegistry& held) { held.GoAway(); });
  }
  void Put(const std::string& at, const std::string& content) {
    const std::string folder = fs::path(at).parent_path().string();
    const int directory = disk().OpenPath(folder);
    const int made = disk().CreateToWrite(directory, fs::path(at).filename());
    disk().Sync(directory);
    disk().Close(made);
    disk().Close(directory);
    disk().WriteAt(at, content);
  }
  std::string Folder() {
    const auto names = disk().NamesAt("state/repositories");
    BOOST_REQUIRE(names.size() == 1U);
    return "state/repositories/" + names.front();
  }
  std::vector<std::string> EvidenceFiles() {
    std::vector<std::string> files;
    for (const std::string& name : disk().NamesAt(Folder())) {
      if (name.size() > 64) files.push_back(Folder() + "/" + name);
    }
    return files;
  }
  void Replace(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = disk().ReadAt(Folder() + "/" + file);
    const auto at = text.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    disk().WriteAt(Folder() + "/" + file, text.replace(at, from.size(), to));
  }
  const CollectionId id = SigstoreKind().IdOf("", kName);
};

BOOST_FIXTURE_TEST_SUITE(EarlierEvidenceTest, UpgradedEvidence)

BOOST_DATA_TEST_CASE_F(UpgradedEvidence, WhatEarlierVersionsKept_VouchesWithoutARegistry,
                       data::make({"evidence_1", "evidence_1_with_floors"}), copy) {
  Find(copy);
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  BOOST_TEST(Outcome(Present(by_digest)) == image);
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  BOOST_TEST(service().Status().state_problem.empty());
  const TrustView view = service().View(id);
  BOOST_TEST(view.records->size() == 1U);
  // Another rule's key vouches for nothing by it.
  Use({"key-other.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
}

BOOST_AUTO_TEST_CASE(FloorsOfTags_ThatEarlierVersionsKept_AreHeld) {
  Find("evidence_1_with_floors");
  Start();
  const auto first = service().ForgetTag(id, "1.0");
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST((first->own == *ParseRfc3339("2026-06-20T08:00:00Z")));
  const auto second = service().ForgetTag(id, "2.0");
  BOOST_REQUIRE(second.has_value());
  BOOST_TEST((second->own == *ParseRfc3339("2026-06-30T08:00:00Z")));
}

// What this version adds to it, this and an earlier one read.
BOOST_AUTO_TEST_CASE(WhatWasKept_IsWrittenOnTop_AndReadAgain) {
  Find("evidence_1_with_floors");
  Start();
  registry->With([](MemoryRegistry& held) {
    held.ComeBack();
    held.PutBundle(MemoryRegistry::TestData("bundles/key-ed25519-good.json"));
  });
  Use({"key-ed25519.pub"});
  Reconfigure();
  BOOST_TEST(Outcome(Pull(by_digest)) == image);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  for (const char* key : {"key-ed25519.pub", "key-p256.pub"}) {
    Use({key});
    Start();
    BOOST_TEST(Outcome(Present(kTagged)) == image);
  }
  BOOST_TEST(service().ForgetTag(id, "2.0")->own.has_value());
}

BOOST_AUTO_TEST_CASE(AFormatThatIsNotKnown_SaysSo_AndIsLeftAsItIs) {
  Find("evidence_1");
  for (const char* file : {"current.json", "spare.json"}) {
    Replace(file, "\"format\": 1", "\"format\": 2");
  }
  const std::string before = disk().ReadAt(Folder() + "/current.json");
  registry->With([](MemoryRegistry& held) { held.ComeBack(); });
  Start();
  const Decision refused = Pull(kTagged);
  BOOST_TEST(Outcome(refused) == "state");
  BOOST_TEST(Found(refused).find("a later version of crivet (format 2)") != std::string::npos);
  BOOST_TEST(disk().ReadAt(Folder() + "/current.json") == before);
}

// As a power cut, a full disk or a person may leave a file: it is none, is asked for again, and
// nothing is called damaged.
BOOST_DATA_TEST_CASE_F(UpgradedEvidence, AnEvidenceFileThatIsNotWhole_IsNone_AndIsAskedForAgain,
                       data::make({"empty", "cut", "gone", "not renamed"}), how) {
  Find("evidence_1");
  const std::string what = how;
  for (const std::string& file : EvidenceFiles()) {
    const std::string whole = disk().ReadAt(file);
    if (what == "empty") disk().WriteAt(file, "");
    if (what == "cut") disk().WriteAt(file, whole.substr(0, whole.size() / 2));
    if (what == "gone" || what == "not renamed") disk().RemoveAt(file);
    if (what == "not renamed") Put(file + ".tmp", whole);
  }
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == "unreachable");
  BOOST_TEST(service().Status().state_problem.empty());
  registry->With([](MemoryRegistry& held) { held.ComeBack(); });
  Advance(31s);
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  for (const std::string& name : disk().NamesAt(Folder())) {
    BOOST_TEST(!name.ends_with(".tmp"), name);
  }
}

// The other one answers, with the same floors.
BOOST_DATA_TEST_CASE_F(UpgradedEvidence, AManifestThatIsNotWhole_TheOtherAnswers,
                       data::make({"current.json", "spare.json"}) *
                           data::make({"empty", "cut", "gone"}),
                       file, how) {
  Find("evidence_1_with_floors");
  const std::string at = Folder() + "/" + file;
  const std::string whole = disk().ReadAt(at);
  const std::string what = how;
  if (what == "empty") disk().WriteAt(at, "");
  if (what == "cut") disk().WriteAt(at, whole.substr(0, whole.size() / 2));
  if (what == "gone") disk().RemoveAt(at);
  Start();
  BOOST_TEST(Outcome(Present(kTagged)) == image);
  BOOST_TEST(service().ForgetTag(id, "1.0")->own.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
