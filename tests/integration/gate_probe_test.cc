// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/gate_probe.h"

#include <sys/socket.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "tests/support/daemon/daemon_process.h"
#include "tests/support/road/fake_runtime.h"

namespace crivet::proxy::testing {
namespace {

using std::chrono::milliseconds;

std::array<OwnedFd, 2> Pair() {
  std::array<int, 2> fds{-1, -1};
  BOOST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) ==
                0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}

BOOST_AUTO_TEST_SUITE(GateProbeTest)

BOOST_AUTO_TEST_CASE(Gate_ThatAnswers_IsAlive) {
  const TestFolder folder;
  FakeRuntime gate(folder.File("gate.sock"));
  gate.On("/crivet.Watchdog/Answer",
          [](FakeCall&) { return CallStatus{.code = 12, .message = {}, .details = {}}; });
  int connections = 0;
  GateProbe probe([&] {
    ++connections;
    auto ends = Pair();
    gate.Adopt(std::move(ends[0]));
    return ends[1].Release();
  });
  for (int i = 0; i < 3; ++i) BOOST_TEST(probe.Answers(milliseconds{5000}));
  BOOST_TEST(connections == 1);
}

// A peer that took the connection and reads nothing is what a hung gate looks like.
BOOST_AUTO_TEST_CASE(Gate_ThatHangs_IsNot) {
  OwnedFd other_end;
  GateProbe probe([&] {
    auto ends = Pair();
    other_end = std::move(ends[0]);
    return ends[1].Release();
  });
  BOOST_TEST(!probe.Answers(milliseconds{100}));
}

BOOST_AUTO_TEST_CASE(Gate_ThatTakesNoConnection_IsNot) {
  GateProbe probe([] { return -1; });
  BOOST_TEST(!probe.Answers(milliseconds{100}));
}

BOOST_AUTO_TEST_CASE(Gate_ThatComesBack_IsAliveAgain) {
  const TestFolder folder;
  FakeRuntime gate(folder.File("gate.sock"));
  gate.On("/crivet.Watchdog/Answer",
          [](FakeCall&) { return CallStatus{.code = 12, .message = {}, .details = {}}; });
  bool back = false;
  GateProbe probe([&] {
    auto ends = Pair();
    if (back) gate.Adopt(std::move(ends[0]));
    return ends[1].Release();
  });
  BOOST_TEST(!probe.Answers(milliseconds{2000}));
  back = true;
  BOOST_TEST(probe.Answers(milliseconds{5000}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy::testing
