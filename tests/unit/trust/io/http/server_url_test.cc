// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/server_url.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace crivet::trust {
namespace {

namespace bdata = boost::unit_test::data;

struct Row {
  const char* given;
  const char* canonical;
  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.given; }
};

const Row kGood[] = {
    {"https://notary.example", "https://notary.example"},
    {"https://notary.example/", "https://notary.example"},
    {"HTTPS://Notary.EXAMPLE:443//", "https://notary.example"},
    {"https://notary.example:4443", "https://notary.example:4443"},
    {"https://notary.example:0443", "https://notary.example"},
    {"http://127.0.0.1:80/a/b/", "http://127.0.0.1/a/b"},
    {"http://127.0.0.1:443", "http://127.0.0.1:443"},
    {"https://[::1]:443/x", "https://[::1]/x"},
};

BOOST_AUTO_TEST_SUITE(ServerUrlTest)

BOOST_DATA_TEST_CASE(Url_Good_HasOneSpelling, bdata::make(kGood)) {
  const auto url = ServerUrl::Parse(sample.given);
  BOOST_REQUIRE(url);
  BOOST_TEST(url->text() == sample.canonical);
  const auto again = ServerUrl::Parse(url->text());
  BOOST_REQUIRE(again);
  BOOST_TEST(again->text() == url->text());
}

BOOST_DATA_TEST_CASE(Url_Bad_IsRefused, bdata::make({"",
                                                     "notary.example",
                                                     "//notary.example",
                                                     "ftp://notary.example",
                                                     "file:///etc",
                                                     "https://",
                                                     "https:///x",
                                                     "https://u@notary.example",
                                                     "https://u:p@notary.example",
                                                     "https://notary.example?q",
                                                     "https://notary.example#f",
                                                     "https://notary.example/%2e",
                                                     "https://notary.example/a/../b",
                                                     "https://notary.example/./b",
                                                     "https://notary.example/a//b",
                                                     "https://notary.example:0",
                                                     "https://notary.example:x",
                                                     "https://notary.example:65536",
                                                     "https://notary.example\\@evil.example",
                                                     "https://notary..example",
                                                     "https://.example",
                                                     "https://[::1",
                                                     "https://[zz]",
                                                     "https://notary.example /x",
                                                     "https://n\xC3\xA9.example"})) {
  BOOST_TEST(!ServerUrl::Parse(sample));
}

BOOST_AUTO_TEST_CASE(Url_Overlong_IsRefused) {
  BOOST_TEST(!ServerUrl::Parse("https://notary.example/" + std::string(4096, 'a')));
}

BOOST_DATA_TEST_CASE(Loopback_IsOnlyThisMachine,
                     bdata::make({"http://127.0.0.1", "http://127.1.2.3:5", "http://localhost",
                                  "http://[::1]:5000"})) {
  BOOST_TEST(ServerUrl::Parse(sample)->IsLoopback());
}

BOOST_DATA_TEST_CASE(Loopback_LookAlike_IsNot,
                     bdata::make({"http://127.0.0.1.example", "http://localhost.example",
                                  "http://10.0.0.1", "http://[::2]", "http://127.example"})) {
  BOOST_TEST(!ServerUrl::Parse(sample)->IsLoopback());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
