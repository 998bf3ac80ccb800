// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "proxy/gate/node_review.h"
#include "proxy/runtime/node_inventory.h"
#include "tests/integration/gate/gate_fixture.h"
#include "tests/support/proxy/fake_crio.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";
constexpr char kPause[] = "registry.example/acme/pause:3.9";

// The runtime has to be there before the gate.
struct HasCrio {
  explicit HasCrio(const std::string& sandbox_image) : crio(sandbox_image) {}
  FakeCrio crio;
};

struct Crio : HasCrio, GateFixture {
  explicit Crio(const std::string& sandbox_image = kPause)
      : HasCrio(sandbox_image),
        GateFixture({.native_api = FakeCri::NativeApi::kMissing, .upstream = crio.socket()}) {
    decider.Verify("registry.example/acme/**");
    manifest = crio.MakeManifest("good layers", "good config");
    good = crio.MakeIndex(manifest);
    evil = crio.MakeManifest("evil layers", "evil config");
    for (const char* name : {kWeb, kPause}) {
      crio.Push(name, good);
      decider.Sign(name, good.digest);
    }
  }
  std::string Pinned(const std::string& repository, const FakeCrio::Manifest& image) const {
    return "registry.example/acme/" + repository + "@" + image.digest.ToString();
  }
  std::string IdOf(const std::string& name) { return Status(name).image().id(); }
  // What `crictl images` shows under a tag: the IDs of its images.
  std::vector<std::string> Listed(const std::string& tag) {
    std::vector<std::string> ids;
    const auto list = List();
    for (const auto& image : list.images()) {
      const auto& tags = image.repo_tags();
      if (std::count(tags.begin(), tags.end(), tag) > 0) ids.push_back(image.id());
    }
    return ids;
  }
  // What StreamImages tells, as one list.
  std::string Streamed(const std::string& filter,
                       grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    grpc::ClientContext context;
    context.set_compression_algorithm(compression);
    cri::StreamImagesRequest request;
    if (!filter.empty()) request.mutable_filter()->mutable_image()->set_image(filter);
    cri::ListImagesResponse all;
    cri::StreamImagesResponse message;
    const auto reader = images->StreamImages(&context, request);
    while (reader->Read(&message)) all.mutable_images()->MergeFrom(message.images());
    const auto status = reader->Finish();
    BOOST_TEST(status.ok(), status.error_message());
    return all.SerializeAsString();
  }
  using Ids = std::vector<std::string>;
  // Names of images and of containers' images, sorted.
  Ids WouldRefuse() {
    const auto inventory = TakeInventory(crio.socket(), "", folder.path());
    BOOST_REQUIRE(inventory.has_value());
    Ids names;
    ReviewNode(*inventory, decider,
               {.found = [&](const WouldBeRefused& one) { names.push_back(one.image); },
                .go_on = [] { return true; }});
    std::sort(names.begin(), names.end());
    return names;
  }
  void ExpectThatTheMovedTagCounts() {
    crio.Push(kWeb, evil);
    BOOST_TEST(Pull(kWeb).ok());
    BOOST_TEST(IdOf(kWeb) == evil.image_id);
    BOOST_TEST(Listed(kWeb) == Ids{evil.image_id}, boost::test_tools::per_element());
    BOOST_TEST(Create(evil.image_id, kWeb).error_message() == "");
    RestartGate();
    BOOST_TEST(IdOf(kWeb) == evil.image_id);
  }

  FakeCrio::Manifest manifest{.digest = *trust::Sha256Digest::Parse(proxy::IdOf('0')),
                              .image_id = ""};
  FakeCrio::Manifest good = manifest;
  FakeCrio::Manifest evil = manifest;
};

struct CrioWithPinnedPause : Crio {
  CrioWithPinnedPause() : Crio(Name()) {}
  static std::string Name() {
    FakeCrioStore store;
    const std::string manifest = store.AddManifest("good layers", "good config", "");
    return "registry.example/acme/pause@" + store.AddIndex(manifest, "index");
  }
};

}  // namespace

