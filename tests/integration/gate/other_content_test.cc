// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>

#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";
constexpr char kTools[] = "registry.example/tools:1";
// What a tenant may pull and move, and the runtime takes first: a name of the signed image.
constexpr char kTenant[] = "docker.io/library/aaa:1";
constexpr int kForGood = 1000;

// The runtime resolves an image again after it was judged, by the first of its names, and somebody
// moves that name to other content in between.
struct Attacked : GateFixture {
  Attacked() : Attacked(Settings()) {}
  explicit Attacked(Settings settings) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    decider.Allow("docker.io/library/*");
    decider.Allow("registry.example/tools");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    decider.Sign(kWeb, good.digest);
    runtime.Import(kWeb, good);
    runtime.Import(kTenant, good);
  }
  void MoveTenantsName() { runtime.Move(kTenant, evil, kForGood); }
  void MoveDuring(const std::string& method) {
    runtime.OnCall(method, [this](const auto&) { MoveTenantsName(); });
  }
  std::string OwnName() const { return std::string(kWeb) + "@" + good.digest.ToString(); }
  // And somebody who is root takes crivet's own name away each time.
  void MoveAndUntagDuring(const std::string& method, const std::string& own) {
    runtime.OnCall(method, [this, own](const auto&) {
      runtime.Untag(own);
      runtime.Import(kTenant, good);
      MoveTenantsName();
    });
  }
  // A container that the gate knows nothing of, as one that was made while it ended.
  std::string MakeBehind(const FakeCri::Manifest& image, const std::string& written) {
    std::string id;
    auto request = CreateRequest(image.image_id, written);
    runtime.WithContainers(
        [&](FakeContainers& containers) { id = containers.Create(request, image.image_id); });
    return id;
  }
  bool OnlyGoodIsThere() const {
    for (const auto& target : runtime.Ran()) {
      if (target != good.digest.ToString()) return false;
    }
    return true;
  }
  static bool Says(const grpc::Status& status, const std::string& word) {
    return status.error_message().find(word) != std::string::npos;
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

struct AttackedWithoutContainersApi : Attacked {
  AttackedWithoutContainersApi()
      : Attacked(Settings{.native_containers = FakeCri::NativeApi::kMissing}) {}
};

struct ContainerdWithoutNativeApi : Attacked {
  ContainerdWithoutNativeApi()
      : Attacked(
            Settings{.native_api = FakeCri::NativeApi::kMissing, .runtime_name = "containerd"}) {}
};

struct OtherRuntime : Attacked {
  OtherRuntime() : Attacked(Settings{.native_api = FakeCri::NativeApi::kMissing}) {
    runtime.Push(kWeb, good);
  }
};

struct AttackedByEvents : Attacked {
  AttackedByEvents() : Attacked(Settings{.shown_after_polls = 3}) {}
};

struct AttackedWithStargz : Attacked {
  AttackedWithStargz() : Attacked(Settings{.snapshotter = "stargz"}) {}
};

constexpr char kPause[] = "registry.example/acme/pause:3.9";

struct AttackedPause : Attacked {
  AttackedPause() : Attacked(Settings{.sandbox_image = kPause}) {
    decider.Sign(kPause, good.digest);
    runtime.Import(kPause, good);
  }
  std::string OwnPause() const { return std::string(kPause) + "@" + good.digest.ToString(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(OtherContentTest)

BOOST_FIXTURE_TEST_CASE(NobodyMovesAnything_NothingIsLeftBehind, Attacked) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Calls("CreateContainer").size() == 1U);
  BOOST_TEST(runtime.TargetOf(OwnName()).empty());
  BOOST_TEST(runtime.Calls("Images.Create").empty());
}

BOOST_FIXTURE_TEST_CASE(NameMovesWhileItIsMade_IsMadeAgainFromWhatWasJudged, Attacked) {
  MoveDuring("CreateContainer");
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Calls("CreateContainer").size() == 2U);
  BOOST_TEST(runtime.Calls("RemoveContainer").size() == 1U);
  BOOST_TEST(runtime.Ran().size() == 1U);
  BOOST_TEST(OnlyGoodIsThere());
  BOOST_TEST(metrics.Read().other_content == 1U);
  // It stands there from now on, so that the next comes out right at once.
  BOOST_TEST(runtime.TargetOf(OwnName()) == good.digest.ToString());
  BOOST_TEST(runtime.LabelsOf(OwnName()).size() == 1U);
  BOOST_TEST(runtime.LabelsOf(OwnName()).at("io.crivet.reference") == "own");
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Calls("CreateContainer").size() == 3U);
  BOOST_TEST(StartCreated().ok());
}

