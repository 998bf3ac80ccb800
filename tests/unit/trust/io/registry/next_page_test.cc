// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/next_page.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace crivet::trust {
namespace {

BOOST_AUTO_TEST_SUITE(NextPageTest)

std::string Next(const std::vector<std::string>& links) {
  const HttpUrl asked = HttpUrl::Parse("https://r.example/v2/a/referrers/sha256:x?ns=b").value();
  const auto page = NextPage(links, asked);
  if (!page) return "refused: " + page.error().detail;
  return page->value_or("none");
}

BOOST_AUTO_TEST_CASE(Query_OfTheNextPage) {
  BOOST_TEST(Next({}) == "none");
  BOOST_TEST(Next({"</v2/a/referrers/sha256:x?n=1&last=b>; rel=\"next\""}) == "n=1&last=b");
  BOOST_TEST(Next({"<?n=2>; rel=next"}) == "n=2");
  BOOST_TEST(Next({"<https://r.example/v2/a/referrers/sha256:x?n=3>; title=\"a,b;c\"; Rel=\"prev "
                   "Next\""}) == "n=3");
  BOOST_TEST(Next({"</x>; rel=first, <?n=4>; rel=next"}) == "n=4");
  BOOST_TEST(Next({"</elsewhere>; rel=last"}) == "none");
}

BOOST_AUTO_TEST_CASE(PageElsewhere_IsRefused) {
  for (const char* link : {"<https://evil.example/v2/a/referrers/sha256:x?n=1>; rel=next",
                           "<//evil.example/v2/a/referrers/sha256:x?n=1>; rel=next",
                           "<http://r.example/v2/a/referrers/sha256:x?n=1>; rel=next",
                           "<https://r.example:8443/v2/a/referrers/sha256:x?n=1>; rel=next",
                           "<https://u@r.example/v2/a/referrers/sha256:x?n=1>; rel=next",
                           "</v2/b/referrers/sha256:x?n=1>; rel=next",
                           "</v2/a/referrers/sha256:x>; rel=next", "<?n=1#f>; rel=next"}) {
    BOOST_TEST(Next({link}).find("refused") == 0U, link << " gave " << Next({link}));
  }
}

BOOST_AUTO_TEST_CASE(HeaderThatCannotBeRead_IsRefused_NotTakenForTheLastPage) {
  for (const char* link : {"nonsense", "<>; rel=next", "<?n=1; rel=next", "<?n=1>; rel=\"next",
                           "<<?n=1>>; rel=next", "?n=1>; rel=next"}) {
    BOOST_TEST(Next({link}).find("refused") == 0U, link);
  }
  BOOST_TEST(Next({"<?n=1>; rel=next", "<?n=2>; rel=next"}).find("refused") == 0U);
  BOOST_TEST(Next({std::string(9000, ' ')}).find("refused") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
