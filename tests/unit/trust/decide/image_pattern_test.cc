// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/image_pattern.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::trust {
namespace {

ImagePattern Pattern(std::string_view text) { return ImagePattern::Parse(text).value(); }
ImagePattern GunPattern(std::string_view text) { return ImagePattern::ParseMapping(text).value(); }

BOOST_AUTO_TEST_SUITE(ImagePatternTest)

struct MatchRow {
  const char* pattern;
  const char* repository;
  bool matches;
  std::vector<std::string_view> captures = {};
  friend std::ostream& operator<<(std::ostream& out, const MatchRow& row) {
    return out << row.pattern << " on " << row.repository;
  }
};

const MatchRow kMatches[] = {
    {"r.example/web", "r.example/web", true},
    {"r.example/web", "r.example/web2", false},
    {"r.example/web", "r.example/web/a", false},
    {"r.example/web", "R.example/web", false},
    {"r.example:5000/web", "r.example/web", false},
    {"r.example/*", "r.example/web", true, {"web"}},
    {"r.example/*", "r.example/shop/web", false},
    {"r.example/*/web", "r.example/shop/web", true, {"shop"}},
    {"*/web", "r.example/web", true, {"r.example"}},
    {"r.example/**", "r.example/web", true, {"web"}},
    {"r.example/**", "r.example/a/b/c", true, {"a/b/c"}},
    {"r.example/**", "r.example2/a", false},
    {"r.example/shop/**", "r.example/shop", true, {""}},
    {"r.example/shop/**", "r.example/shopping", false},
    {"**", "r.example/a/b", true, {"r.example/a/b"}},
    {"**/web", "r.example/a/web", true, {"r.example/a"}},
    {"**/web", "r.example/web/a", false},
    {"r.example/**/web", "r.example/web", true, {""}},
    {"r.example/**/web", "r.example/a/b/web", true, {"a/b"}},
    {"r.example/**/web", "r.example/web/web", true, {"web"}},
    {"r.example/**/a/**", "r.example/x/a/y/a/z", true, {"x", "y/a/z"}},
    {"r.example/**/a/*", "r.example/a/a/b", true, {"a", "b"}},
    {"r.example/**/*/b/**", "r.example/a/b/b", true, {"", "a", "b"}},
    {"r.example/**/a/*/**", "r.example/a/b/a/c", true, {"", "b", "a/c"}},
    {"r.example/nginx*", "r.example/nginx-unprivileged", true, {"-unprivileged"}},
    {"r.example/nginx*", "r.example/nginx", true, {""}},
    {"r.example/nginx*", "r.example/my-nginx", false},
    {"r.example/nginx*", "r.example/nginx/a", false},
    {"r.example/*-web", "r.example/shop-web", true, {"shop"}},
    {"r.example/a*a", "r.example/a", false},
    {"r.example/a*a", "r.example/aa", true, {""}},
    {"*.acme.example/**", "r.eu.acme.example/web", true, {"r.eu", "web"}},
    {"*.acme.example/**", "evil-acme.example/web", false},
    {"r.example/**/team-*/**", "r.example/x/team/team-a/web", true, {"x/team", "a", "web"}},
};

BOOST_DATA_TEST_CASE(Match_ByComponents, kMatches, row) {
  const ImagePattern pattern = Pattern(row.pattern);
  BOOST_TEST(pattern.Matches(row.repository) == row.matches);
  const auto captures = pattern.Match(row.repository);
  BOOST_REQUIRE(captures.has_value() == row.matches);
  if (captures) BOOST_TEST(*captures == row.captures, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Match_ManyWildcards_StaysCheap) {
  std::string pattern = "r.example";
  for (int i = 0; i < 40; ++i) pattern += "/**/a";
  std::string name = "r.example";
  for (int i = 0; i < 120; ++i) name += "/a";
  BOOST_TEST(!Pattern(pattern + "/b").Matches(name));
}

struct RefusedRow {
  const char* name;
  const char* text;
  const char* says;
  friend std::ostream& operator<<(std::ostream& out, const RefusedRow& row) {
    return out << row.name;
  }
};

const RefusedRow kRefused[] = {
    {"empty", "", "empty component"},
    {"slash at the end", "r.example/", "\"r.example/**\" is everything below it"},
    {"two slashes", "r.example//web", "empty component"},
    {"two wildcards in a component", "r.example/*web*", "one `*` at most"},
    {"two stars behind letters", "r.example/web**", "one `*` at most"},
    {"three stars", "r.example/***", "one `*` at most"},
    {"upper case beside a wildcard", "r.example/Web*", "host/path"},
    {"a tag with a wildcard", "r.example/web:1.*", "write \"r.example/web\""},
    {"short name with a wildcard in it", "nginx*", "write \"docker.io/library/nginx*\""},
    {"official image with a wildcard in it", "docker.io/nginx*",
     "write \"docker.io/library/nginx*\""},
    {"tag", "r.example/web:1.0", "write \"r.example/web\""},
    {"short name with a tag", "nginx:1.25", "write \"docker.io/library/nginx\""},
    {"digest", "r.example/web@sha256:00", "write \"r.example/web\""},
    {"upper case in the path", "r.example/Web", "host/path"},
    {"scheme", "https://r.example/web", "write \"r.example/web\""},
    {"short name", "nginx", "write \"docker.io/library/nginx\""},
    {"short name of an organisation", "acme/web", "write \"docker.io/acme/web\""},
    {"short name with a wildcard", "acme/*", "write \"docker.io/acme/*\""},
    {"official image without library", "docker.io/nginx", "write \"docker.io/library/nginx\""},
    {"one component on docker.io", "docker.io/*", "write \"docker.io/library/*\""},
    {"an alias of docker.io", "index.docker.io/acme/*", "write \"docker.io/acme/*\""},
    {"one wildcard", "*", "\"**\" is every image"},
};

BOOST_DATA_TEST_CASE(Parse_WhatCanMatchNothing_IsRefused, kRefused, row) {
  const auto pattern = ImagePattern::Parse(row.text);
  BOOST_REQUIRE(!pattern);
  BOOST_CHECK(pattern.error().reason == Reason::kMalformed);
  BOOST_TEST_CONTEXT(pattern.error().detail) {
    BOOST_CHECK(pattern.error().detail.find(row.says) != std::string::npos);
  }
}

const char* const kAccepted[] = {"**",
                                 "*/**",
                                 "**/*",
                                 "*/web",
                                 "docker.io/**",
                                 "docker.io/library/*",
                                 "docker.io/*/web",
                                 "localhost/web",
                                 "localhost:5000/**",
                                 "[::1]:5000/**",
                                 "DOCKER.IO/nginx",
                                 "foo_bar.com/x",
                                 "mirror.example/docker.io/**",
                                 "docker.io/library/nginx*",
                                 "*.acme.example/**",
                                 "registry*/**",
                                 "registry-*.example:5000/web"};

BOOST_DATA_TEST_CASE(Parse_WhatCanMatch_IsAccepted, kAccepted, text) {
  const auto pattern = ImagePattern::Parse(text);
  BOOST_REQUIRE(pattern.has_value());
  BOOST_TEST(pattern->text() == text);
}

BOOST_AUTO_TEST_CASE(Parse_ThreeKilobytes_IsRefused) {
  BOOST_TEST(!ImagePattern::Parse("r.example/" + std::string(3000, 'a')).has_value());
}

BOOST_AUTO_TEST_CASE(ParseGun_OneComponentOnDockerHub_IsAccepted) {
  BOOST_TEST(ImagePattern::ParseMapping("docker.io/*").has_value());
  BOOST_TEST(!ImagePattern::ParseMapping("docker.io/a:b").has_value());
}

struct OrderRow {
  const char* first;
  const char* second;
  friend std::ostream& operator<<(std::ostream& out, const OrderRow& row) {
    return out << row.first << " before " << row.second;
  }
};

const OrderRow kOrders[] = {
    {"r.example/web", "r.example/*"},
    {"r.example/*", "r.example/**"},
    {"r.example/web", "r.example/**"},
    {"r.example/web", "r.example/web/**"},
    {"r.example/*", "r.example/*/**"},
    {"r.example/web/**", "r.example/*/**"},
    {"r.example/shop/*", "r.example/*/web"},
    {"r.example/**/web", "r.example/**"},
    {"r.example/**/*", "r.example/**"},
    {"r.example/**", "*/web"},
    {"*/web", "**"},
    {"r.example/nginx", "r.example/nginx*"},
    {"r.example/nginx*", "r.example/*"},
    {"r.example/nginx*", "r.example/ng*longer-ending"},
    {"r.example/nginx*x", "r.example/nginx*"},
    {"r.example/n*", "r.example/*nginx"},
    {"r.example/a*/**", "r.example/*/web"},
    {"*.example/**", "*/web"},
};

BOOST_DATA_TEST_CASE(Specificity_LiteralBeforePartlyLiteralBeforeStarBeforeDoubleStar, kOrders,
                     row) {
  BOOST_CHECK(Specificity(Pattern(row.first), Pattern(row.second)) < 0);
  BOOST_CHECK(Specificity(Pattern(row.second), Pattern(row.first)) > 0);
}

BOOST_AUTO_TEST_CASE(Specificity_OtherLiterals_AreEquivalent) {
  BOOST_CHECK(Specificity(Pattern("r.example/a/**"), Pattern("r.example/b/**")) == 0);
}

BOOST_AUTO_TEST_CASE(Overlaps_OnlyWhereSomeNameMatchesBoth) {
  BOOST_TEST(Pattern("r.example/**/a/**").Overlaps(Pattern("r.example/**/b/**")));
  BOOST_TEST(!Pattern("r.example/a/**").Overlaps(Pattern("r.example/b/**")));
  BOOST_TEST(!Pattern("r.example/*").Overlaps(Pattern("r.example/*/*")));
  BOOST_TEST(Pattern("r.example/a*").Overlaps(Pattern("r.example/*b")));
  BOOST_TEST(Pattern("r.example/a*").Overlaps(Pattern("r.example/ab*c")));
  BOOST_TEST(!Pattern("r.example/a*").Overlaps(Pattern("r.example/b*")));
  BOOST_TEST(!Pattern("r.example/*a").Overlaps(Pattern("r.example/*b")));
  BOOST_TEST(!Pattern("r.example/ab*ba").Overlaps(Pattern("r.example/aba")));
}

struct ExpandRow {
  const char* pattern;
  const char* gun;
  const char* repository;
  const char* expanded;
  friend std::ostream& operator<<(std::ostream& out, const ExpandRow& row) {
    return out << row.repository << " as " << row.gun;
  }
};

const ExpandRow kExpansions[] = {
    {"m.example/docker.io/**", "docker.io/**", "m.example/docker.io/a/b", "docker.io/a/b"},
    {"m.example/*/**", "*/**", "m.example/quay.io/a/b", "quay.io/a/b"},
    {"m.example/*/x/*", "*/*", "m.example/quay.io/x/b", "quay.io/b"},
    {"m.example/a/**/b", "r.example/**/c", "m.example/a/b", "r.example/c"},
    {"m.example/web", "r.example/shop/web", "m.example/web", "r.example/shop/web"},
    {"m.example/hub-*/**", "r.example/x-*-y/**", "m.example/hub-acme/web",
     "r.example/x-acme-y/web"},
    {"m.example/nginx*", "r.example/signed-nginx*", "m.example/nginx", "r.example/signed-nginx"},
};

BOOST_DATA_TEST_CASE(Expand_EachWildcardTakesWhatItsCounterpartMatched, kExpansions, row) {
  const ImagePattern pattern = Pattern(row.pattern);
  const ImagePattern gun = GunPattern(row.gun);
  BOOST_TEST(gun.SameWildcards(pattern));
  BOOST_TEST(gun.Expand(pattern.Match(row.repository).value()) == row.expanded);
}

BOOST_AUTO_TEST_CASE(SameWildcards_WantsKindAndOrder) {
  BOOST_TEST(!GunPattern("docker.io/**").SameWildcards(Pattern("m.example/*")));
  BOOST_TEST(!GunPattern("*/**").SameWildcards(Pattern("m.example/**/*")));
  BOOST_TEST(!GunPattern("docker.io/a").SameWildcards(Pattern("m.example/**")));
  BOOST_TEST(!GunPattern("r.example/a*").SameWildcards(Pattern("m.example/*")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
