// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>

#include "tests/integration/gate/gate_fixture.h"
#include "tests/support/proxy/fake_image_store.h"

namespace crivet::proxy {
namespace {

constexpr char kPause[] = "registry.example/acme/pause:3.9";

struct NodeWithPause : GateFixture {
  NodeWithPause() : NodeWithPause({.sandbox_image = kPause}) {}
  explicit NodeWithPause(Settings settings) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    runtime.Push(kPause, good);
    decider.Sign(kPause, good.digest);
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

struct NodeThatDoesNotTell : NodeWithPause {
  NodeThatDoesNotTell() : NodeWithPause(Settings()) {}
};

struct NodeWithConfiguredName : NodeWithPause {
  NodeWithConfiguredName() : NodeWithPause({.sandbox_image = kPause, .gate = Named()}) {}
  static Config::Gate Named() {
    Config::Gate gate;
    gate.sandbox_image = "registry.example/acme/pause:forbidden";
    return gate;
  }
};

struct NodeWithPauseByDigest : NodeWithPause {
  NodeWithPauseByDigest() : NodeWithPause({.sandbox_image = Pinned()}) {}
  static std::string Pinned() {
    const std::string good = FakeImageStore().AddManifest("good layers", "good config", "");
    return "registry.example/acme/pause@" + good;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(RunPodSandboxTest)

BOOST_FIXTURE_TEST_CASE(SignedSandboxImageIsHere_RunsWithoutAPull, NodeWithPause) {
  runtime.Import(kPause, good);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
  BOOST_TEST(runtime.Calls("PullImage").empty());
}

BOOST_FIXTURE_TEST_CASE(Absent_RegistrysTagMoved_SignedDigestRuns, NodeWithPause) {
  runtime.Push(kPause, evil);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
  // No label of ours may keep containerd from setting its own `pinned`.
  BOOST_TEST(runtime.LabelsOf(kPause).empty());
}

BOOST_FIXTURE_TEST_CASE(OtherContentUnderItsName_IsPutRight, NodeWithPause) {
  runtime.Import(kPause, evil);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
}

// Another call has just given the name to the signed image, and the runtime goes by what CRI shows.
BOOST_FIXTURE_TEST_CASE(NameThatIsJustMoving_RunsOnlyWhenTheRuntimeShowsIt, NodeWithPause) {
  runtime.Import("registry.example/acme/a:1", evil);
  runtime.Import(kPause, evil);
  runtime.Move(kPause, good, 3);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
}

// Where CRI does not show the name at all, the runtime would pull what the registry has.
BOOST_FIXTURE_TEST_CASE(NameThatIsNotShownYet_RunsOnlyWhenTheRuntimeShowsIt, NodeWithPause) {
  runtime.Move(kPause, good, 3);
  runtime.Push(kPause, evil);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(Unsigned_IsRefused, NodeWithPause) {
  decider.Withdraw(kPause);
  runtime.Import(kPause, evil);
  const auto status = RunSandbox();
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(status.error_message().starts_with("SignatureValidationFailed: "));
  BOOST_TEST(runtime.SandboxesRan().empty());
}

BOOST_FIXTURE_TEST_CASE(SignedButNotToBeHad_IsRefused, NodeWithPause) {
  runtime.Import(kPause, evil);
  runtime.DisconnectRegistry();
  BOOST_TEST(!RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().empty());
}

BOOST_FIXTURE_TEST_CASE(MetadataExpired_WhatWasVerifiedRuns, NodeWithPause) {
  BOOST_TEST(RunSandbox().ok());
  decider.Expire();
  BOOST_TEST(RunSandbox().ok());
  runtime.Import(kPause, evil);
  BOOST_TEST(!RunSandbox().ok());
}

BOOST_FIXTURE_TEST_CASE(ByDigest_RunsOnWhenItsTagMovesOn, NodeWithPauseByDigest) {
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.Calls("PullImage").size() == 1U);
  decider.Sign(kPause, evil.digest);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(1) == good.digest.ToString());
}

// trust/RULES.md#the-registrys-word: somebody brought it here, and nobody has pulled it.
BOOST_FIXTURE_TEST_CASE(PreloadedWhereOnlyARegistryKnowsTheTag_RunsWithoutOne, NodeWithPause) {
  decider.VerifyByRegistry("registry.example/acme/pause");
  decider.VouchFor(good.digest);
  runtime.Import(kPause, good);
  const auto status = RunSandbox();
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_TEST(runtime.Calls("PullImage").empty());
  runtime.Import(kPause, evil);
  BOOST_TEST(RunSandbox().error_message().starts_with("RegistryUnavailable: "));
}

// Content that is vouched for under other names has not become what its tag stands for.
BOOST_FIXTURE_TEST_CASE(OtherVouchedContentOfTheRepository_IsNotItsTag, NodeWithPause) {
  decider.VerifyByRegistry("registry.example/acme/pause");
  decider.VouchFor(good.digest);
  runtime.Import("registry.example/acme/pause:3.8", good);
  runtime.Import(kPause, evil);
  BOOST_TEST(!RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().empty());
}

BOOST_FIXTURE_TEST_CASE(AllowRule_IsForwarded, NodeWithPause) {
  decider.Allow("registry.example/acme/pause");
  runtime.Import(kPause, evil);
  BOOST_TEST(RunSandbox().ok());
}

BOOST_FIXTURE_TEST_CASE(AuditMode_IsForwardedAndCounted, NodeWithPause) {
  decider.Verify("registry.example/acme/pause").mode = trust::Mode::kAudit;
  runtime.Import(kPause, evil);
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(runtime.SandboxesRan().at(0) == evil.digest.ToString());
  BOOST_TEST(metrics.Read().moved == 1U);
}

BOOST_FIXTURE_TEST_CASE(RuntimeDoesNotTellItsName_IsForwardedAndCounted, NodeThatDoesNotTell) {
  static_cast<void>(RunSandbox());
  BOOST_TEST(runtime.Calls("RunPodSandbox").size() == 1U);
  BOOST_TEST(metrics.Read().unjudged_sandboxes == 1U);
}

BOOST_FIXTURE_TEST_CASE(ConfiguredName_IsTheOneJudged, NodeWithConfiguredName) {
  runtime.Import(kPause, good);
  BOOST_TEST(RunSandbox().error_message().find("pause:forbidden") != std::string::npos);
  BOOST_TEST(runtime.Calls("Status").empty());
}

BOOST_FIXTURE_TEST_CASE(StatusFails_IsNotTakenForANodeWithoutAName, NodeWithPause) {
  runtime.Fail("Status", {.code = grpc::INTERNAL, .message = "boom"});
  BOOST_TEST(RunSandbox().error_message() == "boom");
  BOOST_TEST(runtime.Calls("RunPodSandbox").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
