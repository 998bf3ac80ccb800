// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr char kWeb[] = "registry.example/acme/web:1";

struct Node : GateFixture {
  Node() {
    decider.Verify("registry.example/acme/**");
    good = runtime.MakeManifest("good layers", "good config");
    runtime.Push(kWeb, good);
    decider.Sign(kWeb, good.digest);
  }
  // The first call of this name is answered that much later.
  void Delay(const std::string& method, seconds time) {
    runtime.OnCall(method, [this, time](const auto& cancelled) {
      if (delayed.exchange(true)) return;
      for (const auto end = steady_clock::now() + time;
           steady_clock::now() < end && !cancelled();) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  }
  std::atomic<bool> delayed{false};
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
};

}  // namespace

// What follows a pull runs to its end: a runtime that is busy, with somebody's image of a huge
// configuration for example, has all the time that it needs; one that answers nothing has not.
BOOST_AUTO_TEST_SUITE(SlowRuntimeTest)

BOOST_FIXTURE_TEST_CASE(TableOfImagesIsBusy_PullWaits, Node) {
  Delay("Images.Create", seconds(7));
  const auto status = Pull(kWeb);
  BOOST_TEST(status.ok(), status.error_message());
  BOOST_TEST(runtime.TargetOf(kWeb) == good.digest.ToString());
  BOOST_TEST(!runtime.Calls("Version").empty());
}

BOOST_FIXTURE_TEST_CASE(CallerIsGone_TagIsGivenAllTheSame, Node) {
  Delay("Images.Create", seconds(6));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + seconds(1));
  cri::PullImageResponse response;
  BOOST_TEST(!images->PullImage(&context, PullRequest(kWeb), &response).ok());
  BOOST_TEST(runtime.WaitForName(kWeb));
}

BOOST_FIXTURE_TEST_CASE(RuntimeAnswersNothing_PullEnds, Node) {
  std::atomic<bool> over{false};
  for (const char* method : {"Images.Create", "Version"}) {
    runtime.OnCall(method, [&over](const auto& cancelled) {
      while (!cancelled() && !over) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
  }
  const auto begin = steady_clock::now();
  const auto status = Pull(kWeb);
  over = true;
  BOOST_TEST(status.error_code() == grpc::DEADLINE_EXCEEDED);
  BOOST_TEST(status.error_message() ==
             "the container runtime at " + folder.path() + "/cri.sock does not answer");
  BOOST_TEST((steady_clock::now() - begin < seconds(20)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
