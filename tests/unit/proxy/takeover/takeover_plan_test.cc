// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/takeover_plan.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

constexpr char kContainerdDropIn[] = "/etc/systemd/system/containerd.service.d/50-crivet.conf";
constexpr char kServiceDropIn[] = "/etc/systemd/system/crivet.service.d/50-takeover.conf";

// The parts of what containerd 1.6 prints that matter, with namesakes around them.
constexpr char kDump[] =
    "imports = [\"/etc/containerd/config.toml\"]\n"
    "version = 2\n"
    "[debug]\n  address = \"\"\n"
    "[grpc]\n  address = \"/run/containerd/containerd.sock\"\n  gid = 0\n"
    "  max_recv_message_size = 16777216\n"
    "[plugins]\n  [plugins.\"x\"]\n    address = \"/not/this\"\n"
    "[ttrpc]\n  address = \"\"\n  gid = 0\n  uid = 0\n";

ContainerdConfig Config(std::string_view dump = kDump) {
  auto config = ParseContainerdConfig(dump);
  BOOST_REQUIRE(config);
  return *config;
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  BOOST_REQUIRE(text.find(what) != std::string::npos);
  return text.replace(text.find(what), what.size(), by);
}

ContainerdFacts Facts() {
  ContainerdFacts facts;
  facts.unit.words = {"/usr/bin/containerd", "--log-level", "warn"};
  facts.process = {"/usr/bin/containerd", facts.unit.words, {}, "/"};
  facts.files = {"/etc/containerd/config.toml", "/etc/containerd/conf.d/10-socket.toml"};
  facts.config = Config();
  return facts;
}

