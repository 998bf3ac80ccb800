// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/registry_files.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

BOOST_AUTO_TEST_SUITE(RegistryFilesTest)

struct CertsD {
  TemporaryFolder folder;

  void Put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder.path() + "/" + name);
    std::ofstream(folder.path() + "/" + name + "/hosts.toml") << text;
  }
  std::vector<std::string> Warnings() const { return RegistryFileWarnings({folder.path()}); }
};

BOOST_AUTO_TEST_CASE(Hosts_AskedOverTlsWithNothingSwitchedOff_AreNotWarnedOf) {
  CertsD certs;
  BOOST_TEST(!HasRegistryFiles({certs.folder.path()}));
  certs.Put("registry.example", "[host.\"https://mirror.example\"]\n");
  certs.Put("registry.example_5000_", "server = \"https://registry.example:5000\"\n");
  BOOST_TEST(certs.Warnings().empty());
  BOOST_TEST(HasRegistryFiles({certs.folder.path()}));
  BOOST_TEST(RegistryFileWarnings({"/nowhere/at/all"}).empty());
}

BOOST_AUTO_TEST_CASE(Hosts_WithoutTlsOrWhoeverTheyAre_AreWarnedOf_ByFolderAndHost) {
  CertsD certs;
  certs.Put("_default", "[host.\"https://mirror.example\"]\nskip_verify = true\n");
  certs.Put("registry.example_5000_", "[host.\"http://plain.example\"]\n");
  const auto warnings = certs.Warnings();
  BOOST_REQUIRE(warnings.size() == 2U);
  BOOST_TEST(warnings[0].starts_with(certs.folder.path() + "/_default: mirror.example is asked "));
  BOOST_TEST(warnings[0].find("skip_verify") != std::string::npos);
  BOOST_TEST(warnings[1].starts_with(certs.folder.path() +
                                     "/registry.example_5000_: plain.example is asked without "));
}

BOOST_AUTO_TEST_CASE(FilesThatCannotBeUsed_AreWarnedOf_WithTheirPlace) {
  CertsD certs;
  certs.Put("a.example", "server = 7\n");
  certs.Put("b.example", "[host.\"https://b.example\"]\nca = \"gone.crt\"\n");
  const auto warnings = certs.Warnings();
  BOOST_REQUIRE(warnings.size() == 2U);
  BOOST_TEST(warnings[0].find("/a.example/hosts.toml:1:") != std::string::npos);
  BOOST_TEST(warnings[1].find("b.example is not asked: cannot read ") != std::string::npos);
  BOOST_TEST(warnings[1].find("/b.example/gone.crt") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
