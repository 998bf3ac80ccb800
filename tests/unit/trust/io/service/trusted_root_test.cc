// SPDX-License-Identifier: Apache-2.0

// A trusted root of sigstore that is a target of a repository of TUF, behind the whole service: who
// waits for it, what stays where a newer one is none, and what becomes of evidence.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/keyless_node.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "trust/io/service/files_fetcher.h"
#include "trust/io/service/folder_fetcher.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(TrustedRootTest, KeylessNode)

BOOST_AUTO_TEST_CASE(TheFirstPull_WaitsForTheRoot_AndIsJudgedByIt) {
  BOOST_TEST(PullOf(kName + ":1.0") == image);
  BOOST_TEST(Asked(kTarget));
}

BOOST_AUTO_TEST_CASE(ARootThatIsHere_IsNotAskedForAgain) {
  BOOST_TEST(PullOf(kName + ":1.0") == image);
  tuf->With([](TufPublisher& publisher) { publisher.asked.clear(); });
  BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
  BOOST_TEST(!Asked(".json"));
}

// Both have one collection, and the one with keys is answered while the other waits for its root.
BOOST_AUTO_TEST_CASE(OfTwoTrustsOfOneKind_TheOneThatWaitedForItsRoot_IsAskedToo) {
  AddServer("keys", "").kind = std::string(SigstoreKind().name());
  SetFetcher("keys", registry);
  Rule rule = KeylessImages();
  rule.combine = Combine::kAnyOf;
  rule.members.insert(rule.members.begin(),
                      {"keys", "", &SigstoreKind(), MemoryRegistry::DemandFor({"key-other.pub"})});
  SetRules(std::vector<Rule>{rule}, Rule{}, {ReaderUnder(TufFleet::Pinned(first_root))});
  Start();
  BOOST_TEST(PullOf(kName + ":1.0") == image);
}

// As LocalReview asks about what is here.
BOOST_AUTO_TEST_CASE(WhatIsAskedOfOneMember_IsJudgedByTheRootToo) {
  BOOST_TEST(PullOf(by_digest) == image);
  Question question = Ask(by_digest);
  question.local = MemoryRegistry::Image();
  question.of_member =
      Question::Member{service().policy()->RulesFor(question.reference, wall()).front(), 0};
  BOOST_TEST(Outcome(service().DecideNow(std::move(question))) == image);
}

