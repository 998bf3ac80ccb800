// SPDX-License-Identifier: Apache-2.0

// What a record of an image calls it: the target, and the ways to the roles that named it.

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "trust/tuf1/repository.h"

namespace crivet::trust {
namespace {

using tuf1::RecordName;
using Ways = std::vector<std::vector<std::string>>;

BOOST_AUTO_TEST_SUITE(RecordNameTest)

BOOST_AUTO_TEST_CASE(Text_OfAnyRole_IsReadAsItWas) {
  const std::vector<std::string> roles = {
      "shop",    "a>b", "a\nb", "a\n\nb", "%3E", "%",        ">",    "\n",
      "../team", " ",   "a:b",  "role:x", "",    "\xc3\xa9", "\x01", std::string(300, 'x')};
  for (const std::string& role : roles) {
    if (role.empty()) continue;
    const RecordName name{"r.example/web:1.0", {{"targets", role, "last"}, {"targets", role}}};
    const auto read = RecordName::Parse(name.Text());
    BOOST_REQUIRE_MESSAGE(read, role);
    BOOST_TEST(read->target == name.target);
    BOOST_TEST((read->ways == name.ways), role);
  }
}

BOOST_AUTO_TEST_CASE(Text_OfHostileRoles_IsNobodyElses) {
  const RecordName one{"t", {{"targets", "a>b"}}};
  const RecordName two{"t", {{"targets", "a", "b"}}};
  const RecordName line{"t", {{"targets", "a\ntargets>b"}}};
  const RecordName lines{"t", {{"targets", "a"}, {"targets", "b"}}};
  BOOST_TEST(one.Text() != two.Text());
  BOOST_TEST(line.Text() != lines.Text());
}

BOOST_AUTO_TEST_CASE(Parse_WhatNoRecordHas_IsRefused) {
  for (const std::string text :
       {"", "t", "t\n", "\ntargets", "t\n\ntargets", "t\ntargets>%4", "t\ntargets>%zz", "t\n%"}) {
    BOOST_TEST(!RecordName::Parse(text), text);
  }
  BOOST_TEST((RecordName::Parse("t\ntargets")->ways == Ways{{"targets"}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
