// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/hosts_toml.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/trust_io/temporary_folder.h"
#include "trust/io/registry/registry_hosts.h"

namespace crivet::trust {
namespace {

BOOST_AUTO_TEST_SUITE(HostsTomlTest)

std::string AddressOf(const RegistryHost& host) {
  return host.scheme + "://" + host.authority + host.path;
}

std::vector<RegistryHost> Hosts(const std::string& text) {
  auto hosts = ParseHostsToml(text, "/certs.d/registry.example");
  BOOST_REQUIRE_MESSAGE(hosts, hosts.error().what);
  return *std::move(hosts);
}

std::string Wrong(const std::string& text) {
  const auto hosts = ParseHostsToml(text, "/");
  if (hosts) return "read";
  return std::to_string(hosts.error().at.line) + ": " + hosts.error().what;
}

BOOST_AUTO_TEST_CASE(Hosts_KeepTheOrderOfTheFile_AndTheServerComesLast) {
  const auto hosts = Hosts(R"(server = "https://upstream.example"
[host."https://z.example"]
[host."http://a.example:5000"]
[host."m.example/sub/"]
)");
  BOOST_REQUIRE(hosts.size() == 4U);
  BOOST_TEST(AddressOf(hosts[0]) == "https://z.example/v2");
  BOOST_TEST(AddressOf(hosts[1]) == "http://a.example:5000/v2");
  BOOST_TEST(AddressOf(hosts[2]) == "https://m.example/sub/v2");
  BOOST_TEST(AddressOf(hosts[3]) == "https://upstream.example/v2");
}

BOOST_AUTO_TEST_CASE(WithoutServer_TheLastIsTheRegistryItself) {
  const auto hosts = Hosts("[host.\"https://a.example\"]\n");
  BOOST_REQUIRE(hosts.size() == 2U);
  BOOST_TEST(hosts[1].authority.empty());
}

BOOST_AUTO_TEST_CASE(Capabilities_AreAllWhereNoneIsSaid_InAnyCase) {
  const auto hosts = Hosts(R"([host."https://a"]
capabilities = ["Pull", "resolve"]
[host."https://b"]
capabilities = []
[host."https://c"]
capabilities = ["push", "referrers"]
)");
  BOOST_TEST((hosts[0].capabilities == RegistryHost::Capabilities{true, true, false}));
  BOOST_TEST((hosts[1].capabilities == RegistryHost::Capabilities{true, true, true}));
  BOOST_TEST((hosts[2].capabilities == RegistryHost::Capabilities{false, false, true}));
}

BOOST_AUTO_TEST_CASE(OverridePath_IsTheRootOfTheApi) {
  const auto hosts = Hosts(R"([host."https://a/x/../api/"]
override_path = true
[host."https://b"]
override_path = true
[host."https://c/v2"]
)");
  BOOST_TEST(AddressOf(hosts[0]) == "https://a/api");
  BOOST_TEST(AddressOf(hosts[1]) == "https://b");
  BOOST_TEST(AddressOf(hosts[2]) == "https://c/v2");
}

BOOST_AUTO_TEST_CASE(Files_AreTakenFromTheFolder_InEveryForm) {
  const auto hosts = Hosts(R"(ca = "own.crt"
[host."https://a"]
ca = ["one.crt", "/two.crt"]
client = [["c.pem", "k.pem"], "both.pem", ["d.pem", ""]]
skip_verify = true
[host."https://a".header]
x-one = "1"
x-two = ["2", "3"]
[host."https://b"]
client = "both.pem"
)");
  const std::string folder = "/certs.d/registry.example/";
  BOOST_TEST((hosts[0].ca_files == std::vector<std::string>{folder + "one.crt", "/two.crt"}));
  BOOST_REQUIRE(hosts[0].clients.size() == 3U);
  BOOST_TEST(hosts[0].clients[0].key == folder + "k.pem");
  BOOST_TEST(hosts[0].clients[1].key == folder + "both.pem");
  BOOST_TEST(hosts[0].clients[2].key == folder + "d.pem");
  BOOST_TEST((hosts[0].skip_verify == true));
  BOOST_REQUIRE(hosts[0].headers.size() == 2U);
  BOOST_TEST(hosts[0].headers[1].values.size() == 2U);
  BOOST_TEST(hosts[1].clients.size() == 1U);
  BOOST_TEST((hosts[2].ca_files == std::vector<std::string>{folder + "own.crt"}));
}

BOOST_AUTO_TEST_CASE(WhatCannotBeMeant_IsSaidWithItsLine) {
  BOOST_TEST(Wrong("\n[host.\"https://a\"]\ncapabilities = [\"pull\", \"pul\"]\n")
                 .find("3: capabilities has pul") == 0U);
  BOOST_TEST(Wrong("x = \n").find("1: ") == 0U);
  BOOST_TEST(Wrong("host = \"a\"\n").find("1: host must be a table") == 0U);
  BOOST_TEST(Wrong("\nserver = 1\n").find("2: server") == 0U);
  BOOST_TEST(Wrong("[host.\"https://a@b\"]\n").find("1: ") == 0U);
  BOOST_TEST(Wrong("[host.\"https://a/?x=1\"]\n").find("1: ") == 0U);
  BOOST_TEST(Wrong("[host.\"https://a\"]\nca = 1\n").find("2: ca must") == 0U);
  BOOST_TEST(Wrong("[host.\"https://a\"]\nclient = [[\"a\"]]\n").find("2: client must") == 0U);
  BOOST_TEST(Wrong("[host.\"https://a\"]\nskip_verify = \"yes\"\n").find("2: skip_verify") == 0U);
  BOOST_TEST(
      Wrong("[host.\"https://a\".header]\nx = \"a\\r\\nHost: b\"\n").find("2: header has x") == 0U);
  BOOST_TEST(Wrong("[host.\"https://a\".header]\n\"x y\" = \"a\"\n").find("2: header has x y") ==
             0U);
}

BOOST_AUTO_TEST_CASE(UnknownKeys_ArePassedOver_AsContainerdDoes) {
  BOOST_TEST(Wrong("future = 1\n[host.\"https://a\"]\ndial_timeout = \"3s\"\nfuture = {}\n") ==
             "read");
}

// Folders.

struct Root {
  TemporaryFolder folder;
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  auto For(const std::string& registry) const {
    return HostsFor(registry, {folder / "none", folder / ""});
  }
  std::string First(const std::string& registry) const {
    const auto hosts = For(registry);
    BOOST_REQUIRE_MESSAGE(hosts, hosts.error().said);
    return AddressOf(hosts->front().host);
  }
};

BOOST_AUTO_TEST_CASE(Folder_WithPortInUnderscores_ThenAsWritten_ThenDefault) {
  const Root root;
  root.Write("_default/hosts.toml", "server = \"https://default\"");
  BOOST_TEST(root.First("r.example:5000") == "https://default/v2");
  root.Write("r.example:5000/hosts.toml", "server = \"https://colon\"");
  BOOST_TEST(root.First("r.example:5000") == "https://colon/v2");
  root.Write("r.example_5000_/hosts.toml", "server = \"https://under\"");
  BOOST_TEST(root.First("r.example:5000") == "https://under/v2");
  BOOST_TEST(root.First("r.example") == "https://default/v2");
}

BOOST_AUTO_TEST_CASE(NoFolder_IsTheRegistryItself) {
  const Root root;
  BOOST_TEST(root.First("r.example") == "https://r.example/v2");
  BOOST_TEST(root.First("docker.io") == "https://registry-1.docker.io/v2");
  BOOST_TEST(root.For("docker.io")->front().ns == "");
  BOOST_TEST(root.First("localhost:5000") == "http://localhost:5000/v2");
  BOOST_TEST(root.For("127.0.0.1:5000")->front().tls_first);
  BOOST_TEST(root.First("127.0.0.1") == "https://127.0.0.1/v2");
  BOOST_TEST(!root.For("127.0.0.1:80")->front().tls_first);
}

BOOST_AUTO_TEST_CASE(Mirror_IsToldWhoseImageItIs) {
  const Root root;
  root.Write("docker.io/hosts.toml",
             "[host.\"https://m\"]\n[host.\"https://registry-1.docker.io\"]\n");
  const auto hosts = root.For("docker.io");
  BOOST_REQUIRE(hosts);
  BOOST_TEST((*hosts)[0].ns == "docker.io");
  BOOST_TEST((*hosts)[1].ns == "");
  BOOST_TEST((*hosts)[2].ns == "");
}

BOOST_AUTO_TEST_CASE(BrokenFile_FailsTheRegistry_ByNameAndLine_AndNoOther) {
  const Root root;
  root.Write("r.example/hosts.toml", "\n[host]]\n");
  const auto hosts = root.For("r.example");
  BOOST_REQUIRE(!hosts);
  BOOST_TEST(hosts.error().said.find("r.example/hosts.toml:2:") != std::string::npos,
             hosts.error().said);
  BOOST_TEST(root.First("other.example") == "https://other.example/v2");
}

BOOST_AUTO_TEST_CASE(MissingCa_FailsItsHostAlone) {
  const Root root;
  root.Write("r.example/hosts.toml", "[host.\"https://m\"]\nca = \"gone.crt\"\n");
  const auto hosts = root.For("r.example");
  BOOST_REQUIRE(hosts);
  BOOST_REQUIRE((*hosts)[0].broken);
  BOOST_TEST((*hosts)[0].broken->find("gone.crt") != std::string::npos);
  BOOST_TEST(!(*hosts)[1].broken);
}

BOOST_AUTO_TEST_CASE(DockersCertificates_CountWhereThereIsNoHostsToml) {
  const Root root;
  root.Write("r.example/a.crt", "A");
  root.Write("r.example/b.cert", "B");
  root.Write("r.example/b.key", "K");
  const auto hosts = root.For("r.example");
  BOOST_REQUIRE(hosts);
  BOOST_TEST(AddressOf(hosts->front().host) == "https://r.example/v2");
  BOOST_TEST(hosts->front().cas == "A\n");
  BOOST_REQUIRE(hosts->front().host.clients.size() == 1U);
  BOOST_TEST(hosts->front().host.clients[0].key.ends_with("b.key"));
}

BOOST_AUTO_TEST_CASE(NameThatIsAPath_IsNoRegistry) {
  const Root root;
  for (const char* name :
       {"", ".", "..", "../etc", "_default", "a/b", "a\\b", "a?b", "a#b", "a@b"}) {
    BOOST_TEST(!root.For(name), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
