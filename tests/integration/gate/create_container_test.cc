// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/gate/gate_fixture.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";
constexpr char kOther[] = "registry.example/acme/other:1";
constexpr char kTools[] = "docker.io/library/tools:1";

struct Node : GateFixture {
  Node() : Node(Settings()) {}
  explicit Node(Settings settings) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    decider.Allow("docker.io/library/*");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    decider.Sign(kWeb, good.digest);
    runtime.Import(kWeb, good);
  }
  std::string Refusal(const grpc::Status& status) const {
    BOOST_TEST(status.error_code() == grpc::UNKNOWN, status.error_message());
    BOOST_TEST(runtime.Ran().empty());
    return status.error_message();
  }
  static bool Says(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
  }
  // Further names of the signed image, between `web` and what begins with z.
  void ImportMany(int count) {
    for (int i = 0; i < count; ++i) {
      runtime.Import("registry.example/acme/y-many:" + std::to_string(i), good);
    }
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

struct NodeThatAllowsCheckpoints : Node {
  NodeThatAllowsCheckpoints() : Node({.gate = Allowing()}) {}
  static Config::Gate Allowing() {
    Config::Gate gate;
    gate.allow_checkpoint = true;
    return gate;
  }
};

struct NodeWithStargz : Node {
  NodeWithStargz() : Node({.snapshotter = "stargz"}) {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(CreateContainerTest)

BOOST_FIXTURE_TEST_CASE(IdOfTheSignedImage_Runs, Node) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Ran().at(0) == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(IdOfTheSignedImage_RequestGoesOnByteForByte, Node) {
  auto request = CreateRequest(good.image_id, kWeb);
  // A field that no version of ours knows: number 1000, text.
  const std::string unknown = "\xc2\x3e\x03xyz";
  request.MergeFromString(unknown);
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  BOOST_TEST(runtime_stub->CreateContainer(&context, request, &response).ok());
  BOOST_TEST(runtime.Calls("CreateContainer").at(0).request == request.SerializeAsString());
  BOOST_TEST(request.SerializeAsString().ends_with(unknown));
}

BOOST_FIXTURE_TEST_CASE(UnsignedImage_IsRefused, Node) {
  runtime.Import("registry.example/acme/web:2", evil);
  Refusal(Create(evil.image_id, "registry.example/acme/web:2"));
}

// Nothing is lent: the ID of an image that another name makes good.
BOOST_FIXTURE_TEST_CASE(IdUnderAnotherGoodName_IsJudgedByTheAuthorsNameAlone, Node) {
  runtime.Import(kOther, good);
  Refusal(Create(good.image_id, kOther));
  Refusal(Create(good.image_id, "registry.example/acme/web:2"));
}

BOOST_FIXTURE_TEST_CASE(IdThatIsNotTheNamesImage_IsRefused, Node) {
  runtime.Import(kOther, evil);
  Refusal(Create(evil.image_id, kWeb));
}

BOOST_FIXTURE_TEST_CASE(AllowedName_LendsNothingToAnIdThatItDoesNotCarry, Node) {
  runtime.Import(kTools, good);
  runtime.Import(kOther, evil);
  BOOST_TEST(Says(Refusal(Create(evil.image_id, kTools)), "digest-mismatch"));
  BOOST_TEST(Create(good.image_id, kTools).ok());
}

BOOST_FIXTURE_TEST_CASE(AllowedName_ThatIsNotHere_IsRefused, Node) {
  Refusal(Create(good.image_id, kTools));
}

BOOST_FIXTURE_TEST_CASE(ShortenedIdAsTheAuthorsName_StartsNothing, Node) {
  runtime.Import(kOther, evil);
  Refusal(Create(evil.image_id, evil.image_id.substr(0, 19)));
}

BOOST_FIXTURE_TEST_CASE(ShortenedIdAsTheImage_StartsNothing, Node) {
  runtime.Import(kOther, evil);
  const auto status = Create(evil.image_id.substr(0, 19), kTools);
  BOOST_TEST(status.error_code() == grpc::NOT_FOUND);
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(Path_IsRefused, Node) {
  Refusal(Create("/var/lib/kubelet/checkpoints/c.tar", kWeb));
  Refusal(Create("/var/lib/kubelet/checkpoints/c.tar", ""));
}

BOOST_FIXTURE_TEST_CASE(NoImage_IsRefused, Node) { Refusal(Create("", "")); }

BOOST_FIXTURE_TEST_CASE(Name_GoesOnAsTheIdThatWasJudged, Node) {
  BOOST_TEST(Create(kWeb, "").ok());
  cri::CreateContainerRequest sent;
  sent.ParseFromString(runtime.Calls("CreateContainer").at(0).request);
  BOOST_TEST(sent.config().image().image() == good.image_id);
}

BOOST_FIXTURE_TEST_CASE(Digest_Runs, Node) {
  const std::string name = "registry.example/acme/web@" + good.digest.ToString();
  runtime.Import(name, good);
  BOOST_TEST(Create(good.image_id, name).ok());
  BOOST_TEST(Create(name, name).ok());
}

BOOST_FIXTURE_TEST_CASE(PreloadedWithoutRepoDigests_SignedRunsUnsignedDoesNot, Node) {
  BOOST_TEST(Status(kWeb).image().repo_digests().empty());
  runtime.Import(kOther, evil);
  Refusal(Create(evil.image_id, kOther));
  BOOST_TEST(Create(good.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(Preloaded_RanOnce_RestartsWhenTheTrustDataHasExpired, Node) {
  const std::string record = std::string(kWeb) + "=" + good.digest.ToString();
  for (const char* named : {kWeb, ""}) {  // as kubelet sends it, and as it did before 1.28
    BOOST_TEST_CONTEXT(named) {
      BOOST_TEST(Create(good.image_id, named).ok());
      BOOST_TEST_REQUIRE(decider.Remembered().size() == 1U);
      BOOST_TEST(decider.Remembered().at(0) == record);
    }
  }
  decider.Expire();
  BOOST_TEST(IsPresent(kWeb));
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(Create(good.image_id, "").ok());
}

BOOST_FIXTURE_TEST_CASE(WhatDoesNotRun_IsNotRemembered, Node) {
  const auto checkpoint =
      runtime.MakeManifest("pages", "config", "org.criu.checkpoint.container.name");
  runtime.Import(kOther, checkpoint);
  decider.Sign(kOther, checkpoint.digest);
  Refusal(Create(checkpoint.image_id, kOther));
  runtime.Import(kWeb, evil);
  Refusal(Create(evil.image_id, kWeb));
  BOOST_TEST(decider.Remembered().empty());
}

BOOST_FIXTURE_TEST_CASE(ImageThatIsNotHere_IsNotFound, Node) {
  BOOST_TEST(Create(IdOf('d'), kWeb).error_code() == grpc::NOT_FOUND);
  BOOST_TEST(runtime.Calls("CreateContainer").empty());
}

// Its names go first, by containerd's own API, and CRI hears of it later.
BOOST_FIXTURE_TEST_CASE(ImageThatIsJustBeingRemoved_IsNotFound, Node) {
  runtime.OnCall("Images.List", [this](const auto&) { runtime.Untag(kWeb); });
  BOOST_TEST(Create(good.image_id, kWeb).error_code() == grpc::NOT_FOUND);
  runtime.Import(kWeb, good);
  BOOST_TEST(Create(good.image_id, "").error_code() == grpc::NOT_FOUND);
  BOOST_TEST(runtime.Calls("CreateContainer").empty());
}

// Another pod's pull gives the name to the signed image between the two look-ups; CRI hears of it
// by an event, so that it shows the name at the image before for a while.
BOOST_FIXTURE_TEST_CASE(NameThatIsJustMoving_LendsNothingToTheImageThatItLeaves, Node) {
  runtime.OnCall("Images.List", [this](const auto&) { runtime.Import(kWeb, good); });
  for (const char* named : {kWeb, ""}) {
    BOOST_TEST_CONTEXT(named) {
      runtime.Import(kWeb, evil);
      Refusal(Create(evil.image_id, named));
    }
  }
  BOOST_TEST(Create(good.image_id, kWeb).ok());
}

// Two archives of one image may differ in their manifests; CRI shows no digests of what was
// imported.
BOOST_FIXTURE_TEST_CASE(SignedManifestBesideAnotherOfTheSameId_Runs, Node) {
  const auto twin = runtime.MakeManifest("other layers", "good config");
  runtime.Import("registry.example/acme/z-twin:1", twin);
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  const auto index =
      runtime.MakeRawManifest(R"({"manifests":[{"digest":")" + IdOf('7') + R"("},{"digest":")" +
                                  good.digest.ToString() + R"("}]})",
                              "good config");
  decider.Sign("registry.example/acme/index:1", index.digest);
  runtime.Import("registry.example/acme/index:1", index);
  runtime.Import("registry.example/acme/z-twin:1", twin);
  BOOST_TEST(Create(good.image_id, "registry.example/acme/index:1").ok());
}

// kubelet before 1.28.
BOOST_FIXTURE_TEST_CASE(OldKubelet_SomeNameSatisfiesItsRule_Runs, Node) {
  BOOST_TEST(Create(good.image_id, "").ok());
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_NoNameSatisfiesItsRule_IsRefused, Node) {
  runtime.Import(kOther, evil);
  Refusal(Create(evil.image_id, ""));
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_OneNameUnderDeny_IsRefused, Node) {
  decider.Deny("registry.example/acme/forbidden");
  runtime.Import("registry.example/acme/forbidden:1", good);
  BOOST_TEST(Says(Refusal(Create(good.image_id, "")), "denied"));
}

// Whoever may pull names as many as he likes: the one that counts must not drown in them.
BOOST_FIXTURE_TEST_CASE(OldKubelet_NameUnderDenyBehindThousands_IsRefused, Node) {
  decider.Deny("registry.example/acme/z-forbidden");
  ImportMany(1100);
  BOOST_TEST(Create(good.image_id, "").ok());
  runtime.Import("registry.example/acme/z-forbidden:1", good);
  const auto status = Create(good.image_id, "");
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(Says(status.error_message(), "denied"));
  BOOST_TEST(runtime.Ran().size() == 1U);
  // The author's own name is judged alone, as ever.
  BOOST_TEST(Create(good.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(ManifestBehindThousandsOfNames_IsLookedAtToo, NodeWithStargz) {
  ImportMany(1100);
  const auto twin = runtime.MakeManifest("other layers", "good config");
  runtime.Import("registry.example/acme/z-twin:1", twin);
  Refusal(Create(good.image_id, kWeb));
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_NameUnderDenyOfATargetThatIsNotRead_IsRefused, Node) {
  decider.Deny("registry.example/acme/forbidden");
  runtime.ImportBySha512("registry.example/acme/forbidden:1", "good layers", "good config");
  BOOST_TEST(Says(Refusal(Create(good.image_id, "")), "denied"));
}

BOOST_FIXTURE_TEST_CASE(ManifestOfAnotherAlgorithm_IsVouchedForByNobody, NodeWithStargz) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(Create(good.image_id, "").ok());
  runtime.ImportBySha512("docker.io/library/a:1", "other layers", "good config");
  BOOST_TEST(!Create(good.image_id, kWeb).ok());
  BOOST_TEST(!Create(good.image_id, "").ok());
  BOOST_TEST(runtime.Ran().size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(CheckpointOfAnotherAlgorithm_NeverRuns, Node) {
  runtime.ImportBySha512("docker.io/library/a:1", "pages", "good config",
                         "org.criu.checkpoint.container.name");
  BOOST_TEST(Says(Refusal(Create(good.image_id, "docker.io/library/a:1")), "checkpoint"));
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Ran().back() == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_SignedNameOfOtherContentUnderTheSameId_DoesNotHelp, Node) {
  // Same configuration, other manifest: only its own target speaks for a name.
  const auto twin = runtime.MakeManifest("twin layers", "evil config");
  decider.Sign("registry.example/acme/twin:1", good.digest);
  runtime.Import("registry.example/acme/twin:1", twin);
  Refusal(Create(twin.image_id, ""));
}

BOOST_FIXTURE_TEST_CASE(Volume_IsJudgedLikeTheImage, Node) {
  runtime.Import(kOther, evil);
  Refusal(CreateWithVolume(good.image_id, kWeb, evil.image_id, kOther));
  Refusal(CreateWithVolume(good.image_id, kWeb, evil.image_id, kWeb));
  BOOST_TEST(CreateWithVolume(good.image_id, kWeb, good.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(VolumesImageRef_IsJudgedToo, Node) {
  runtime.Import(kOther, evil);
  auto request = CreateRequest(good.image_id, kWeb);
  auto& volume = *request.mutable_config()->add_mounts()->mutable_image();
  volume.set_image(good.image_id);
  volume.set_user_specified_image(kWeb);
  volume.set_image_ref(evil.image_id);
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  Refusal(runtime_stub->CreateContainer(&context, request, &response));
}

BOOST_FIXTURE_TEST_CASE(Checkpoint_IsRefused, Node) {
  for (const char* mark :
       {"org.criu.checkpoint.container.name", "io.kubernetes.cri-o.annotations.checkpoint.name"}) {
    BOOST_TEST_CONTEXT(mark) {
      const auto checkpoint = runtime.MakeManifest("pages", std::string("config ") + mark, mark);
      runtime.Import(kOther, checkpoint);
      decider.Sign(kOther, checkpoint.digest);
      BOOST_TEST(Says(Refusal(Create(checkpoint.image_id, kOther)), "checkpoint"));
    }
  }
}

// The runtime reads JSON by Go's rules: names of any case, objects that merge, and texts that other
// parsers refuse.
BOOST_FIXTURE_TEST_CASE(Checkpoint_HoweverTheRuntimeReadsIt_IsRefused, Node) {
  const std::string mark = R"("org.criu.checkpoint.container.name":"web")";
  const std::string manifests[] = {
      R"({"Annotations":{)" + mark + "}}",
      R"({"annotations":{)" + mark + R"(},"annotations":{}})",
      R"({"annotations":{"org.criu.check\u0070oint.container.name":"web"}})",
      R"({"annotations":{)" + mark + R"(},"unknown":1e999})",
      R"({"annotations":{)" + mark + R"(},"unknown":"\ud800"})",
      R"({"annotations":{)" + mark + "},\"unknown\":\"\xff\"}",
  };
  for (const auto& manifest : manifests) {
    BOOST_TEST_CONTEXT(manifest) {
      const auto checkpoint = runtime.MakeRawManifest(manifest, "config of " + manifest);
      runtime.Import(kOther, checkpoint);
      decider.Sign(kOther, checkpoint.digest);
      BOOST_TEST(Says(Refusal(Create(checkpoint.image_id, kOther)), "checkpoint"));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(ManifestThatCannotBeRead_CountsAsACheckpoint, Node) {
  for (const char* manifest : {"", "[]", "{\"unknown\":1e999}", "{\"unknown\":"}) {
    BOOST_TEST_CONTEXT(manifest) {
      const auto unread = runtime.MakeRawManifest(manifest, std::string("config of ") + manifest);
      runtime.Import(kOther, unread);
      decider.Sign(kOther, unread.digest);
      BOOST_TEST(Says(Refusal(Create(unread.image_id, kOther)), "checkpoint"));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(Checkpoint_UnderAnAllowRule_IsRefused, Node) {
  const auto checkpoint =
      runtime.MakeManifest("pages", "config", "org.criu.checkpoint.container.name");
  runtime.Import(kTools, checkpoint);
  Refusal(Create(checkpoint.image_id, kTools));
}

BOOST_FIXTURE_TEST_CASE(Checkpoint_WhereTheConfigurationAllowsIt_Runs, NodeThatAllowsCheckpoints) {
  const auto checkpoint =
      runtime.MakeManifest("pages", "config", "org.criu.checkpoint.container.name");
  runtime.Import(kOther, checkpoint);
  decider.Sign(kOther, checkpoint.digest);
  BOOST_TEST(Create(checkpoint.image_id, kOther).ok());
}

BOOST_FIXTURE_TEST_CASE(TwoManifestsOfOneId_OneAccepted_RunsWhereLayersAreUnpacked, Node) {
  const auto twin = runtime.MakeManifest("other compression", "good config");
  runtime.Import("registry.example/acme/web:twin", twin);
  BOOST_TEST(twin.image_id == good.image_id);
  BOOST_TEST(Create(good.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(TwoManifestsOfOneId_OneAccepted_IsRefusedUnderARemoteSnapshotter,
                        NodeWithStargz) {
  const auto twin = runtime.MakeManifest("other layers", "good config");
  runtime.Import("registry.example/acme/web:twin", twin);
  Refusal(Create(good.image_id, kWeb));
  Refusal(Create(good.image_id, ""));
  runtime.Untag("registry.example/acme/web:twin");
  runtime.Import(kWeb, good);  // the name of the ID comes back to it
  BOOST_TEST(Create(good.image_id, kWeb).ok());
}

// The runtime takes the first name of an image, and anybody may give it one.
BOOST_FIXTURE_TEST_CASE(CheckpointInFrontOfTheSignedManifest_StopsNobodyAndNeverRuns, Node) {
  const auto twin =
      runtime.MakeManifest("pages", "good config", "org.criu.checkpoint.container.name");
  runtime.Import("registry.example/acme/a:twin", twin);
  const auto status = Create(good.image_id, kWeb);
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_REQUIRE(runtime.Ran().size() == 1U);
  BOOST_TEST(runtime.Ran().at(0) == good.digest.ToString());
  // Under its own name it is what it is.
  BOOST_TEST(!Create(good.image_id, "registry.example/acme/a:twin").ok());
}

BOOST_FIXTURE_TEST_CASE(AuditMode_EverythingIsForwarded, Node) {
  decider.Verify("registry.example/audited/**").mode = trust::Mode::kAudit;
  runtime.Import("registry.example/audited/web:1", evil);
  BOOST_TEST(Create(evil.image_id, "registry.example/audited/web:1").ok());
  BOOST_TEST(Create("registry.example/audited/web:1", "").ok());
  BOOST_TEST(runtime.Ran().size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(NamespaceThatIsAllowedOtherContent_HealsByOnePull, Node) {
  // Under any namespace the name is present with what "ops" may run; "shop" must have the signed.
  decider.Allow("registry.example/acme/web").namespaces = {"ops"};
  runtime.Import(kWeb, evil);
  runtime.Push(kWeb, good);
  BOOST_TEST(IsPresent(kWeb));
  BOOST_TEST(Create(evil.image_id, kWeb, "ops").ok());
  BOOST_TEST(!Create(evil.image_id, kWeb, "shop").ok());
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(IsPresent(kWeb));

  BOOST_TEST(!Create(evil.image_id, kWeb, "shop").ok());
  BOOST_TEST(Pull(kWeb, "shop").ok());
  BOOST_TEST(IsPresent(kWeb));
  BOOST_TEST(Create(good.image_id, kWeb, "shop").ok());
}

// Nobody but the registry knows whether a pull would bring other content.
BOOST_FIXTURE_TEST_CASE(NamespaceOfARuleThatAsksRegistries_HealsByOnePull_AndNotAgainAtOnce, Node) {
  constexpr char kName[] = "registry.example/cosign/web:1";
  decider.Verify("registry.example/cosign/web").members = {
      {"cosign", "", &trust::SigstoreKind(), std::make_shared<trust::sigstore::SigstoreDemand>()}};
  runtime.Import(kName, evil);
  BOOST_TEST(!Create(evil.image_id, kName, "shop").ok());
  BOOST_TEST(!IsPresent(kName));
  decider.Allow("registry.example/cosign/web").namespaces = {"ops"};
  BOOST_TEST(IsPresent(kName));
  BOOST_TEST(!Create(evil.image_id, kName, "shop").ok());
  BOOST_TEST(!IsPresent(kName));
  BOOST_TEST(IsPresent(kName));
  BOOST_TEST(!Create(evil.image_id, kName, "shop").ok());
  BOOST_TEST(IsPresent(kName));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
