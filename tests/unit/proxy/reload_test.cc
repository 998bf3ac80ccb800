#include "proxy/reload.h"

#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
