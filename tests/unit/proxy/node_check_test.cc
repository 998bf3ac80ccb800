#include "proxy/node_check.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

BOOST_AUTO_TEST_SUITE(NodeCheckTest)

BOOST_AUTO_TEST_CASE(Runtime_ThatTellsItsSandboxImage_IsNotWarnedOf) {
  BOOST_TEST(RuntimeWarnings(Config(), {"containerd", "1", "registry.k8s.io/pause:3.9", {"runc"}})
                 .empty());
}

BOOST_AUTO_TEST_CASE(Runtime_ThatDoesNot_IsWarnedOfUnlessItIsConfigured) {
  const RuntimeFacts facts{"other", "1", "", {}};
  BOOST_TEST(RuntimeWarnings(Config(), facts).size() == 1U);
  Config config;
  config.gate.sandbox_image = "registry.k8s.io/pause:3.9";
  BOOST_TEST(RuntimeWarnings(config, facts).empty());
}

BOOST_AUTO_TEST_CASE(Handlers_ThatPullInTheGuest_AreWarnedOf) {
  const auto warnings = RuntimeWarnings(
      Config(), {"containerd", "2", "x.example/pause:1", {"runc", "kata-qemu", "enclave-cc"}});
  BOOST_REQUIRE(warnings.size() == 2U);
  BOOST_TEST(warnings[0].find("kata-qemu") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ListenPaths_AreThoseOfUnixSockets) {
  const std::vector<std::string> expected = {"/run/crivet/crivet.sock", "/run/b.sock"};
  BOOST_TEST(ListenPathsOf("Listen=/run/crivet/crivet.sock (Stream)\nListen=[::]:22 (Stream)\n"
                           "Listen=/run/b.sock (Stream)\n") == expected,
             boost::test_tools::per_element());
  BOOST_TEST(ListenPathsOf("").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