BOOST_FIXTURE_TEST_CASE(OldKubelet_NameMovesWhileItIsMade_IsMadeAgain, Attacked) {
  MoveDuring("CreateContainer");
  BOOST_TEST(Create(good.image_id, "").ok());
  BOOST_TEST(OnlyGoodIsThere());
}

BOOST_FIXTURE_TEST_CASE(UnderAnAllowRule_TheNamesOwnImageIsWhatRuns, Attacked) {
  runtime.Import(kTools, good);
  MoveDuring("CreateContainer");
  BOOST_TEST(Create(good.image_id, kTools).ok());
  BOOST_TEST(OnlyGoodIsThere());
}

BOOST_FIXTURE_TEST_CASE(OwnNameIsShownLate_IsWaitedFor, AttackedByEvents) {
  MoveDuring("CreateContainer");
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Calls("CreateContainer").size() == 2U);
  BOOST_TEST(OnlyGoodIsThere());
}

BOOST_FIXTURE_TEST_CASE(OtherContentEachTime_IsRefused, Attacked) {
  MoveAndUntagDuring("CreateContainer", OwnName());
  const auto status = Create(good.image_id, kWeb);
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(status.error_message().starts_with("SignatureValidationFailed: "));
  BOOST_TEST(Says(status, "digest-mismatch"));
  BOOST_TEST(runtime.Calls("CreateContainer").size() == 3U);
  BOOST_TEST(runtime.Ran().empty());
  // The same text for the same state, or kubelet's events pile up.
  BOOST_TEST(Create(good.image_id, kWeb).error_message() == status.error_message());
  BOOST_TEST(AuditText().find("digest-mismatch") != std::string::npos);
}

// Its layers lie on those of the judged image, and are more than was judged.
BOOST_FIXTURE_TEST_CASE(ImageBuiltFromTheJudgedOne_IsOtherContent, Attacked) {
  const std::string base = R"({"rootfs":{"diff_ids":[")" + IdOf('1') + R"("]}})";
  const std::string more =
      R"({"rootfs":{"diff_ids":[")" + IdOf('1') + R"(",")" + IdOf('2') + R"("]}})";
  good = runtime.MakeManifest("base", base);
  evil = runtime.MakeManifest("base and more", more);
  decider.Sign(kWeb, good.digest);
  runtime.Import(kWeb, good);
  runtime.Import(kTenant, good);
  MoveDuring("CreateContainer");
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Calls("RemoveContainer").size() == 1U);
  BOOST_TEST(OnlyGoodIsThere());
}

BOOST_FIXTURE_TEST_CASE(CopyForAUserNamespace_Runs, Attacked) {
  for (const auto remap : {FakeContainers::Remap::kBy17, FakeContainers::Remap::kBy21}) {
    runtime.WithContainers([&](FakeContainers& containers) { containers.remap = remap; });
    BOOST_TEST(Create(good.image_id, kWeb).ok());
  }
  BOOST_TEST(runtime.Calls("RemoveContainer").empty());
}

