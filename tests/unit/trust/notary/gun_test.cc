// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/gun.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

namespace crivet::trust {
namespace {

using namespace std::string_literals;

const std::string kDigest = "sha256:" + std::string(64, 'a');

BOOST_AUTO_TEST_SUITE(GunTest)

BOOST_AUTO_TEST_CASE(Parse_FullNames_AreGuns) {
  for (const char* text : {"docker.io/library/alpine", "reg.example.com:5000/team/app",
                           "docker.com/notary", "localhost/x", "foo_bar.com/x"}) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(Gun::Parse(text).value().text() == text); }
  }
}

BOOST_AUTO_TEST_CASE(Parse_ShortFormsAndPathTricks_AreRefused) {
  for (const auto& text :
       {"alpine"s, "library/alpine"s, "docker.io/alpine"s, "index.docker.io/library/alpine"s,
        "docker.io/library/alpine:1"s, "docker.io/library/alpine@" + kDigest,
        "docker.io/../etc/passwd"s, "../x"s, "/etc/passwd"s, "docker.io/a/./b"s, "docker.io//a"s,
        "docker.io/a/"s, "docker.io/a\0"s, "docker.io/a*"s, ""s, "docker.io/A"s}) {
    BOOST_TEST_CONTEXT(text) {
      const auto gun = Gun::Parse(text);
      BOOST_REQUIRE(!gun.has_value());
      BOOST_TEST((gun.error().reason == Reason::kNotAReference));
    }
  }
}

BOOST_AUTO_TEST_CASE(Of_Reference_IsItsRepository) {
  BOOST_TEST(Gun::Of(ImageReference::Parse("alpine:3@" + kDigest).value()).text() ==
             "docker.io/library/alpine");
  BOOST_TEST((Gun::Of(ImageReference::Parse("alpine").value()) ==
              Gun::Parse("docker.io/library/alpine").value()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
