// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/role_name.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

namespace crivet::trust {
namespace {

using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(RoleNameTest)

BOOST_AUTO_TEST_CASE(Parse_BaseRolesAndDelegations_AreRoles) {
  for (const auto& text :
       {"root"s, "targets"s, "snapshot"s, "timestamp"s, "targets/releases"s, "targets/a/b/c"s,
        "targets/-"s, "targets/_x-9"s, "targets/" + std::string(247, 'a')}) {
    BOOST_TEST_CONTEXT(text) {
      const auto role = RoleName::Parse(text).value();
      BOOST_TEST(role.text() == text);
      BOOST_TEST(role.IsDelegation() == (text.find('/') != std::string::npos));
    }
  }
}

BOOST_AUTO_TEST_CASE(Parse_AnythingElse_IsMalformed) {
  for (const auto& text :
       {""s, "Root"s, "targets/"s, "targets//a"s, "targets/a/"s, "targets/../root"s, "targets/."s,
        "targets/A"s, "targets/a b"s, "targets/a\n"s, "targets/a\0"s, "/targets/a"s, "release"s,
        "root/a"s, "snapshot/a"s, "targetsx/a"s, "targets/caf\xc3\xa9"s, "targets/a%2fb"s,
        "targets/" + std::string(248, 'a')}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((RoleName::Parse(text).error().reason == Reason::kMalformed));
    }
  }
}

BOOST_AUTO_TEST_CASE(Parent_OfDelegations_IsTheRoleBefore) {
  BOOST_TEST((RoleName::Parse("targets/a/b")->parent() == RoleName::Parse("targets/a").value()));
  BOOST_TEST((RoleName::Parse("targets/a")->parent() == RoleName::Targets()));
  BOOST_TEST(!RoleName::Targets().parent().has_value());
  BOOST_TEST(!RoleName::Root().parent().has_value());
}

// Names that make a backtracking expression explode take linear time here.
BOOST_AUTO_TEST_CASE(Parse_NamesMadeToExplode_AreRefusedAtOnce) {
  BOOST_TEST(!RoleName::Parse("targets/" + std::string(1 << 20, '-') + "!").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
