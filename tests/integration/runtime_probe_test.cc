// SPDX-License-Identifier: Apache-2.0

// What `crivet takeover` asks before and after it moves a runtime.
#include "proxy/runtime/runtime_probe.h"

#include <atomic>
#include <boost/test/unit_test.hpp>

#include "proxy/runtime/runtime_facts.h"
#include "runtime/v1/api.pb.h"
#include "tests/support/daemon/daemon_process.h"
#include "tests/support/road/fake_runtime.h"

namespace crivet::proxy::testing {
namespace {

namespace cri = ::runtime::v1;
using std::chrono::milliseconds;

// As containerd says it between listening and having its CRI plugin ready.
const CallStatus kNotYet{.code = 2, .message = "server is not initialized yet", .details = {}};

struct Runtime {
  // Its first `questions` are too early.
  void ReadyAfter(int questions) {
    runtime.On("/runtime.v1.RuntimeService/Version", [this, questions](FakeCall& call) {
      call.Read();
      if (asked++ < questions) return kNotYet;
      cri::VersionResponse version;
      version.set_runtime_name("fake");
      call.Write(version.SerializeAsString());
      return CallStatus{};
    });
    const auto answer_empty = [](FakeCall& call) {
      call.Read();
      call.Write("");
      return CallStatus{};
    };
    for (const char* method :
         {"RuntimeService/Status", "RuntimeService/ListPodSandbox", "RuntimeService/ListContainers",
          "ImageService/ImageFsInfo", "ImageService/ListImages"}) {
      runtime.On(std::string("/runtime.v1.") + method, answer_empty);
    }
  }

  TestFolder folder;
  FakeRuntime runtime{folder.File("runtime.sock")};
  std::atomic<int> asked = 0;
};

BOOST_FIXTURE_TEST_SUITE(RuntimeProbeTest, Runtime)

BOOST_AUTO_TEST_CASE(RuntimeThatIsNotInitializedYet_IsWaitedFor) {
  ReadyAfter(3);
  const auto view = ProbeKubelet(folder.File("runtime.sock"), milliseconds{30'000});
  BOOST_REQUIRE_MESSAGE(view, view.error().detail);
  BOOST_TEST(view->name == "fake");
  BOOST_TEST(asked == 4);
}

BOOST_AUTO_TEST_CASE(RuntimeThatNeverIs_IsUnreachable_WithItsAnswer) {
  ReadyAfter(1'000'000);
  const auto view = ProbeKubelet(folder.File("runtime.sock"), milliseconds{2'000});
  BOOST_REQUIRE(!view);
  BOOST_TEST(view.error().detail ==
             "the runtime at " + folder.File("runtime.sock") +
                 " answers Version with an error: server is not initialized yet (code 2)");
}

BOOST_AUTO_TEST_CASE(RuntimeWithoutCri_IsToldApartFromSilence_AtOnce) {
  ReadyAfter(0);
  runtime.On("/runtime.v1.RuntimeService/Version", [](FakeCall& call) {
    call.Read();
    return CallStatus{
        .code = 12, .message = "unknown service runtime.v1.RuntimeService", .details = {}};
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto view = ProbeKubelet(folder.File("runtime.sock"), milliseconds{30'000});
  BOOST_TEST((std::chrono::steady_clock::now() - begin < milliseconds{20'000}));
  const auto facts = AskRuntime(folder.File("runtime.sock"), milliseconds{20'000});
  BOOST_REQUIRE(!view);
  BOOST_REQUIRE(!facts);
  BOOST_TEST((facts.error().reason == trust::Reason::kMalformed));
  for (const std::string& detail : {view.error().detail, facts.error().detail}) {
    BOOST_TEST(detail.find("serves no CRI v1") != std::string::npos, detail);
    BOOST_TEST(detail.find("disabled_plugins") != std::string::npos, detail);
  }
}

BOOST_AUTO_TEST_CASE(RuntimeThatAnswersWithAnError_IsNotSilent) {
  ReadyAfter(1000);
  const auto facts = AskRuntime(folder.File("runtime.sock"), milliseconds{20'000});
  BOOST_REQUIRE(!facts);
  BOOST_TEST((facts.error().reason == trust::Reason::kMalformed));
  BOOST_TEST(facts.error().detail.find("server is not initialized yet") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(SocketThatNobodyServes_IsSaidWithItsCause) {
  const auto facts = AskRuntime(folder.File("none.sock"), milliseconds{300});
  BOOST_REQUIRE(!facts);
  BOOST_TEST((facts.error().reason == trust::Reason::kUnreachable));
  BOOST_TEST(facts.error().detail.find("there is no such socket") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy::testing