TakeoverPlan Plan(const ContainerdFacts& facts, const std::vector<std::string>& resets = {}) {
  auto plan = PlanTakeover(facts, resets, "/opt/bin/crivet", "/etc/crivet/config.toml");
  BOOST_REQUIRE_MESSAGE(plan, (plan ? "" : plan.error().detail));
  return *plan;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(TakeoverPlanTest)

BOOST_AUTO_TEST_CASE(Ttrpc_WithoutAnAddress_KeepsThePathAndTheOwnerThatRunningShimsKnow) {
  ContainerdFacts facts = Facts();
  facts.config = Config(Replaced(kDump, "gid = 0", "gid = 997"));
  const std::string moved = Plan(facts).files.at(kMovedAddress);
  BOOST_TEST(
      Has(moved, "[ttrpc]\n  address = \"/run/containerd/containerd.sock.ttrpc\"\n  gid = 997\n"));
  BOOST_TEST(Has(moved, "[grpc]\n  address = \"/run/containerd/upstream.sock\"\n[ttrpc]\n"));
}

// Cut off before it, the node starts pods as ever.
BOOST_AUTO_TEST_CASE(Files_WhatMovesContainerdIsWrittenLast) {
  const auto plan = Plan(Facts());
  std::vector<std::string> order;
  for (const std::string& file : TakeoverFiles()) {
    if (plan.files.contains(file)) order.push_back(file);
  }
  BOOST_TEST(order.size() == plan.files.size());
  BOOST_TEST(order.back() == kContainerdDropIn);
}

// containerd reads imports after what names them: listed here, they come before crivet's.
BOOST_AUTO_TEST_CASE(Containerd_ReadsAllItsFilesFirst_AndKeepsItsFlags) {
  const auto plan = Plan(Facts());
  BOOST_TEST(Has(plan.files.at(kMovedConfig),
                 "imports = [\"/etc/containerd/config.toml\", "
                 "\"/etc/containerd/conf.d/10-socket.toml\", "
                 "\"/etc/crivet/containerd-address.toml\"]"));
  BOOST_TEST(Has(plan.files.at(kContainerdDropIn),
                 "ExecStart=\nExecStart=/usr/bin/containerd --log-level warn --config "
                 "/etc/crivet/containerd.toml\n"));
}

BOOST_AUTO_TEST_CASE(Containerd_WithoutAConfiguration_GetsTheAddressAlone) {
  ContainerdFacts facts = Facts();
  facts.files.clear();
  BOOST_TEST(Has(Plan(facts).files.at(kMovedConfig),
                 "imports = [\"/etc/crivet/containerd-address.toml\"]"));
}

// containerd 2.1 migrates nothing where the last version that it reads is the newest, and 1.x
// refuses names of plugins where it is not: a file without one leaves the others alone.
BOOST_AUTO_TEST_CASE(Version_IsLeftToTheNodesOwnFiles) {
  for (const char* version : {"version = 2", "version = 3"}) {
    ContainerdFacts facts = Facts();
    facts.config = Config(Replaced(kDump, "version = 2", version));
    BOOST_TEST(!Has(Plan(facts).files.at(kMovedConfig), "version"));
    BOOST_TEST(!Has(Plan(facts).files.at(kMovedAddress), "version"));
  }
}

BOOST_AUTO_TEST_CASE(Version4_TheSocketStandsInAPlugin_WhoseSectionIsKept) {
  ContainerdFacts facts = Facts();
  facts.config = Config(
      "version = 4\n[plugins.'io.containerd.server.v1.grpc']\n  address = "
      "'/run/containerd/containerd.sock'\n"
      "  gid = 997\n  max_recv_message_size = 5\n"
      "[plugins.'io.containerd.server.v1.ttrpc']\n  address = "
      "'/run/containerd/containerd.sock.ttrpc'\n  uid = 3\n");
  const auto plan = Plan(facts);
  BOOST_TEST(Has(plan.files.at(kMovedAddress),
                 "[plugins.'io.containerd.server.v1.grpc']\n"
                 "  address = \"/run/containerd/upstream.sock\"\n  gid = 997\n"
                 "  max_recv_message_size = 5\n[plugins.'io.containerd.server.v1.ttrpc']\n"
                 "  address = \"/run/containerd/containerd.sock.ttrpc\"\n  uid = 3\n"));
  BOOST_TEST(plan.socket_path == "/run/containerd/containerd.sock");
  BOOST_TEST(Has(plan.files.at(kSocketDropIn), "SocketGroup=997\n"));
}

BOOST_AUTO_TEST_CASE(Sockets_ServeTheGroupThatContainerdsServed) {
  ContainerdFacts facts = Facts();
  facts.config = Config(Replaced(kDump, "gid = 0", "gid = 997"));
  const auto plan = Plan(facts);
  BOOST_TEST(Has(plan.files.at(kSocketDropIn), "SocketUser=0\nSocketGroup=997\n"));
  BOOST_TEST(Has(plan.files.at(kServiceDropIn), "SupplementaryGroups=997\n"));
}

BOOST_AUTO_TEST_CASE(AddressOnTheCommandLine_IsRefused_BecauseItWouldWin) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"containerd", "--address", "/s"},
        {"containerd", "--address=/s"},
        {"containerd", "-a", "/s"}}) {
    ContainerdFacts facts = Facts();
    facts.unit.words = facts.process.arguments = words;
    const auto plan = PlanTakeover(facts, {}, "/usr/bin/crivet", "/etc/crivet/config.toml");
    BOOST_REQUIRE(!plan);
    BOOST_TEST(Has(plan.error().detail, "fixes the socket with -"));
  }
}

BOOST_AUTO_TEST_CASE(AddressInAVariable_IsRefusedToo) {
  ContainerdFacts facts = Facts();
  facts.unit.words = {"containerd", "$OPTS"};
  facts.process = {
      "/usr/bin/containerd", {"containerd", "--address=/s"}, {"OPTS=--address=/s"}, "/"};
  BOOST_TEST(!PlanTakeover(facts, {}, "/usr/bin/crivet", "/etc/crivet/config.toml"));
}

