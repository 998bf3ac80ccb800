// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/host_check.h"

#include <boost/test/unit_test.hpp>

#include "proxy/wall_clock.h"

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

BOOST_AUTO_TEST_CASE(Containerd_ThatDoesNotTellWhatItMakes_IsWarnedOf) {
  RuntimeFacts facts{"containerd", "1", "registry.k8s.io/pause:3.9", {}, false};
  const auto warnings = RuntimeWarnings(Config(), facts);
  BOOST_REQUIRE(warnings.size() == 1U);
  BOOST_TEST(warnings[0].find("Containers.Get") != std::string::npos);
  facts.name = "cri-o";
  BOOST_TEST(RuntimeWarnings(Config(), facts).empty());
}

BOOST_AUTO_TEST_CASE(Handlers_ThatPullInTheGuest_AreWarnedOf) {
  const auto warnings = RuntimeWarnings(
      Config(), {"containerd", "2", "x.example/pause:1", {"runc", "kata-qemu", "enclave-cc"}});
  BOOST_REQUIRE(warnings.size() == 2U);
  BOOST_TEST(warnings[0].find("kata-qemu") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(CriosSandboxImage_ByTagUnderARuleThatVerifies_IsWarnedOf) {
  const auto config = ParseConfig(
      "[default]\naction = \"allow\"\n"
      "[trust.acme]\nkind = \"notary\"\nurl = \"https://notary.example\"\n"
      "[[rule]]\nimages = [\"a.example/**\"]\naction = \"verify\"\ntrust = \"acme\"\n"
      "root = { tofu = true }\n",
      "f");
  BOOST_REQUIRE(config);
  const auto warnings = [&](const char* runtime, const std::string& image) {
    return SandboxByTagWarnings(*config->policy, runtime, image, Now()).size();
  };
  BOOST_TEST(warnings("cri-o", "a.example/pause:3.9") == 1U);
  BOOST_TEST(warnings("cri-o", "a.example/pause@sha256:" + std::string(64, 'a')) == 0U);
  BOOST_TEST(warnings("cri-o", "b.example/pause:3.9") == 0U);
  BOOST_TEST(warnings("cri-o", "") == 0U);
  BOOST_TEST(warnings("containerd", "a.example/pause:3.9") == 0U);
}

Config AskingRegistries() {
  Config config;
  trust::TrustServer cosign;
  cosign.label = "cosign";
  cosign.registry_config = {"/etc/containerd/certs.d"};
  trust::TrustServer notary;
  notary.label = "acme";
  config.servers = {notary, cosign};
  return config;
}

std::vector<std::string> WarningsOf(const std::string& registry,
                                    const std::vector<std::string>& environment = {}) {
  std::vector<std::string> all;
  for (const char* plugin : {"io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images"}) {
    const auto dumped = ParseContainerdConfig("[grpc]\naddress = \"/run/c.sock\"\n[plugins.\"" +
                                              std::string(plugin) + "\".registry]\n" + registry);
    BOOST_REQUIRE(dumped);
    const auto warnings = RegistryWarnings(AskingRegistries(), *dumped, environment);
    all.insert(all.end(), warnings.begin(), warnings.end());
  }
  // Both versions of containerd say it in the same words.
  BOOST_REQUIRE(all.size() % 2 == 0U);
  all.resize(all.size() / 2);
  return all;
}

BOOST_AUTO_TEST_CASE(Registries_AskedAsContainerdAsksThem_AreNotWarnedOf) {
  BOOST_TEST(WarningsOf("config_path = \"/etc/containerd/certs.d\"\n").empty());
  BOOST_TEST(WarningsOf("config_path = \"\"\n", {"HTTPS_PROXY=", "PATH=/bin"}).empty());
}

BOOST_AUTO_TEST_CASE(Registries_WithOtherFolders_AreWarnedOf_WithTheLineThatCuresIt) {
  const auto warnings = WarningsOf("config_path = \"/a/certs.d:/b/certs.d\"\n");
  BOOST_REQUIRE(warnings.size() == 1U);
  BOOST_TEST(warnings[0].ends_with(
      "registry_config = [\"/a/certs.d\", \"/b/certs.d\"] in [trust.cosign]"));
}

BOOST_AUTO_TEST_CASE(Registries_OfSeveralFolders_AreWarnedOf_WhereContainerdTakesThemForOne) {
  const std::string images = "[plugins.\"io.containerd.cri.v1.images\"]\n";
  const std::string list =
      "[plugins.\"io.containerd.cri.v1.images\".registry]\nconfig_path = \"/a:/b\"\n";
  Config config = AskingRegistries();
  config.servers.back().registry_config = {"/a", "/b"};
  const auto said = [&](const std::string& keys) {
    const auto dumped =
        ParseContainerdConfig("[grpc]\naddress = \"/run/c.sock\"\n" + images + keys + list);
    BOOST_REQUIRE(dumped);
    return RegistryWarnings(config, *dumped, {}).size();
  };
  BOOST_TEST(said("use_local_image_pull = false\n") == 1U);
  BOOST_TEST(said("use_local_image_pull = true\n") == 0U);
  // 1.x and 2.0 know no transfer service for CRI.
  BOOST_TEST(said("") == 0U);
}

BOOST_AUTO_TEST_CASE(Registries_WithMirrorsAndCredentialsInTheFile_AreWarnedOf) {
  const auto both = ParseContainerdConfig(
      "[grpc]\naddress = \"/run/c.sock\"\n"
      "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"r.example\"]\n"
      "endpoint = [\"http://m.example\"]\n"
      "[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r.example:5000\".auth]\n"
      "username = \"alice\"\npassword = \"secret\"\nauth = \"\"\n");
  BOOST_REQUIRE(both);
  const auto said = RegistryWarnings(AskingRegistries(), *both, {});
  BOOST_REQUIRE(said.size() == 2U);
  BOOST_TEST(said[0].find("[registry.mirrors]") != std::string::npos);
  BOOST_TEST(said[1].find("credentials for r.example:5000 ") != std::string::npos);
  BOOST_TEST(said[1].find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(Registries_BehindAProxyThatContainerdAloneHas_AreWarnedOf_WithoutItsPassword) {
  const auto warnings =
      WarningsOf("", {"PATH=/bin", "HTTPS_PROXY=http://alice:secret@proxy.example:3128"});
  BOOST_REQUIRE(warnings.size() == 1U);
  BOOST_TEST(warnings[0].ends_with("proxy = \"http://proxy.example:3128\" in [trust.cosign]"));
}

BOOST_AUTO_TEST_CASE(Upstream_ThatIsNotThere_IsSaidWithTheRuntimesThatAre) {
  BOOST_TEST(NoRuntimeAt("/run/a.sock", {}) ==
             "no runtime is at /run/a.sock: is it running, and is \"upstream\" its socket?");
  BOOST_TEST(NoRuntimeAt("/run/a.sock", {"/run/b.sock"}).ends_with(" One is at /run/b.sock."));
}

BOOST_AUTO_TEST_CASE(RefusedByRules_IsWhatNoPodMayRun_TheSandboxImageToo) {
  const auto config = ParseConfig(
      "[default]\naction = \"deny\"\n"
      "[[rule]]\nimages = [\"a.example/**\"]\naction = \"allow\"\n"
      "[[rule]]\nimages = [\"b.example/**\"]\naction = \"allow\"\nnamespaces = [\"prod\"]\n"
      "[[rule]]\nname = \"no\"\nimages = [\"a.example/evil\"]\naction = \"deny\"\n",
      "f");
  BOOST_REQUIRE(config);
  const auto digest = trust::Sha256Digest::FromHex(std::string(64, 'a')).value();
  NodeInventory inventory;
  const std::string image_id = digest.ToString();
  for (const char* name : {"a.example/web:1", "b.example/web:1", "c.example/web:1",
                           "a.example/evil:1", image_id.c_str()}) {
    inventory.names.push_back({name, digest});
  }
  inventory.sandbox_image = "registry.k8s.io/pause:3.9";
  const auto refused = RefusedByRules(inventory, *config->policy, trust::TimePoint{});
  BOOST_REQUIRE(refused.size() == 3U);
  BOOST_TEST(refused[0].image == "c.example/web:1");
  BOOST_TEST(refused[1].image == "a.example/evil:1");
  BOOST_TEST(refused[1].decision.applied.rule->name == "no");
  BOOST_TEST(!refused[1].sandbox);
  BOOST_TEST(refused[2].sandbox);
}

BOOST_AUTO_TEST_CASE(ListenPaths_AreThoseOfUnixSockets) {
  const std::vector<std::string> expected = {"/run/crivet/crivet.sock", "/run/b.sock"};
  BOOST_TEST(ListenPathsOf("Listen=/run/crivet/crivet.sock (Stream)\nListen=[::]:22 (Stream)\n"
                           "Listen=/run/b.sock (Stream)\n") == expected,
             boost::test_tools::per_element());
  BOOST_TEST(ListenPathsOf("").empty());
}

BOOST_AUTO_TEST_CASE(Place_IsWhatTheUnitOfATakeoverSays) {
  const std::string head = "ExecStart={ path=/usr/bin/crivet ; argv[]=/usr/bin/crivet serve ";
  const std::string tail = " ; ignore_errors=no ; pid=0 ; code=(null) ; status=0/0 }\n";
  const std::string config = "--config /etc/crivet/config.toml";
  BOOST_TEST(
      PlaceOf(head + config + " --in-place /run/containerd/upstream.sock" + tail).moved_upstream ==
      "/run/containerd/upstream.sock");
  BOOST_TEST(!PlaceOf(head + config + tail).in_place());
  BOOST_TEST(!PlaceOf(head + "--in-place" + tail).in_place());
  BOOST_TEST(!PlaceOf("").in_place());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
