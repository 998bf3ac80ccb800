// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/containerd_files.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

BOOST_AUTO_TEST_SUITE(ContainerdFilesTest)

BOOST_AUTO_TEST_CASE(ConfigFile_ImportsAndWhoSetsTheAddress) {
  const auto file =
      ParseContainerdConfigFile("imports = [\"/a/*.toml\", 'b.toml']\n[grpc]\naddress = \"/s\"\n");
  BOOST_REQUIRE(file);
  BOOST_TEST(file->imports.size() == 2u);
  BOOST_TEST(file->sets_address);
  BOOST_TEST(
      !ParseContainerdConfigFile("[ttrpc]\naddress = \"/s\"\n[grpc]\nuid = 0\n")->sets_address);
  BOOST_TEST(
      ParseContainerdConfigFile("[plugins.\"io.containerd.server.v1.grpc\"]\naddress = \"/s\"\n")
          ->sets_address);
  BOOST_TEST(!ParseContainerdConfigFile("imports = [\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