BOOST_AUTO_TEST_CASE(Plan_WritesNothingThatReleaseDoesNotRemove) {
  const std::vector<std::string> removed = TakeoverFiles();
  for (const std::vector<std::string>& resets :
       {std::vector<std::string>(), std::vector<std::string>{"/x/override.conf"}}) {
    for (const auto& [path, text] : Plan(Facts(), resets).files) {
      BOOST_TEST((std::find(removed.begin(), removed.end(), path) != removed.end()), path);
    }
  }
}

// systemd reads drop-ins by name, whatever folder they are in.
BOOST_AUTO_TEST_CASE(DropInThatSetsExecStart_ComesBeforeCrivets) {
  BOOST_TEST(Plan(Facts(), {"/usr/lib/systemd/system/containerd.service.d/10-a.conf"})
                 .files.contains(kContainerdDropIn));
  BOOST_TEST(Plan(Facts(), {"/etc/systemd/system/containerd.service.d/override.conf"})
                 .files.contains("/etc/systemd/system/containerd.service.d/zz-crivet.conf"));
  const auto plan = PlanTakeover(Facts(), {"/x/10-a.conf", "/x/zzz.conf"}, "/crivet", "/c.toml");
  BOOST_REQUIRE(!plan);
  BOOST_TEST(Has(plan.error().detail, "/x/zzz.conf"));
}

BOOST_AUTO_TEST_CASE(Socket_IsTakenWhereKubeletLooks_AndTheDaemonKnowsTheNewUpstream) {
  const auto plan = Plan(Facts());
  const std::string& socket = plan.files.at(kSocketDropIn);
  BOOST_TEST(Has(socket, "ListenStream=\nListenStream=/run/containerd/containerd.sock\n"));
  BOOST_TEST(SocketPathOf(socket) == "/run/containerd/containerd.sock");
  BOOST_TEST(SocketPathOf("[Socket]\nListenStream=\n").empty());
  BOOST_TEST(Has(plan.files.at(kServiceDropIn),
                 "/opt/bin/crivet serve --config /etc/crivet/config.toml --in-place "
                 "/run/containerd/upstream.sock\n"));
}

BOOST_AUTO_TEST_CASE(Proof_HoldsOnlyWhereNothingButTheAddressDiffers) {
  const std::string moved =
      Replaced(Replaced(kDump, "/run/containerd/containerd.sock", "/run/containerd/upstream.sock"),
               "[ttrpc]\n  address = \"\"",
               "[ttrpc]\n  address = \"/run/containerd/containerd.sock.ttrpc\"");
  const auto prove = [](const std::string& dump) {
    return ProofOf(Config(), Config(dump), "/run/containerd/upstream.sock", {"/x/10-socket.toml"});
  };
  BOOST_TEST(prove(moved) == "");
  BOOST_TEST(prove(Replaced(moved, "imports = [", "imports = [\"/y\", ")) == "");
  BOOST_TEST(Has(prove(kDump), "/x/10-socket.toml"));
  BOOST_TEST(Has(prove(Replaced(moved, "\"/not/this\"", "\"/lost\"")), "plugins.x.address"));
  BOOST_TEST(Has(prove(Replaced(moved, "16777216", "4")), "grpc.max_recv_message_size"));
  BOOST_TEST(Has(prove(moved + "[metrics]\n  address = \"x\"\n"), "metrics.address"));
  BOOST_TEST(Has(prove(Replaced(moved, "containerd.sock.ttrpc", "other.ttrpc")), "ttrpc.address"));
}

BOOST_AUTO_TEST_CASE(Print_ThatIsNone_IsRefused) {
  BOOST_TEST(!ParseContainerdConfig(""));
  BOOST_TEST(!ParseContainerdConfig("version = 2\n"));
  BOOST_TEST(!ParseContainerdConfig("[grpc]\n  address = \"tcp\"\n"));
  BOOST_TEST(!ParseContainerdConfig("time=\"now\" level=info msg=\"starting containerd\"\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
