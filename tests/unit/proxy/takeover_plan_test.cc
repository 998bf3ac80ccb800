#include "proxy/takeover_plan.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

// As systemd 252 prints the property.
constexpr char kExecStart[] =
    "ExecStart={ path=/usr/bin/containerd ; argv[]=/usr/bin/containerd --log-level warn ; "
    "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n";

// The parts of what containerd 1.6 prints that matter, with namesakes around them.
constexpr char kDump[] =
    "version = 2\n"
    "[debug]\n  address = \"\"\n"
    "[grpc]\n  address = \"/run/containerd/containerd.sock\"\n  gid = 0\n"
    "[plugins]\n  [plugins.\"x\"]\n    address = \"/not/this\"\n"
    "[ttrpc]\n  address = \"\"\n";

ContainerdFacts Facts() {
  auto facts = ParseContainerdFacts(kExecStart, kDump);
  BOOST_REQUIRE(facts);
  facts->config_exists = true;
  return *facts;
}

BOOST_AUTO_TEST_SUITE(TakeoverPlanTest)

BOOST_AUTO_TEST_CASE(Facts_AreReadFromSystemdAndFromContainerdItself) {
  const ContainerdFacts facts = Facts();
  BOOST_TEST(facts.command.size() == 3u);
  BOOST_TEST(facts.config_file == "/etc/containerd/config.toml");
  BOOST_TEST(facts.grpc_address == "/run/containerd/containerd.sock");
}

BOOST_AUTO_TEST_CASE(Ttrpc_WithoutAnAddress_KeepsThePathThatRunningShimsKnow) {
  const auto plan = PlanTakeover(Facts(), "/usr/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE(plan);
  const std::string& moved = plan->files.at("/etc/crivet/containerd-address.toml");
  BOOST_TEST(moved.find("[ttrpc]\n  address = \"/run/containerd/containerd.sock.ttrpc\"") !=
             std::string::npos);
  BOOST_TEST(moved.find("[grpc]\n  address = \"/run/containerd/upstream.sock\"") !=
             std::string::npos);
}

// Cut off before it, the node starts pods as ever.
BOOST_AUTO_TEST_CASE(Files_WhatMovesContainerdIsWrittenLast) {
  const auto plan = PlanTakeover(Facts(), "/usr/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE(plan);
  const std::vector<std::string> files = TakeoverFiles();
  BOOST_TEST(files.size() == plan->files.size());
  for (const std::string& file : files) BOOST_TEST(plan->files.contains(file), file);
  BOOST_TEST(files.back() == "/etc/systemd/system/containerd.service.d/50-crivet.conf");
}

BOOST_AUTO_TEST_CASE(Containerd_KeepsItsOwnConfigurationAndFlags) {
  const auto plan = PlanTakeover(Facts(), "/usr/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE(plan);
  BOOST_TEST(plan->files.at("/etc/crivet/containerd.toml")
                 .find("imports = [\"/etc/containerd/config.toml\", "
                       "\"/etc/crivet/containerd-address.toml\"]") != std::string::npos);
  BOOST_TEST(plan->files.at("/etc/systemd/system/containerd.service.d/50-crivet.conf")
                 .find("ExecStart=\nExecStart=/usr/bin/containerd --config "
                       "/etc/crivet/containerd.toml --log-level warn\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Sockets_ServeTheGroupThatContainerdsServed) {
  std::string dump = kDump;
  dump.replace(dump.find("gid = 0"), 7, "gid = 997");
  const auto facts = ParseContainerdFacts(kExecStart, dump);
  BOOST_REQUIRE(facts);
  const auto plan = PlanTakeover(*facts, "/usr/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE(plan);
  BOOST_TEST(plan->files.at("/etc/systemd/system/crivet.socket.d/50-takeover.conf")
                 .find("SocketUser=0\nSocketGroup=997\n") != std::string::npos);
  BOOST_TEST(plan->files.at("/etc/systemd/system/crivet.service.d/50-takeover.conf")
                 .find("SupplementaryGroups=997\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ConfigOption_IsReplaced_InEachSpelling) {
  for (const char* spelling : {"--config /x.toml", "--config=/x.toml", "-c /x.toml"}) {
    BOOST_TEST_CONTEXT(spelling) {
      const std::string exec =
          std::string("argv[]=/usr/bin/containerd ") + spelling + " -l warn ; ";
      auto facts = ParseContainerdFacts(exec, kDump);
      BOOST_REQUIRE(facts);
      BOOST_TEST(facts->config_file == "/x.toml");
      const auto plan = PlanTakeover(*facts, "/usr/bin/crivet", "/etc/crivet/config.toml");
      BOOST_REQUIRE(plan);
      BOOST_TEST(plan->files.at("/etc/systemd/system/containerd.service.d/50-crivet.conf")
                     .find("/usr/bin/containerd --config /etc/crivet/containerd.toml -l warn\n") !=
                 std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(AddressOnTheCommandLine_IsRefused_BecauseItWouldWin) {
  for (const char* spelling : {"--address /s", "--address=/s", "-a /s"}) {
    const std::string exec = std::string("argv[]=/usr/bin/containerd ") + spelling + " ; ";
    auto facts = ParseContainerdFacts(exec, kDump);
    BOOST_REQUIRE(facts);
    const auto plan = PlanTakeover(*facts, "/usr/bin/crivet", "/etc/crivet/config.toml");
    BOOST_REQUIRE(!plan);
    BOOST_TEST(plan.error().detail.find("--address") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(Plan_WritesExactlyTheFilesThatReleaseRemoves) {
  const auto plan = PlanTakeover(Facts(), "/usr/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE(plan);
  std::vector<std::string> written;
  for (const auto& [path, text] : plan->files) written.push_back(path);
  std::vector<std::string> removed = TakeoverFiles();
  std::sort(removed.begin(), removed.end());
  BOOST_TEST(written == removed, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Socket_IsTakenWhereKubeletLooks_AndTheDaemonKnowsTheNewUpstream) {
  const auto plan = PlanTakeover(Facts(), "/opt/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE(plan);
  BOOST_TEST(plan->files.at("/etc/systemd/system/crivet.socket.d/50-takeover.conf")
                 .find("ListenStream=\nListenStream=/run/containerd/containerd.sock\n") !=
             std::string::npos);
  BOOST_TEST(plan->files.at("/etc/systemd/system/crivet.service.d/50-takeover.conf")
                 .find("/opt/bin/crivet serve --config /etc/crivet/config.toml --in-place "
                       "/run/containerd/upstream.sock\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(UnusualInstallations_AreRefusedWithAReason) {
  BOOST_TEST(!ParseContainerdFacts("ExecStart=\n", kDump));
  BOOST_TEST(!ParseContainerdFacts(kExecStart, "version = 2\n"));
  BOOST_TEST(!ParseContainerdFacts(kExecStart, "[grpc]\n  address = \"tcp\"\n"));
}

BOOST_AUTO_TEST_CASE(ConfigVersion_IsThatOfTheFile) {
  BOOST_TEST(ConfigVersionOf("# c\nversion = 3\n[grpc]\n") == "3");
  BOOST_TEST(ConfigVersionOf("[grpc]\nversion = 9\n") == "1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
