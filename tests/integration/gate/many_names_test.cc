// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "containerd/services/images/v1/images.pb.h"
#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";
// Of their own, that sort before and behind the image's.
constexpr char kFirst[] = "docker.io/library/aaa:";
constexpr char kLast[] = "zzz.example/library/aaa:";

struct Node : GateFixture {
  Node() : Node(Settings()) {}
  explicit Node(Settings settings) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    decider.Verify("docker.io/library/*");
    decider.Verify("zzz.example/library/*");
    good = runtime.MakeManifest("good layers", "good config");
    decider.Sign(kWeb, good.digest);
    runtime.Push(kWeb, good);
    runtime.Import(kWeb, good);
    runtime.Import(Pinned(), good);
  }

  std::string Pinned() const { return trust::ImageReference::Parse(kWeb)->PinnedTo(good.digest); }

  // What strangers can do by pulls alone: names of the signed image, each with a manifest of its
  // own that has the same configuration.
  void NameByStrangers(int count, const std::string& prefix) {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      const auto twin = runtime.MakeManifest(prefix + number, "good config");
      BOOST_REQUIRE(twin.image_id == good.image_id);
      runtime.Import(prefix + number, twin);
      runtime.Import(trust::ImageReference::Parse(prefix + number)->PinnedTo(twin.digest), twin);
    }
  }

  // How many names the latest question to containerd's own API was about.
  int FiltersOfTheLatestList() const {
    ::containerd::services::images::v1::ListImagesRequest request;
    request.ParseFromString(runtime.Calls("Images.List").back().request);
    return request.filters_size();
  }

  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
};

struct NodeOfThreads : Node {
  NodeOfThreads() : Node({.answering = FakeDecider::Answering::kOnAnotherThread}) {}
};

bool Says(const grpc::Status& status, const std::string& word) {
  return status.error_message().find(word) != std::string::npos;
}

}  // namespace

// No number of names, tags or manifests of one tenant changes what another is answered.
BOOST_AUTO_TEST_SUITE(ManyNamesTest)

BOOST_FIXTURE_TEST_CASE(AuthorsName_IsFoundAmongAnyNumberOfOthers, Node) {
  NameByStrangers(4200, kFirst);
  BOOST_TEST(IsPresent(kWeb));
  const auto status = Create(good.image_id, kWeb);
  BOOST_TEST(status.ok(), status.error_message());
  // Its own, the ID, and the one that the runtime goes by.
  BOOST_TEST(FiltersOfTheLatestList() == 3);
  BOOST_TEST(CreateWithVolume(good.image_id, kWeb, good.image_id, kWeb).ok());
  BOOST_TEST(Create(kWeb, "").ok());
  BOOST_TEST(Pull(kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(AuthorsName_IsJudgedOnceHoweverManyManifestsThereAre, Node) {
  NameByStrangers(100, kFirst);
  const auto before = decider.Asked().size();
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(decider.Asked().size() == before + 1);
}

BOOST_FIXTURE_TEST_CASE(AuthorsNameThatMovedOn_IsVouchedForByItsRecord, Node) {
  const auto next = runtime.MakeManifest("next layers", "next config");
  NameByStrangers(100, kFirst);
  BOOST_TEST(Pull(kWeb).ok());
  runtime.Push(kWeb, next);
  decider.Sign(kWeb, next.digest);
  BOOST_TEST(Pull(kWeb).ok());
  // kubelet asked for the ID before that pull.
  const auto status = Create(good.image_id, kWeb);
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_TEST(Create(next.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(NobodysName_IsRefusedAmongAnyNumberOfOthers, Node) {
  NameByStrangers(100, kFirst);
  BOOST_TEST(!Create(good.image_id, std::string(kFirst) + "1").ok());
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_SignedNameIsFoundAmongThousands, Node) {
  NameByStrangers(2100, kFirst);
  NameByStrangers(2100, kLast);
  const auto status = Create(good.image_id, "");
  BOOST_TEST(status.ok(), status.error_message());
}

// containerd sends no answer above 16 MiB.
BOOST_FIXTURE_TEST_CASE(OldKubelet_MoreNamesThanOneAnswerHolds_AreAskedForOneByOne, Node) {
  decider.Deny("zzz.example/forbidden");
  NameByStrangers(50, kFirst);
  runtime.Fail("Images.List", {.code = grpc::RESOURCE_EXHAUSTED,
                               .message = "trying to send message larger than max"});
  BOOST_TEST(Create(good.image_id, "").ok());
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  runtime.Import("zzz.example/forbidden:1", good);
  const auto status = Create(good.image_id, "");
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(Says(status, "refused by a rule"), status.error_message());
}

// What is asked of slow servers is asked side by side: 100 names, a fifth of a second each.
BOOST_FIXTURE_TEST_CASE(OldKubelet_NamesWithSlowServers_DoNotAddUp, NodeOfThreads) {
  decider.Verify("docker.io/slow/*");
  for (int i = 0; i < 100; ++i) {
    runtime.Import("docker.io/slow/aaa:" + std::to_string(i), good);
  }
  runtime.Untag(kWeb);
  runtime.Untag(Pinned());
  decider.OnDecide([](const trust::Question& question) {
    if (question.reach == trust::Question::Reach::kOffline) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  });
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(!Create(good.image_id, "").ok());
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_NameUnderDenyThatIsJustMoving_IsRefused, Node) {
  decider.Deny("zzz.example/forbidden");
  const auto other = runtime.MakeManifest("other layers", "other config");
  runtime.Import("zzz.example/forbidden:1", good);
  // CRI still shows it at the image that it left.
  runtime.Move("zzz.example/forbidden:1", other, /*polls=*/1000);
  BOOST_TEST(!Create(good.image_id, "").ok());
}

// The name of the call itself moves, and CRI hears of it while the call is judged.
BOOST_FIXTURE_TEST_CASE(NameThatMovesWhileItIsJudged_IsJudgedAgain, Node) {
  const auto next = runtime.MakeManifest("next layers", "next config");
  decider.Sign(kWeb, next.digest);
  runtime.Move(kWeb, next, /*polls=*/2);
  const auto status = Create(kWeb, "");
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_TEST(runtime.Ran().at(0) == next.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(NameThatNeverStandsStill_IsRefusedAfterThreeLooks, Node) {
  const auto next = runtime.MakeManifest("next layers", "next config");
  decider.Withdraw(kWeb);
  runtime.Move(kWeb, next, /*polls=*/1000);
  const auto before = runtime.Calls("ImageStatus").size();
  BOOST_TEST(!Create(kWeb, "").ok());
  BOOST_TEST(runtime.Calls("ImageStatus").size() <= before + 4);
  BOOST_TEST(runtime.Ran().empty());
}

// A checkpoint of the same configuration under another name is not what the runtime takes.
BOOST_FIXTURE_TEST_CASE(CheckpointBehindTheFirstName_StopsNobody, Node) {
  const auto checkpoint =
      runtime.MakeManifest("pages", "good config", "org.criu.checkpoint.container.name");
  runtime.Import("zzz.example/library/aaa:1", checkpoint);
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(Create(good.image_id, "").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
