// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/reload.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>

namespace crivet::proxy {
namespace {

BOOST_AUTO_TEST_SUITE(ReloadTest)

BOOST_AUTO_TEST_CASE(SameConfiguration_NeedsNoRestart) {
  BOOST_TEST(SettingsThatNeedARestart(Config(), Config()).empty());
}

BOOST_AUTO_TEST_CASE(LiveSettings_NeedNoRestart) {
  Config next;
  next.drain = std::chrono::seconds{1};
  next.metrics_listen = "127.0.0.1:1";
  next.log_level = Config::LogLevel::kDebug;
  next.gate.containerd_api = ContainerdApi::kAll;
  BOOST_TEST(SettingsThatNeedARestart(Config(), next).empty());
}

BOOST_AUTO_TEST_CASE(PathsOfSocketsAndState_NeedARestart) {
  Config next;
  for (std::string* path : {&next.listen, &next.upstream, &next.image_upstream, &next.state_dir,
                            &next.admin, &next.audit}) {
    *path = "/elsewhere";
  }
  const std::vector<std::string> expected = {"listen",    "upstream", "image_upstream",
                                             "state_dir", "admin",    "audit in [log]"};
  BOOST_TEST(SettingsThatNeedARestart(Config(), next) == expected,
             boost::test_tools::per_element());
}

bool Always() { return true; }

BOOST_AUTO_TEST_CASE(Request_GetsWhatCameOfTheReloadThatItAskedFor) {
  ReloadOutcomes reloads;
  std::promise<void> asked;
  auto outcome = std::async(std::launch::async,
                            [&] { return reloads.Request([&] { asked.set_value(); }, Always); });
  asked.get_future().wait();
  reloads.Begin();
  reloads.End({"wrong"});
  const auto got = outcome.get();
  BOOST_REQUIRE(got.has_value());
  BOOST_TEST(*got == ReloadOutcomes::Problems{"wrong"}, boost::test_tools::per_element());
}

// It may have read the file before the caller wrote it.
BOOST_AUTO_TEST_CASE(Request_WhileAReloadRuns_WaitsForTheNext) {
  ReloadOutcomes reloads;
  std::promise<void> asked;
  reloads.Begin();
  auto outcome = std::async(std::launch::async,
                            [&] { return reloads.Request([&] { asked.set_value(); }, Always); });
  asked.get_future().wait();
  reloads.End({"of the old file"});
  reloads.Begin();
  reloads.End({});
  const auto got = outcome.get();
  BOOST_REQUIRE(got.has_value());
  BOOST_TEST(got->empty());
}

BOOST_AUTO_TEST_CASE(Request_OfADaemonThatStops_IsAnError) {
  ReloadOutcomes reloads;
  std::promise<void> asked;
  auto outcome = std::async(std::launch::async,
                            [&] { return reloads.Request([&] { asked.set_value(); }, Always); });
  asked.get_future().wait();
  reloads.Close();
  BOOST_TEST(!outcome.get().has_value());
}

BOOST_AUTO_TEST_CASE(Request_OfACallerThatWentAway_Ends) {
  ReloadOutcomes reloads;
  std::atomic<int> turns = 0;
  const auto got = reloads.Request([] {}, [&] { return ++turns < 2; });
  BOOST_TEST(!got.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