// What CRI-O does otherwise than containerd: IDs without `sha256:`, two digests of each index, no
// annotations by an index's digest, removal by name, names that it gives itself.
BOOST_AUTO_TEST_SUITE(CrioTest)

BOOST_FIXTURE_TEST_CASE(SignedIndex_IsPulledPresentListedAndRuns, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(crio.Pulled() == Ids{Pinned("web", good)}, boost::test_tools::per_element());
  BOOST_TEST(IdOf(kWeb) == good.image_id);
  BOOST_TEST(Listed(kWeb) == Ids{good.image_id}, boost::test_tools::per_element());
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(Create(good.image_id, "").ok());
}

BOOST_FIXTURE_TEST_CASE(Create_ByTag_RunsTheKeptImage, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Create(kWeb, kWeb).error_message() == "");
  BOOST_TEST(Create(kWeb, "").error_message() == "");
  BOOST_TEST(Create(Pinned("web", good), "").error_message() == "");
  BOOST_TEST(crio.Ran() == Ids(3, good.image_id), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(Create_ByTagInAuditMode_RunsTheKeptImage, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  decider.Verify("registry.example/acme/web").mode = trust::Mode::kAudit;
  decider.Withdraw(kWeb);
  BOOST_TEST(Create(kWeb, kWeb).error_message() == "");
  BOOST_TEST(crio.Ran() == Ids{good.image_id}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(ImageVolume_ByTag_MountsTheKeptImage, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(CreateWithVolume(good.image_id, kWeb, kWeb, kWeb).error_message() == "");
  BOOST_TEST(crio.Mounted() == Ids{good.image_id}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(BreakGlass_WhatWasPulledUnderVerifyRunsOn, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  decider.Allow("registry.example/acme/web");
  BOOST_TEST(IdOf(kWeb) == good.image_id);
  BOOST_TEST(Create(good.image_id, kWeb).error_message() == "");
}

BOOST_FIXTURE_TEST_CASE(AuditModeAfterVerify_TagMoved_TheNameMeansWhatItPulls, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  decider.Verify("registry.example/acme/web").mode = trust::Mode::kAudit;
  ExpectThatTheMovedTagCounts();
}

BOOST_FIXTURE_TEST_CASE(AllowRuleAfterVerify_TagMoved_TheNameMeansWhatItPulls, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  decider.Allow("registry.example/acme/web");
  ExpectThatTheMovedTagCounts();
}

BOOST_FIXTURE_TEST_CASE(VerifiedAfterPulledByName_TheSignedImageIsWhatTheNameMeans, Crio) {
  crio.Push(kWeb, evil);
  crio.PullBehind(kWeb);
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(IdOf(kWeb) == good.image_id);
  BOOST_TEST(Listed(kWeb) == Ids{good.image_id}, boost::test_tools::per_element());
  BOOST_TEST(!Create(evil.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(AuditPull_RecordsWhetherTheTagMovedAndRemembers, Crio) {
  decider.Verify("registry.example/acme/web").mode = trust::Mode::kAudit;
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(metrics.Read().moved == 0U);
  BOOST_TEST(decider.Remembered().size() == 1U);
  crio.Push(kWeb, evil);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(metrics.Read().moved == 1U);
  BOOST_TEST(decider.Remembered().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(IndexThatTheRuntimePulledByTag_IsPresent, Crio) {
  crio.PullBehind(kWeb);
  BOOST_TEST(IdOf(kWeb) == good.image_id);
  BOOST_TEST(Create(kWeb, kWeb).error_message() == "");
  crio.Push(kWeb, evil);
  crio.PullBehind(kWeb);
  BOOST_TEST(!IsPresent(kWeb));
}

BOOST_FIXTURE_TEST_CASE(SignedCheckpoint_IsRefusedByWhateverNameItIsCreated, Crio) {
  const auto checkpoint = crio.MakeIndex(crio.MakeManifest(
      "memory", "checkpoint config", "io.kubernetes.cri-o.annotations.checkpoint.name"));
  crio.Push(kWeb, checkpoint);
  decider.Sign(kWeb, checkpoint.digest);
  BOOST_TEST(Pull(kWeb).ok());
  for (const auto& name : {Pinned("web", checkpoint), checkpoint.image_id, std::string(kWeb)}) {
    BOOST_TEST(Create(name, kWeb).error_message().find("checkpoint") != std::string::npos);
    BOOST_TEST(Create(name, "").error_message().find("checkpoint") != std::string::npos);
  }
  BOOST_TEST(crio.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(RemovedByTag_TheImageIsGone, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Remove(kWeb).ok());
  BOOST_TEST(!crio.NamesOf(good.image_id).has_value());
  BOOST_TEST(List().images().empty());
}

BOOST_FIXTURE_TEST_CASE(RemovedByTagThatTheRuntimeHasToo_TheNameIsGone, Crio) {
  crio.PullBehind(kWeb);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Remove(kWeb).ok());
  BOOST_TEST(!crio.NamesOf(good.image_id).has_value());

  crio.Push(kWeb, evil);
  crio.PullBehind(kWeb);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Remove(kWeb).ok());
  decider.Allow("registry.example/acme/web");
  BOOST_TEST(!IsPresent(kWeb));
}

BOOST_FIXTURE_TEST_CASE(RemovedById_ItsTagsDoNotComeBack, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Remove(good.image_id.substr(0, 12)).ok());
  BOOST_TEST(!IsPresent(kWeb));
  crio.PullBehind(Pinned("web", good));
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(Listed(kWeb).empty());
}

BOOST_FIXTURE_TEST_CASE(RemovedByDigest_TheTagStaysWithTheImageOrGoesWithIt, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Remove(Pinned("web", good)).ok());
  BOOST_TEST(IsPresent(kWeb) == crio.NamesOf(good.image_id).has_value());
  BOOST_TEST(Remove(Pinned("web", manifest)).ok());
  BOOST_TEST(!crio.NamesOf(good.image_id).has_value());
  crio.PullBehind(Pinned("web", good));
  BOOST_TEST(!IsPresent(kWeb));
}

BOOST_FIXTURE_TEST_CASE(RemovedBehindCrivet_WhatTheRuntimePulledSinceCounts, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  crio.RemoveBehind(good.image_id);
  decider.Allow("registry.example/acme/web");
  crio.Push(kWeb, evil);
  crio.PullBehind(kWeb);
  BOOST_TEST(List(kWeb).images_size() == 1);
  BOOST_TEST(IdOf(kWeb) == evil.image_id);
  BOOST_TEST(Create(kWeb, kWeb).error_message() == "");
  BOOST_TEST(crio.Ran() == Ids{evil.image_id}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(PauseImage_AbsentUnderAVerifyRule_IsPulledByItsTagAndRuns, Crio) {
  BOOST_TEST(RunSandbox().error_message() == "");
  BOOST_TEST(RunSandbox().error_message() == "");
  BOOST_TEST(crio.SandboxesRan() == Ids(2, good.image_id), boost::test_tools::per_element());
  BOOST_TEST(crio.Pulled() == Ids{kPause}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(PauseImage_IndexThatTheRuntimeHasByTag_Runs, Crio) {
  crio.PullBehind(kPause);
  crio.DisconnectRegistry();
  BOOST_TEST(RunSandbox().error_message() == "");
  decider.Expire();
  BOOST_TEST(RunSandbox().error_message() == "");
}

BOOST_FIXTURE_TEST_CASE(PauseImage_RegistrysTagMoved_IsRefusedUntilItIsWhatIsSigned, Crio) {
  crio.Push(kPause, evil);
  BOOST_TEST(RunSandbox().error_message().starts_with("SignatureValidationFailed: "));
  BOOST_TEST(RunSandbox().error_message().find(good.digest.ToString()) != std::string::npos);
  BOOST_TEST(crio.SandboxesRan().empty());
  crio.Push(kPause, good);
  BOOST_TEST(RunSandbox().error_message() == "");
}

// crivet's own pull of it gives the runtime no tag, by which it will look.
BOOST_FIXTURE_TEST_CASE(PauseImage_OtherContentUnderTheRuntimesTag_IsNotTakenForTheKeptOne, Crio) {
  BOOST_TEST(Pull(kPause).ok());
  crio.Push(kPause, evil);
  crio.PullBehind(kPause);
  BOOST_TEST(!RunSandbox().ok());
  BOOST_TEST(crio.SandboxesRan().empty());
}

BOOST_FIXTURE_TEST_CASE(PauseImage_ByDigest_IsPulledByIt, CrioWithPinnedPause) {
  crio.Push(kPause, evil);
  BOOST_TEST(RunSandbox().error_message() == "");
  BOOST_TEST(crio.SandboxesRan() == Ids{good.image_id}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(PauseImage_AuditMode_RemembersWhatIsSigned, Crio) {
  decider.Verify("registry.example/acme/pause").mode = trust::Mode::kAudit;
  crio.PullBehind(kPause);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(decider.Remembered().size() == 1U);
  BOOST_TEST(metrics.Read().moved == 0U);
}

BOOST_FIXTURE_TEST_CASE(StreamImages_TellsWhatListImagesTells, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  crio.Push("registry.example/acme/web:2", evil);
  crio.PullBehind("registry.example/acme/web:2");
  for (const char* filter : {"", kWeb, "registry.example/acme/web:3"}) {
    const std::string listed = List(filter).SerializeAsString();
    BOOST_TEST(Streamed(filter) == listed);
    BOOST_TEST(Streamed(filter, GRPC_COMPRESS_GZIP) == listed);
    BOOST_TEST(Streamed(filter, GRPC_COMPRESS_DEFLATE) == listed);
  }
  crio.RemoveBehind(good.image_id);
  crio.Push(kWeb, evil);
  crio.PullBehind(kWeb);
  BOOST_TEST(Streamed(kWeb) == List(kWeb).SerializeAsString());
}

BOOST_FIXTURE_TEST_CASE(WouldRefuse_ASignedIndexByNoneOfItsDigests, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  crio.PullBehind(kPause);
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(WouldRefuse() == Ids(), boost::test_tools::per_element());
  crio.Push("registry.example/acme/web:2", evil);
  crio.PullBehind("registry.example/acme/web:2");
  const Ids refused = {"registry.example/acme/web:2", Pinned("web", evil)};
  BOOST_TEST(WouldRefuse() == refused, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(WouldRefuse_AKeptTagThatIsWithdrawn, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  decider.Withdraw(kWeb);
  const auto refused = WouldRefuse();
  BOOST_TEST(std::count(refused.begin(), refused.end(), kWeb) == 2);
}

BOOST_FIXTURE_TEST_CASE(WouldRefuse_NotAContainerUnderAnAllowRuleByItsKeptTag, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  decider.Allow("registry.example/acme/web");
  BOOST_TEST(WouldRefuse() == Ids(), boost::test_tools::per_element());
}

// IDs do not move here: what was judged runs, whatever happens to its names meanwhile.
BOOST_FIXTURE_TEST_CASE(NamesMoveWhileItIsJudged_TheJudgedImageRuns, Crio) {
  BOOST_TEST(Pull(kWeb).ok());
  crio.Push("registry.example/acme/a:1", good);
  crio.PullBehind("registry.example/acme/a:1");
  decider.OnDecide([this](const trust::Question&) {
    crio.Push("registry.example/acme/a:1", evil);
    crio.PullBehind("registry.example/acme/a:1");
    crio.Push(kWeb, evil);
    crio.PullBehind(kWeb);
  });
  BOOST_TEST(Create(kWeb, kWeb).error_message() == "");
  BOOST_TEST(Create(good.image_id, kWeb).error_message() == "");
  BOOST_TEST(crio.Ran() == Ids(2, good.image_id), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
