// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

constexpr char kPause[] = "registry.example/acme/pause:3.9";
// What a tenant may pull and move, and the runtime takes first: a name of the signed image.
constexpr char kTenant[] = "docker.io/library/aaa:1";
constexpr int kForGood = 1000;

// A sandbox runs before its call is answered: what nobody has looked at by the time that the call
// is over must be looked at all the same.
struct NodeWithPause : GateFixture {
  NodeWithPause() : GateFixture(Settings{.sandbox_image = kPause}) {
    decider.Verify("registry.example/acme/**");
    decider.Allow("docker.io/library/*");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    decider.Sign(kPause, good.digest);
    runtime.Import(kPause, good);
    runtime.Import(kTenant, good);
  }

  // The caller has gone, and the runtime goes on all the same.
  void RunWhileTheClientGoes(const FakeCri::Manifest& made) {
    grpc::ClientContext context;
    const auto gone = std::make_shared<std::promise<void>>();
    runtime.OnCall("RunPodSandbox", [&, gone](const std::function<bool()>& cancelled) {
      context.TryCancel();
      gone->set_value();
      while (!cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      runtime.Untag(OwnPause());
      runtime.Move(kTenant, made, kForGood);
    });
    cri::RunPodSandboxResponse response;
    const auto status = runtime_stub->RunPodSandbox(&context, SandboxRequest(), &response);
    // The call may be over before what ended it is done with its context.
    gone->get_future().wait();
    BOOST_TEST(status.error_code() == grpc::CANCELLED);
  }

  // As crivet leaves the node when it is killed between the runtime's answer and the look.
  std::string KillBeforeTheLook(const FakeCri::Manifest& made) {
    namespace fs = std::filesystem;
    const fs::path kept = folder.path() + "/unseen-sandboxes.json";
    const fs::path copy = folder.path() + "/as-it-was";
    runtime.OnCall("RunPodSandbox", [&](const auto&) {
      fs::copy_file(kept, copy, fs::copy_options::overwrite_existing);
    });
    BOOST_TEST(RunSandbox().ok());
    runtime.OnCall("RunPodSandbox", [](const auto&) {});
    fs::rename(copy, kept);
    runtime.WithContainers([](FakeContainers& containers) { containers.sandboxes.clear(); });
    runtime.Untag(OwnPause());
    runtime.Move(kTenant, made, kForGood);
    return RunPastTheGate("shop");
  }

  std::string RunPastTheGate(const std::string& pod_namespace) {
    std::string id;
    runtime.WithContainers([&](FakeContainers& containers) {
      id = containers.RunSandbox(SandboxRequest(pod_namespace).config(), good.image_id);
    });
    return id;
  }

  bool SandboxesComeTo(std::size_t number) const {
    for (int tries = 0; tries < 1000; ++tries) {
      if (runtime.SandboxesRan().size() == number) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  grpc::Status CreateIn(const std::string& sandbox) {
    auto request = CreateRequest(good.image_id, kPause);
    request.set_pod_sandbox_id(sandbox);
    grpc::ClientContext context;
    cri::CreateContainerResponse response;
    return runtime_stub->CreateContainer(&context, request, &response);
  }

  std::string OwnPause() const { return std::string(kPause) + "@" + good.digest.ToString(); }

  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

bool Says(const grpc::Status& status, const std::string& word) {
  return status.error_message().find(word) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(UnseenSandboxTest)

BOOST_FIXTURE_TEST_CASE(ClientGoesWhileItIsMade_OtherContentIsFoundAndRemoved, NodeWithPause) {
  RunWhileTheClientGoes(evil);
  BOOST_TEST(runtime.WaitForCall("RemovePodSandbox"));
  BOOST_TEST(SandboxesComeTo(0));
  BOOST_TEST(AuditText().find("the sandbox ran with other content") != std::string::npos);
  BOOST_TEST(metrics.Read().other_content == 1U);
}

BOOST_FIXTURE_TEST_CASE(ClientGoesWhileItIsMade_WhatWasJudgedStays, NodeWithPause) {
  RunWhileTheClientGoes(good);
  BOOST_TEST(runtime.WaitForCall("Snapshots.Stat"));
  BOOST_TEST(CreateIn("sandbox-0001").ok());
  AuditText();  // ends the gate, and with it the look
  BOOST_TEST(runtime.SandboxesRan().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(CrivetIsKilledBeforeTheLook_OtherContentIsRemovedAtItsStart,
                        NodeWithPause) {
  KillBeforeTheLook(evil);
  RestartGate();
  BOOST_TEST(SandboxesComeTo(0));
  const std::string audit = AuditText();
  BOOST_TEST(audit.find("the sandbox ran with other content") != std::string::npos);
  BOOST_TEST(audit.find("\"web-0\"") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(CrivetIsKilledBeforeTheLook_WhatWasJudgedStays, NodeWithPause) {
  KillBeforeTheLook(good);
  RestartGate();
  BOOST_TEST(runtime.WaitForCall("ListPodSandbox"));
  AuditText();
  BOOST_TEST(runtime.SandboxesRan().size() == 1U);
  BOOST_TEST(runtime.Calls("StopPodSandbox").empty());
}

// Those of before crivet, or of a sandbox image that the node has changed since, are nobody's to
// judge by what the name means today.
BOOST_FIXTURE_TEST_CASE(SandboxesThatWereNotAskedForHere_AreLeftAlone, NodeWithPause) {
  KillBeforeTheLook(evil);
  RunPastTheGate("other");
  RestartGate();
  BOOST_TEST(SandboxesComeTo(1));
  AuditText();
  BOOST_TEST(runtime.Calls("StopPodSandbox").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(RuntimeDoesNotListYet_NoContainerIsMadeInIt, NodeWithPause) {
  const std::string wrong = KillBeforeTheLook(evil);
  runtime.Fail("ListPodSandbox", {.code = grpc::UNAVAILABLE, .message = "starting"});
  RestartGate();
  BOOST_TEST(Says(CreateIn(wrong), "digest-mismatch"));
  BOOST_TEST(runtime.Calls("CreateContainer").empty());
  BOOST_TEST(runtime.SandboxesRan().empty());
}

BOOST_FIXTURE_TEST_CASE(CannotBeRemoved_IsTriedAgain, NodeWithPause) {
  KillBeforeTheLook(evil);
  runtime.Fail("StopPodSandbox", {.code = grpc::INTERNAL, .message = "busy"});
  RestartGate();
  BOOST_TEST(runtime.WaitForCall("StopPodSandbox"));
  runtime.Fail("StopPodSandbox", {});
  BOOST_TEST(SandboxesComeTo(0));
}

BOOST_FIXTURE_TEST_CASE(LookedAt_CostsNothingAfterwards, NodeWithPause) {
  BOOST_TEST(RunSandbox().ok());
  BOOST_TEST(CreateIn("sandbox-0001").ok());
  BOOST_TEST(runtime.Calls("PodSandboxStatus").empty());
  RestartGate();
  BOOST_TEST(CreateIn("sandbox-0001").ok());
  BOOST_TEST(runtime.Calls("PodSandboxStatus").empty());
  BOOST_TEST(runtime.Calls("ListPodSandbox").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
