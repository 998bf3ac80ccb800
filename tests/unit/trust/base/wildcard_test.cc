// SPDX-License-Identifier: Apache-2.0
#include "trust/base/wildcard.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "trust/decide/image_pattern.h"

namespace crivet::trust {
namespace {

BOOST_AUTO_TEST_SUITE(WildcardTest)

struct GlobRow {
  const char* name;
  const char* glob;
  const char* text;
  bool matches;
  friend std::ostream& operator<<(std::ostream& out, const GlobRow& row) { return out << row.name; }
};

const GlobRow kGlobs[] = {
    {"same", "prod", "prod", true},
    {"longer text", "prod", "prod-a", false},
    {"shorter text", "prod-a", "prod", false},
    {"star at the end takes the rest", "prod-*", "prod-eu-1", true},
    {"star takes nothing", "prod-*", "prod-", true},
    {"star at the end needs what stands before it", "prod-*", "prod", false},
    {"star in front", "*-prod", "eu-prod", true},
    {"star gives back what it took", "*ab", "aab", true},
    {"two stars", "a*b*c", "a-b-b-c", true},
    {"two stars in the wrong order", "a*b*c", "a-c-b", false},
    {"star alone", "*", "", true},
    {"empty glob, empty text", "", "", true},
    {"empty glob", "", "a", false},
    {"question mark is a letter", "pro?", "prod", false},
};

BOOST_DATA_TEST_CASE(Glob_OverTheWholeText, kGlobs, row) {
  BOOST_TEST(GlobMatches(row.glob, row.text) == row.matches);
}

BOOST_AUTO_TEST_CASE(Glob_ManyStars_StaysCheap) {
  std::string glob;
  for (int i = 0; i < 60; ++i) glob += "a*";
  // Exponential matchers do not come back from this one.
  BOOST_TEST(!GlobMatches(glob + "b", std::string(2000, 'a')));
}

struct MeetRow {
  const char* name;
  const char* a;
  const char* b;
  bool meet;
  friend std::ostream& operator<<(std::ostream& out, const MeetRow& row) { return out << row.name; }
};

const MeetRow kMeets[] = {
    {"same", "prod", "prod", true},
    {"different", "prod", "test", false},
    {"a name and its prefix", "prod", "prod-*", false},
    {"a glob and a name in it", "prod-*", "prod-eu", true},
    {"different prefixes", "prod-*", "test-*", false},
    {"prefix and suffix", "prod-*", "*-eu", true},
    {"prefix and suffix in one text only", "ab*", "*c", true},
    {"everything", "*", "anything", true},
    {"everything and nothing", "*", "", true},
    {"crossing stars", "a*c", "*b*", true},
    {"a letter that the other cannot have", "a*a", "a*b", false},
};

BOOST_DATA_TEST_CASE(CanMeet_IsExactAndSymmetric, kMeets, row) {
  BOOST_TEST(CanMeet(GlobSteps(row.a), GlobSteps(row.b)) == row.meet);
  BOOST_TEST(CanMeet(GlobSteps(row.b), GlobSteps(row.a)) == row.meet);
}

struct CoverRow {
  const char* name;
  const char* pattern;
  std::vector<const char*> others;
  bool covered;
  friend std::ostream& operator<<(std::ostream& out, const CoverRow& row) {
    return out << row.name;
  }
};

const CoverRow kCovers[] = {
    {"nothing covers nothing", "r.example/**", {}, false},
    {"a narrower one does not", "r.example/**", {"r.example/a"}, false},
    {"a wider one", "r.example/a", {"r.example/**"}, true},
    {"the same names in another spelling", "r.example/**/*", {"r.example/*/**"}, true},
    {"no repository is a host alone", "r.example/**", {"r.example/*/**"}, true},
    {"two together", "r.example/**", {"r.example/*", "r.example/*/*/**"}, true},
    {"two together, one depth left out", "r.example/**", {"r.example/*", "r.example/*/*"}, false},
    {"no name on docker.io has two parts", "docker.io/**", {"docker.io/*/*/**"}, true},
    {"elsewhere there are such names", "r.example/**", {"r.example/*/*/**"}, false},
    {"a literal more", "r.example/*", {"r.example/a", "r.example/b"}, false},
    {"a literal in a part", "r.example/nginx-a", {"r.example/nginx*"}, true},
    {"a part in a shorter one", "r.example/nginx*", {"r.example/ng*"}, true},
    {"a part and all of its names", "r.example/*", {"r.example/ng*"}, false},
    {"a part with an ending more", "r.example/ng*x", {"r.example/n*"}, true},
    {"beginning and ending overlap", "r.example/aba", {"r.example/ab*ba"}, false},
    {"the overlapping word is left",
     "r.example/ab*",
     {"r.example/ab*ba", "r.example/abb*", "r.example/ab"},
     false},
};

BOOST_DATA_TEST_CASE(CoveredBy_LooksForANameThatIsLeft, kCovers, row) {
  std::vector<ImagePattern> others;
  for (const char* text : row.others) others.push_back(ImagePattern::Parse(text).value());
  std::vector<const WildcardSteps*> steps;
  for (const ImagePattern& other : others) steps.push_back(&other.steps());
  BOOST_TEST(CoveredBy(ImagePattern::Parse(row.pattern).value().steps(), steps) == row.covered);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
