// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/client_context.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";

struct SignedWeb : GateFixture {
  SignedWeb() : SignedWeb(Settings()) {}
  explicit SignedWeb(Settings settings) : GateFixture(std::move(settings)) {
    decider.Verify("registry.example/acme/**");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    runtime.Push(kWeb, good);
    decider.Sign(kWeb, good.digest);
  }
  std::string PulledBy(std::size_t index) const {
    cri::PullImageRequest request;
    request.ParseFromString(runtime.Calls("PullImage").at(index).request);
    return request.image().image();
  }
  std::string Pinned(const FakeCri::Manifest& manifest) const {
    return "registry.example/acme/web@" + manifest.digest.ToString();
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

struct SignedWebOnThreads : SignedWeb {
  SignedWebOnThreads() : SignedWeb({.answering = FakeDecider::Answering::kOnAnotherThread}) {}
};

struct SignedWebShownLate : SignedWeb {
  SignedWebShownLate() : SignedWeb({.shown_after_polls = 5}) {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(PullImageTest)

BOOST_FIXTURE_TEST_CASE(SignedTag_IsPulledByItsDigestAndGivenItsTagBack, SignedWeb) {
  const auto status = Pull(kWeb);
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_TEST(pulled() == good.image_id);
  BOOST_TEST(PulledBy(0) == Pinned(good));
  BOOST_TEST(runtime.TargetOf(kWeb) == good.digest.ToString());
  BOOST_TEST(runtime.LabelsOf(kWeb).empty());
  BOOST_TEST(Status(kWeb).image().id() == good.image_id);
  BOOST_TEST(decider.Remembered().at(0) == std::string(kWeb) + "=" + good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(SignedTag_DecidedOnAnotherThread_IsPulled, SignedWebOnThreads) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(runtime.TargetOf(kWeb) == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(RegistryTagMoved_SignedDigestIsPulled, SignedWeb) {
  runtime.Push(kWeb, evil);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(pulled() == good.image_id);
  BOOST_TEST(runtime.TargetOf(kWeb) == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(UnsignedTag_IsRefusedAndNothingForwarded, SignedWeb) {
  runtime.Push("registry.example/acme/web:2", evil);
  const auto status = Pull("registry.example/acme/web:2");
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(status.error_message().starts_with(
                 "SignatureValidationFailed: registry.example/acme/web:2: "),
             status.error_message());
  BOOST_TEST(runtime.Calls("PullImage").empty());
}

BOOST_FIXTURE_TEST_CASE(NoRule_IsRefusedByTheDefault, SignedWeb) {
  const auto status = Pull("busybox");
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(status.error_message().find("docker.io/library/busybox:latest") != std::string::npos);
  BOOST_TEST(runtime.Calls("PullImage").empty());
}

BOOST_FIXTURE_TEST_CASE(ImageId_IsNotAReference, SignedWeb) {
  decider.Allow("docker.io/**");
  BOOST_TEST(Pull(IdOf('a')).error_code() == grpc::UNKNOWN);
  BOOST_TEST(runtime.Calls("PullImage").empty());
}

BOOST_FIXTURE_TEST_CASE(NotAReference_IsRefused, SignedWeb) {
  for (const char* text : {"", "/tmp/checkpoint.tar", "acme/Web", "a b", "x@sha256:12"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(Pull(text).error_message().find("not-a-reference") != std::string::npos);
    }
  }
  BOOST_TEST(runtime.Calls("PullImage").empty());
}

BOOST_FIXTURE_TEST_CASE(AllowRule_CanonicalNameGoesUpstream, SignedWeb) {
  decider.Allow("docker.io/library/*");
  runtime.Push("docker.io/library/busybox:latest", evil);
  BOOST_TEST(Pull("busybox").ok());
  BOOST_TEST(PulledBy(0) == "docker.io/library/busybox:latest");
  BOOST_TEST(decider.Remembered().empty());
}

BOOST_FIXTURE_TEST_CASE(Digest_IsPulledAndMakesNoTag, SignedWeb) {
  BOOST_TEST(Pull(Pinned(good)).ok());
  BOOST_TEST(runtime.Calls("Images.Create").empty());
  BOOST_TEST(Pull(Pinned(evil)).error_code() == grpc::UNKNOWN);
  BOOST_TEST(runtime.Calls("PullImage").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(Digest_StaysAllowedWhenItsTagMovesOn, SignedWeb) {
  BOOST_REQUIRE(Pull(Pinned(good)).ok());
  BOOST_TEST_REQUIRE(decider.Remembered().size() == 1U);
  BOOST_TEST(decider.Remembered().at(0) == std::string(kWeb) + "=" + good.digest.ToString());
  decider.Sign(kWeb, evil.digest);
  BOOST_TEST(IsPresent(Pinned(good)));
  const auto created = Create(good.image_id, Pinned(good));
  BOOST_TEST(created.ok(), created.error_message());
  BOOST_TEST(Pull(Pinned(good)).ok());
}

BOOST_FIXTURE_TEST_CASE(Digest_OfAPullThatFails_IsNotRemembered, SignedWeb) {
  runtime.DisconnectRegistry();
  BOOST_TEST(!Pull(Pinned(good)).ok());
  BOOST_TEST(decider.Remembered().empty());
}

BOOST_FIXTURE_TEST_CASE(TagPointsElsewhere_OnlyItsTargetIsMoved, SignedWeb) {
  BOOST_TEST(Pull(kWeb).ok());
  const auto next = runtime.MakeManifest("next layers", "next config");
  runtime.Push(kWeb, next);
  decider.Sign(kWeb, next.digest);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(runtime.TargetOf(kWeb) == next.digest.ToString());
  BOOST_TEST(runtime.Calls("Images.Update").size() == 1U);
  BOOST_TEST(Status(kWeb).image().id() == next.image_id);
}

BOOST_FIXTURE_TEST_CASE(TagIsThereAlready_IsLeftAlone, SignedWeb) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(runtime.Calls("Images.Update").empty());
}

BOOST_FIXTURE_TEST_CASE(NameShownLate_AnswersOnlyThen, SignedWebShownLate) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(runtime.Calls("ImageStatus").size() >= 6U);
  BOOST_TEST(IsPresent(kWeb));
}

BOOST_FIXTURE_TEST_CASE(ImageGoneBeforeTheTag_IsAnError, SignedWeb) {
  runtime.OnCall("Images.Create", [this](const auto&) { runtime.Untag(Pinned(good)); });
  runtime.OnCall("Images.Get", [this](const auto&) { runtime.Untag(Pinned(good)); });
  const auto status = Pull(kWeb);
  BOOST_TEST(status.error_code() == grpc::NOT_FOUND);
  BOOST_TEST(runtime.TargetOf(kWeb).empty());
  BOOST_TEST(decider.Remembered().empty());
}

BOOST_FIXTURE_TEST_CASE(ClientGoneBetweenPullAndTag_TagIsMadeAllTheSame, SignedWeb) {
  grpc::ClientContext context;
  runtime.OnCall("Images.Get", [&](const auto&) { context.TryCancel(); });
  cri::PullImageResponse response;
  const auto status = images->PullImage(&context, PullRequest(kWeb), &response);
  BOOST_TEST(status.error_code() == grpc::CANCELLED);
  BOOST_TEST(runtime.WaitForName(kWeb));
  BOOST_TEST(runtime.TargetOf(kWeb) == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(DecisionChangedDuringThePull_NewerOneKeepsTheTag, SignedWeb) {
  const auto next = runtime.MakeManifest("next layers", "next config");
  runtime.Push(kWeb, next);
  runtime.OnCall("PullImage", [&, first = std::make_shared<std::atomic<bool>>(true)](const auto&) {
    if (first->exchange(false)) decider.Sign(kWeb, next.digest);
  });
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(pulled() == next.image_id);
  BOOST_TEST(runtime.TargetOf(kWeb) == next.digest.ToString());
  BOOST_TEST(PulledBy(0) == Pinned(good));
  BOOST_TEST(PulledBy(1) == Pinned(next));
}

BOOST_FIXTURE_TEST_CASE(WithdrawnDuringThePull_IsRefusedAndGetsNoTag, SignedWeb) {
  runtime.OnCall("PullImage", [&](const auto&) { decider.Withdraw(kWeb); });
  BOOST_TEST(Pull(kWeb).error_code() == grpc::UNKNOWN);
  BOOST_TEST(runtime.TargetOf(kWeb).empty());
  BOOST_TEST(decider.Remembered().empty());
}

BOOST_FIXTURE_TEST_CASE(ManyPullsOfOneName_AllEndWithTheSameTag, SignedWebOnThreads) {
  std::vector<std::future<grpc::Status>> pulls;
  for (int i = 0; i < 32; ++i) {
    pulls.push_back(std::async(std::launch::async, [this] {
      grpc::ClientContext context;
      cri::PullImageResponse response;
      return images->PullImage(&context, PullRequest(kWeb), &response);
    }));
  }
  for (auto& pull : pulls) BOOST_TEST(pull.get().ok());
  BOOST_TEST(runtime.TargetOf(kWeb) == good.digest.ToString());
}

BOOST_FIXTURE_TEST_CASE(Credentials_ReachTheDecisionAndTheRuntimeButNoLog, SignedWeb) {
  auto request = PullRequest(kWeb);
  request.mutable_auth()->set_auth("dXNlcjpzM2NyM3Q=");  // user:s3cr3t
  request.mutable_auth()->set_server_address("https://registry.example");
  grpc::ClientContext context;
  cri::PullImageResponse response;
  BOOST_TEST(images->PullImage(&context, request, &response).ok());
  const auto credentials = decider.Asked().at(0).credentials;
  BOOST_REQUIRE(credentials.has_value());
  BOOST_TEST(credentials->username == "user");
  BOOST_TEST(credentials->password == "s3cr3t");
  BOOST_TEST(credentials->server_address == "https://registry.example");
  cri::PullImageRequest sent;
  sent.ParseFromString(runtime.Calls("PullImage").at(0).request);
  BOOST_TEST(sent.auth().auth() == "dXNlcjpzM2NyM3Q=");
  const std::string log = AuditText();
  BOOST_TEST(log.find("s3cr3t") == std::string::npos);
  BOOST_TEST(log.find("dXNlcjpzM2NyM3Q=") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(AuditMode_ForwardsUntouchedAndSaysWhatItWouldPin, SignedWeb) {
  decider.Verify("registry.example/audited/**").mode = trust::Mode::kAudit;
  runtime.Push("registry.example/audited/web:1", evil);
  decider.Sign("registry.example/audited/web:1", good.digest);
  BOOST_TEST(Pull("registry.example/audited/web:1").ok());
  BOOST_TEST(PulledBy(0) == "registry.example/audited/web:1");
  BOOST_TEST(pulled() == evil.image_id);
  BOOST_TEST(decider.Remembered().empty());
  BOOST_TEST(metrics.Read().moved == 1U);
  const std::string log = AuditText();
  BOOST_TEST(log.find("\"would_pin\":\"" + good.digest.ToString()) != std::string::npos);
  BOOST_TEST(log.find("\"moved\":true") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(AuditMode_UnsignedIsForwardedAndCounted, SignedWeb) {
  decider.Default().mode = trust::Mode::kAudit;
  runtime.Push("docker.io/library/busybox:latest", evil);
  BOOST_TEST(Pull("busybox").ok());
  BOOST_TEST(PulledBy(0) == "busybox");
  std::uint64_t audited = 0;
  for (const auto& reason : metrics.Read().refused) audited += reason[1];
  BOOST_TEST(audited == 1U);
}

BOOST_FIXTURE_TEST_CASE(AuditMode_SignedDigestIsRemembered, SignedWeb) {
  decider.Verify("registry.example/audited/**").mode = trust::Mode::kAudit;
  runtime.Push("registry.example/audited/web:1", good);
  decider.Sign("registry.example/audited/web:1", good.digest);
  BOOST_TEST(Pull("registry.example/audited/web:1").ok());
  BOOST_TEST(decider.Remembered().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(Namespace_OfThePodChoosesTheRule, SignedWeb) {
  decider.Allow("registry.example/acme/tools").namespaces = {"ops-*"};
  runtime.Push("registry.example/acme/tools:1", evil);
  BOOST_TEST(Pull("registry.example/acme/tools:1", "ops-1").ok());
  BOOST_TEST(!Pull("registry.example/acme/tools:1", "shop").ok());
  BOOST_TEST(!Pull("registry.example/acme/tools:1", "").ok());
}

BOOST_FIXTURE_TEST_CASE(DeciderThrows_IsInternalCountedAndForwardsNothing, SignedWeb) {
  decider.OnDecide([](const auto&) { throw std::runtime_error("planted"); });
  BOOST_TEST(Pull(kWeb).error_code() == grpc::INTERNAL);
  BOOST_TEST(runtime.Calls("PullImage").empty());
  BOOST_TEST(metrics.Read().internal_errors == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
