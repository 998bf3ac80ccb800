// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <future>
#include <thread>

#include "proxy/runtime/call_context.h"
#include "proxy/runtime/upstream.h"
#include "tests/support/proxy/fake_cri.h"
#include "tests/support/proxy/set_clock.h"
#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kYear = std::chrono::hours{24 * 365};

Detached Tell(Task<grpc::Status> call, std::promise<grpc::Status>& told) {
  told.set_value(co_await std::move(call));
}

// The gate's way to a runtime that hangs, if it shall.
struct Way {
  TemporaryFolder folder;
  FakeCri runtime{{.socket = folder.path() + "/cri.sock", .sandbox_image = ""}};
  Upstream upstream{folder.path() + "/cri.sock", ""};

  grpc::Status Ask(grpc::ClientContext& context) {
    cri::ImageStatusRequest request;
    cri::ImageStatusResponse response;
    std::promise<grpc::Status> told;
    Tell(upstream.ImageStatus(context, request, response), told);
    return told.get_future().get();
  }
  void Hang() {
    runtime.OnCall("ImageStatus", [](const auto& cancelled) {
      const auto end = steady_clock::now() + 5s;
      while (!cancelled() && steady_clock::now() < end) std::this_thread::sleep_for(10ms);
    });
  }
};

}  // namespace

// The budgets of what the gate asks for itself (proxy/RULES.md#the-tag).
BOOST_AUTO_TEST_SUITE(WallClockTest)

BOOST_FIXTURE_TEST_CASE(SetForward_BudgetIsNotSpent, Way) {
  const auto context = OwnContext(5s);
  const SetClock later(kYear);
  const auto status = Ask(*context);
  BOOST_TEST(status.ok(), status.error_message());
}

BOOST_FIXTURE_TEST_CASE(SetForward_RuntimeThatIsAwayIsWaitedFor, Way) {
  runtime.Stop();
  const auto context = OwnContext(5s);
  const SetClock later(kYear);
  std::thread start([this] {
    std::this_thread::sleep_for(300ms);
    runtime.Start();
  });
  const auto status = Ask(*context);
  start.join();
  BOOST_TEST(status.ok(), status.error_message());
}

BOOST_FIXTURE_TEST_CASE(SetBackBeforeTheCall_BudgetEndsIt, Way) {
  Hang();
  const auto context = OwnContext(300ms);
  const SetClock earlier(-kYear);
  BOOST_TEST(Ask(*context).error_code() == grpc::DEADLINE_EXCEEDED);
}

// gRPC's timers have begun to wait for a time of day that is now a year away.
BOOST_FIXTURE_TEST_CASE(SetBackDuringTheCall_BudgetEndsIt, Way) {
  Hang();
  const SetClock before(kYear);
  const auto context = OwnContext(300ms);
  BOOST_TEST(Ask(*context).error_code() == grpc::DEADLINE_EXCEEDED);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