BOOST_AUTO_TEST_CASE(WithoutARoot_NothingIsJudged_AndItIsNoAnswer) {
  tuf->SetAway(true);
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  BOOST_TEST(Found(Pull(by_digest)).find("trusted_root.json of [trust.roots]") !=
             std::string::npos);
  tuf->SetAway(false);
  Advance(31s);
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(AfterARestart_WithoutServers_WhatWasPulledIsPresent) {
  BOOST_TEST(PullOf(by_digest) == image);
  tuf->SetAway(true);
  registry->With([](MemoryRegistry& held) { held.GoAway(); });
  Start();
  BOOST_TEST(PresentOf() == image);
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(AfterItsRepositoryHasExpired_NewDigestsAreNoAnswer_AndKnownOnesCount) {
  tuf->With([](TufPublisher& publisher) {
    publisher["timestamp"].expires = "2026-11-01T00:00:00Z";
    publisher.PublishEdition();
  });
  BOOST_TEST(PullOf(by_digest) == image);
  tuf->SetAway(true);
  SetWall(TimePoint{std::chrono::sys_days{std::chrono::year{2027} / 1 / 1}});
  BOOST_TEST(PullOf(by_digest) == image);
  BOOST_TEST(PresentOf() == image);
  BOOST_TEST(PullOf(AnotherImage()) == "expired");
}

BOOST_AUTO_TEST_CASE(ANewerRootWithoutThatAuthority_TakesItsImagesWithIt_AndItComesBack) {
  BOOST_TEST(PullOf(by_digest) == image);
  Publish(TestRoot("root_wrong_rekor_key.json"));
  BOOST_TEST(Refreshed());
  BOOST_TEST(PresentOf() == "transparency-log");
  BOOST_TEST(PullOf(by_digest) == "transparency-log");
  Publish(TestRoot("trusted_root.json"));
  BOOST_TEST(Refreshed());
  BOOST_TEST(PresentOf() == image);
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(WhatWasFoundUnderTheRootBefore_HoldsNothingBackUnderTheNext) {
  Publish(TestRoot("root_wrong_rekor_key.json"));
  BOOST_TEST(PullOf(by_digest) == "transparency-log");
  Publish(TestRoot("trusted_root.json"));
  BOOST_TEST(Refreshed());
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(ANewerFileThatIsNone_IsRefused_AndTheOneBeforeStays) {
  BOOST_TEST(PullOf(by_digest) == image);
  const std::string without_ca =
      R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1",)"
      R"("tlogs":[],"ctlogs":[],"certificateAuthorities":[],"timestampAuthorities":[]})";
  for (const std::string& content : {std::string("<html>"), without_ca}) {
    Publish(content);
    const RefreshOutcome outcome = service().Import(TufKind().IdOf(kTufUrl, "*"), Copy());
    BOOST_REQUIRE((outcome && outcome->file_failure));
    BOOST_TEST(outcome->file_failure->error.detail.find("kind = \"sigstore\"") !=
               std::string::npos);
    BOOST_TEST(PresentOf() == image);
    BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
    Start();
    BOOST_TEST(PresentOf() == image);
    BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
  }
}

BOOST_AUTO_TEST_CASE(BytesThatAreNotTheListedOnes_OrTooMany_AreRefused) {
  const std::string good = TestRoot("trusted_root.json");
  std::string other = good;
  other.back() = ' ';
  for (const std::string& served : {other, good + " "}) {
    Publish(good, served);
    BOOST_TEST(!Refreshed());
    BOOST_TEST(PullOf(by_digest) == "no-trust-data");
    Advance(31s);
  }
  Publish(std::string(5 * 1024 * 1024, ' '));
  BOOST_TEST(!Refreshed());
  Publish(good);
  BOOST_TEST(Refreshed());
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(ARoleThatNamesIt_MayBeDelegated) {
  tuf->With([](TufPublisher& publisher) {
    publisher["targets"].targets.clear();
    publisher.Delegate("targets", "sigstore", {kTarget});
    publisher.Sign("sigstore", kTarget, TestRoot("trusted_root.json"));
    publisher.PublishEdition({"targets", "sigstore"});
  });
  BOOST_TEST(PullOf(by_digest) == image);
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PresentOf() == image);
}

BOOST_AUTO_TEST_CASE(InTheBackground_ItIsHadBeforeAnybodyAsks) {
  Start(TrustService::Refreshing::kInBackground);
  for (int tries = 0; tries < 500 && !Asked(kTarget); ++tries) std::this_thread::sleep_for(10ms);
  BOOST_TEST(Asked(kTarget));
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(ForgottenByHand_ItIsHadAnew) {
  BOOST_TEST(PullOf(by_digest) == image);
  tuf->SetAway(true);
  BOOST_TEST(service().Forget(TufKind().IdOf(kTufUrl, "*")).has_value());
  BOOST_TEST(PresentOf() == "no-trust-data");
  tuf->SetAway(false);
  Advance(31s);
  BOOST_TEST(PresentOf() == image);
}

BOOST_AUTO_TEST_CASE(RolledBackToAnEarlierEdition_IsRefused) {
  const TufPublisher earlier = tuf->With([](TufPublisher& publisher) { return publisher; });
  Publish(TestRoot("root_wrong_rekor_key.json"));
  BOOST_TEST(PullOf(by_digest) == "transparency-log");
  tuf->With([&](TufPublisher& publisher) { publisher = earlier; });
  BOOST_TEST(!Refreshed());
  Start();
  BOOST_TEST(PullOf(by_digest) == "transparency-log");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(FilesFetcher_AsksForFilesBelowTheirOwnAddress) {
  const TemporaryFolder folder;
  for (const char* place : {"metadata", "targets"}) {
    std::filesystem::create_directories(folder / place);
    std::ofstream(folder / (std::string(place) + "/file")) << place;
  }
  const auto below = [&](const std::string& place) {
    return std::make_shared<FolderFetcher>(folder / place);
  };
  FilesFetcher fetcher(below("metadata"),
                       [&] { return Result<std::shared_ptr<MetadataFetcher>>(below("targets")); });
  FileRequest request;
  request.file_names = {"file"};
  request.max_bytes = 100;
  BOOST_TEST(fetcher.Fetch(request, {}).fetched->bytes == "metadata");
  request.below = FileRequest::Below::kFilesUrl;
  BOOST_TEST(fetcher.Fetch(request, {}).fetched->bytes == "targets");
}

}  // namespace
}  // namespace crivet::trust