BOOST_FIXTURE_TEST_CASE(CopyOfOtherContent_IsNotTakenForOneOfTheJudged, Attacked) {
  for (const auto remap : {FakeContainers::Remap::kBy17, FakeContainers::Remap::kBy21}) {
    runtime.WithContainers([&](FakeContainers& containers) {
      containers.remap = remap;
      containers.remapped_parent = "sha256:other";
    });
    BOOST_TEST(Says(Create(good.image_id, kWeb), "digest-mismatch"));
  }
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(ClientGoesWhileItIsChecked_OtherContentIsRemovedAllTheSame, Attacked) {
  MoveDuring("CreateContainer");
  grpc::ClientContext context;
  runtime.OnCall("Containers.Get", [&](const auto&) { context.TryCancel(); });
  cri::CreateContainerResponse response;
  const auto status =
      runtime_stub->CreateContainer(&context, CreateRequest(good.image_id, kWeb), &response);
  BOOST_TEST(status.error_code() == grpc::CANCELLED);
  BOOST_TEST(runtime.WaitForCall("RemoveContainer"));
  AuditText();  // ends the gate, and with it the call
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(ClientGoesWhileItIsMade_OtherContentNeverStarts, Attacked) {
  grpc::ClientContext context;
  runtime.OnCall("CreateContainer", [&](const auto&) {
    context.TryCancel();
    MoveTenantsName();
  });
  cri::CreateContainerResponse response;
  static_cast<void>(
      runtime_stub->CreateContainer(&context, CreateRequest(good.image_id, kWeb), &response));
  std::string id;
  while (id.empty()) {
    runtime.WithContainers([&](FakeContainers& containers) {
      if (!containers.containers.empty()) id = containers.containers.begin()->first;
    });
  }
  BOOST_TEST(!StartCreated(id).ok());
  BOOST_TEST(runtime.Calls("StartContainer").empty());
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(CannotBeRemoved_DoesNotStart, Attacked) {
  MoveDuring("CreateContainer");
  runtime.Fail("RemoveContainer", {.code = grpc::INTERNAL, .message = "busy"});
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Ran().size() == 2U);
  BOOST_TEST(Says(StartCreated("container-0001"), "digest-mismatch"));
  BOOST_TEST(StartCreated("container-0002").ok());
}

BOOST_FIXTURE_TEST_CASE(RuntimeDoesNotTell_IsRemovedAndRefused, Attacked) {
  for (const char* method : {"Containers.Get", "Snapshots.Stat"}) {
    runtime.Fail(method, {.code = grpc::INTERNAL, .message = "boom"});
    const auto status = Create(good.image_id, kWeb);
    BOOST_TEST(status.error_message().starts_with("RegistryUnavailable: "));
    BOOST_TEST(Says(status, "state"));
    BOOST_TEST(runtime.Ran().empty());
  }
}

BOOST_FIXTURE_TEST_CASE(ContainersApiMissing_IsRefused, AttackedWithoutContainersApi) {
  BOOST_TEST(Says(Create(good.image_id, kWeb), "state"));
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(ContainerdWithoutAnyApiOfItsOwn_MakesNothing, ContainerdWithoutNativeApi) {
  runtime.Push(kWeb, good);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Says(Create(good.image_id, kWeb), "crivet check"));
  BOOST_TEST(runtime.Calls("CreateContainer").empty());
}

// CRI-O takes an image by its ID, which no name can move.
BOOST_FIXTURE_TEST_CASE(RuntimeWhoseIdsDoNotMove_IsNotAskedAgain, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  cri::CreateContainerRequest sent;
  sent.ParseFromString(runtime.Calls("CreateContainer").at(0).request);
  BOOST_TEST(sent.config().image().image() == good.image_id);
  BOOST_TEST(StartCreated().ok());
  BOOST_TEST(runtime.Calls("ContainerStatus").empty());
  const std::string behind = MakeBehind(good, kWeb);
  BOOST_TEST(StartCreated(behind).ok());
}

BOOST_FIXTURE_TEST_CASE(AuditMode_IsNotLookedAt, Attacked) {
  decider.Verify("registry.example/audited/**").mode = trust::Mode::kAudit;
  runtime.Import("registry.example/audited/web:1", evil);
  BOOST_TEST(Create(evil.image_id, "registry.example/audited/web:1").ok());
  BOOST_TEST(StartCreated().ok());
  BOOST_TEST(runtime.Calls("Containers.Get").empty());
  BOOST_TEST(StartCreated(MakeBehind(evil, "registry.example/audited/web:1")).ok());
}

BOOST_FIXTURE_TEST_CASE(RemoteSnapshotter_ManifestThatCameMeanwhile_CountsToo, AttackedWithStargz) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  const auto twin = runtime.MakeManifest("other layers", "good config");
  runtime.OnCall("CreateContainer", [&](const auto&) { runtime.Import(kTenant, twin); });
  BOOST_TEST(!Create(good.image_id, kWeb).ok());
  BOOST_TEST(runtime.Ran().size() == 1U);
}

// The folder of a volume is named by the first name of its image, and its content is that of the
// manifest which came last.
BOOST_FIXTURE_TEST_CASE(RemoteSnapshotter_ManifestOfAVolumeThatCameMeanwhile_CountsToo,
                        AttackedWithStargz) {
  constexpr char kData[] = "registry.example/acme/data:1";
  const auto data = runtime.MakeManifest("data layers", "data config");
  decider.Sign(kData, data.digest);
  runtime.Import(kData, data);
  BOOST_TEST(CreateWithVolume(good.image_id, kWeb, data.image_id, kData).ok());
  const auto twin = runtime.MakeManifest("other layers", "data config");
  runtime.OnCall("CreateContainer",
                 [&](const auto&) { runtime.Import("zzz.example/library/last:1", twin); });
  BOOST_TEST(!CreateWithVolume(good.image_id, kWeb, data.image_id, kData).ok());
  BOOST_TEST(runtime.Ran().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(KnownContainer_StartsWithoutAnyQuestion, Attacked) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  const auto asked = runtime.Calls("Containers.Get").size();
  BOOST_TEST(StartCreated().ok());
  BOOST_TEST(runtime.Calls("ContainerStatus").empty());
  BOOST_TEST(runtime.Calls("Containers.Get").size() == asked);
}

// The gate ended between the runtime's answer and the look at it.
BOOST_FIXTURE_TEST_CASE(MadeWhileTheGateEnded_IsCheckedBeforeItStarts, Attacked) {
  const std::string right = MakeBehind(good, kWeb);
  MoveTenantsName();
  const std::string wrong = MakeBehind(good, kWeb);
  RestartGate();
  BOOST_TEST(StartCreated(right).ok());
  const auto status = StartCreated(wrong);
  BOOST_TEST(Says(status, "digest-mismatch"));
  BOOST_TEST(runtime.Calls("StartContainer").size() == 1U);
  BOOST_TEST(runtime.Ran().size() == 1U);
  BOOST_TEST(OnlyGoodIsThere());
}

BOOST_FIXTURE_TEST_CASE(MadePastTheGate_IsJudgedBeforeItStarts, Attacked) {
  runtime.Import("registry.example/acme/other:1", evil);
  BOOST_TEST(!StartCreated(MakeBehind(evil, "registry.example/acme/other:1")).ok());
  BOOST_TEST(!StartCreated(MakeBehind(evil, kWeb)).ok());
  BOOST_TEST(runtime.Calls("StartContainer").empty());
}

// A tenant's own image, which a rule allows, under a name that is verified: the other name must not
// help, as little as when the container is made.
BOOST_FIXTURE_TEST_CASE(MadePastTheGate_IsJudgedByWhatTheAuthorWrote, Attacked) {
  runtime.Import(kTenant, evil);
  BOOST_TEST(StartCreated(MakeBehind(evil, kTenant)).ok());
  BOOST_TEST(!StartCreated(MakeBehind(evil, kWeb)).ok());
  BOOST_TEST(runtime.Calls("StartContainer").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(BeginningOfAnId_StartsWhatWasChecked, Attacked) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(StartCreated("container-00").ok());
  cri::StartContainerRequest sent;
  sent.ParseFromString(runtime.Calls("StartContainer").at(0).request);
  BOOST_TEST(sent.container_id() == created());
}

BOOST_FIXTURE_TEST_CASE(NoSuchContainer_IsSaidInTheRuntimesWords, Attacked) {
  const auto status = StartCreated("gone");
  BOOST_TEST(status.error_code() == grpc::NOT_FOUND);
  BOOST_TEST(Says(status, "when try to find container \"gone\""));
  BOOST_TEST(runtime.Calls("StartContainer").empty());
}

BOOST_FIXTURE_TEST_CASE(AlreadyStarted_IsTheRuntimesToRefuse, Attacked) {
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(StartCreated().ok());
  BOOST_TEST(StartCreated().error_message() == "not in created state");
}

BOOST_FIXTURE_TEST_CASE(Volume_NameMovesWhileItIsMounted_IsMadeAgain, Attacked) {
  MoveDuring("CreateContainer");
  BOOST_TEST(CreateWithVolume(good.image_id, kWeb, good.image_id, kWeb).ok());
  BOOST_TEST(OnlyGoodIsThere());
  const std::string path = "/run/cri/image-volumes//" + good.digest.ToString().substr(7);
  runtime.WithContainers([&](FakeContainers& containers) {
    BOOST_TEST(containers.containers.begin()->second.spec.find(path) != std::string::npos);
  });
}

// The runtime takes what it finds mounted under the path.
BOOST_FIXTURE_TEST_CASE(Volume_OtherContentUnderItsPath_IsRefused, Attacked) {
  const std::string path = "/run/cri/image-volumes//" + good.digest.ToString().substr(7);
  runtime.WithContainers(
      [&](FakeContainers& containers) { containers.snapshots[path] = "sha256:other"; });
  BOOST_TEST(Says(CreateWithVolume(good.image_id, kWeb, good.image_id, kWeb), "digest-mismatch"));
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(Volume_PartOfIt_Runs, Attacked) {
  auto request = CreateRequest(good.image_id, kWeb);
  auto& mount = *request.mutable_config()->add_mounts();
  mount.set_container_path("/data");
  mount.set_image_sub_path("some/folder");
  mount.mutable_image()->set_image(good.image_id);
  mount.mutable_image()->set_user_specified_image(kWeb);
  grpc::ClientContext context;
  cri::CreateContainerResponse response;
  BOOST_TEST(runtime_stub->CreateContainer(&context, request, &response).ok());
}

BOOST_FIXTURE_TEST_CASE(Withdrawn_TakesTheOwnNameAway, Attacked) {
  MoveDuring("CreateContainer");
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  runtime.Import("registry.example/acme/other:1@" + good.digest.ToString(), good);
  decider.Withdraw(kWeb);
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(runtime.TargetOf(OwnName()).empty());
  // Neither another repository's, nor what somebody else has named so.
  BOOST_TEST(!runtime.TargetOf("registry.example/acme/other:1@" + good.digest.ToString()).empty());
  BOOST_TEST(!runtime.TargetOf(kWeb).empty());
}

BOOST_FIXTURE_TEST_CASE(Sandbox_OwnNameStandsThereBeforeItRuns, AttackedPause) {
  std::optional<std::string> target;
  runtime.OnCall("RunPodSandbox", [&](const auto&) {
    target = runtime.TargetOf(OwnPause());
    MoveTenantsName();
  });
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(target.value_or("") == good.digest.ToString());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
  // Made once.
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.Calls("Images.Create").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(Sandbox_OfOtherContent_IsStoppedRemovedAndTold, AttackedPause) {
  MoveAndUntagDuring("RunPodSandbox", OwnPause());
  const auto status = RunSandbox();
  BOOST_TEST(Says(status, "digest-mismatch"));
  BOOST_TEST(runtime.Calls("StopPodSandbox").size() == 1U);
  BOOST_TEST(runtime.SandboxesRan().empty());
  BOOST_TEST(metrics.Read().other_content == 1U);
  BOOST_TEST(AuditText().find("the sandbox ran with other content") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(Sandbox_WithoutARoot_IsAllowedAndCounted, AttackedPause) {
  runtime.Fail("Containers.Get", {.code = grpc::NOT_FOUND, .message = "not found"});
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(metrics.Read().unjudged_sandboxes == 1U);
}

BOOST_FIXTURE_TEST_CASE(Sandbox_ThatCannotBeChecked_IsRemoved, AttackedPause) {
  runtime.Fail("Snapshots.Stat", {.code = grpc::INTERNAL, .message = "boom"});
  BOOST_TEST(Says(RunSandbox(), "state"));
  BOOST_TEST(runtime.SandboxesRan().empty());
}

BOOST_FIXTURE_TEST_CASE(Sandbox_AbsentUnderAnAllowRule_IsPulledFirst, AttackedPause) {
  decider.Allow("registry.example/acme/pause");
  runtime.Untag(kPause);
  runtime.Push(kPause, good);
  runtime.OnCall("RunPodSandbox", [&](const auto&) { MoveTenantsName(); });
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
}

// Who pulls the name's newer content at the same moment must not have it run as the older, nor hang
// the call.
BOOST_FIXTURE_TEST_CASE(Sandbox_NameMovesWhileItIsJudged_IsRefusedAtOnce, AttackedPause) {
  int looks = 0;
  runtime.OnCall("ImageStatus", [&](const auto&) {
    if (++looks == 2) runtime.Move(kPause, evil, 0);
  });
  const auto status = RunSandbox();
  BOOST_TEST(Says(status, "digest-mismatch"));
  BOOST_TEST(runtime.SandboxesRan().empty());
}

// Nobody vouches for such a digest, but an `allow` rule lets the name be what it is here.
BOOST_FIXTURE_TEST_CASE(Sandbox_KnownByAnotherAlgorithm_IsLookedAtToo, AttackedPause) {
  decider.Allow("registry.example/acme/pause");
  runtime.Untag(kPause);
  runtime.ImportBySha512(kPause, "good layers", "good config");
  BOOST_TEST(RunSandbox().ok());
  runtime.OnCall("RunPodSandbox", [&](const auto&) { MoveTenantsName(); });
  BOOST_TEST(Says(RunSandbox(), "digest-mismatch"));
  BOOST_TEST(runtime.SandboxesRan().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
