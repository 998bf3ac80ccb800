// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/bearer_challenge.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace crivet::trust {
namespace {

constexpr auto kBearer = AuthChallenge::Scheme::kBearer;
constexpr auto kBasic = AuthChallenge::Scheme::kBasic;

struct Row {
  std::string name;
  std::string header;
  std::vector<AuthChallenge> expected;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

const std::vector<Row> kRows = {
    {"as_notary_writes_it",
     R"(Bearer realm="https://auth.example/token",service="notary-server",scope="repository:a/b:pull")",
     {{kBearer, "https://auth.example/token", "notary-server"}}},
    {"with_an_error",
     R"(Bearer realm="https://a/t",service="s",scope="x",error="invalid_token")",
     {{kBearer, "https://a/t", "s"}}},
    {"names_without_case",
     R"(bEaReR ReAlM="https://a/t",SERVICE="s")",
     {{kBearer, "https://a/t", "s"}}},
    {"backslash_escapes",
     R"(Bearer realm="https://a/\"t\\",service="s")",
     {{kBearer, R"(https://a/"t\)", "s"}}},
    {"values_as_tokens", "Bearer realm=here,service=s", {{kBearer, "here", "s"}}},
    {"white_space_everywhere",
     "  Bearer \t realm = \"r\" , service = \"s\"  ",
     {{kBearer, "r", "s"}}},
    {"empty_list_elements", R"(,, Bearer realm="r",, ,service="s",)", {{kBearer, "r", "s"}}},
    {"service_missing", R"(Bearer realm="r")", {{kBearer, "r", ""}}},
    {"realm_missing", R"(Bearer service="s")", {}},
    {"realm_empty", R"(Bearer realm="",service="s")", {}},
    {"basic", R"(Basic realm="notary")", {{kBasic, "notary", ""}}},
    {"two_in_one_header",
     R"(Basic realm="b", Bearer realm="r",service="s")",
     {{kBasic, "b", ""}, {kBearer, "r", "s"}}},
    {"unknown_scheme_with_a_word", R"(Negotiate YWJj/+==, Bearer realm="r")", {{kBearer, "r", ""}}},
    {"unknown_scheme_alone", R"(Negotiate, Bearer realm="r")", {{kBearer, "r", ""}}},
    {"unknown_scheme_with_parameters",
     R"(Digest realm="d", nonce="n", Bearer realm="r")",
     {{kBearer, "r", ""}}},
    {"empty_value_ends_it", R"(Bearer realm="r",service=)", {{kBearer, "r", ""}}},
    {"realm_twice", R"(Bearer realm="https://good/",realm="https://evil/")", {}},
    {"realm_twice_in_another_case", R"(Bearer realm="https://good/",REALM="https://evil/")", {}},
    {"quote_never_ends", R"(Bearer service="s",realm="https://a)", {}},
    {"escape_at_the_end", "Bearer realm=\"a\\", {}},
    {"line_break_inside", "Bearer realm=\"a\r\nX: y\"", {}},
    {"a_delete_inside", "Bearer realm=\"a\x7f\"", {}},
    {"letters_beyond_ascii",
     "Bearer realm=\"r\",service=\"caf\xc3\xa9\"",
     {{kBearer, "r", "caf\xc3\xa9"}}},
    {"junk_after_a_value", R"(Bearer realm="r"x)", {{kBearer, "r", ""}}},
    {"no_scheme", R"(="x")", {}},
    {"nothing", "", {}},
    {"commas_only", ",,,,", {}},
    {"beyond_the_cap", "Bearer realm=\"" + std::string(9000, 'a') + "\"", {}},
};

BOOST_AUTO_TEST_SUITE(BearerChallengeTest)

BOOST_DATA_TEST_CASE(Header_IsRead, boost::unit_test::data::make(kRows), row) {
  const std::vector<AuthChallenge> found = ParseChallenges(row.header);
  BOOST_REQUIRE_EQUAL(found.size(), row.expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST((found[i].scheme == row.expected[i].scheme));
    BOOST_TEST(found[i].realm == row.expected[i].realm);
    BOOST_TEST(found[i].service == row.expected[i].service);
  }
}

BOOST_AUTO_TEST_CASE(Header_WithThousandsOfChallenges_GivesFew) {
  std::string header;
  for (int i = 0; i < 500; ++i) header += "Basic realm=r,";
  BOOST_TEST(ParseChallenges(header).size() == 16U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
