// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/http_url.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace crivet::trust {
namespace {

namespace bdata = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(HttpUrlTest)

BOOST_DATA_TEST_CASE(Url_Good_NamesItsHost, bdata::make({"https://Auth.Docker.io/token",
                                                         "https://auth.docker.io:443/token",
                                                         "https://auth.docker.io/token?scope=%25",
                                                         "https://auth_1.docker.io"})) {
  const auto url = HttpUrl::Parse(sample);
  BOOST_REQUIRE(url);
  BOOST_TEST(url->host.ends_with(".docker.io"));
  const auto again = HttpUrl::Parse(url->text);
  BOOST_REQUIRE(again);
  BOOST_TEST(again->host == url->host);
}

// curl decodes an escaped host, after it has looked for an IPv4 address in it, and leaves a broken
// escape as it is: read a second time it may name another one.
BOOST_DATA_TEST_CASE(Url_HostThatChangesWhenReadAgain_IsRefused,
                     bdata::make({"https://a%%%%%%25b/", "https://a%25b/", "https://a%2525b/",
                                  "https://a%41b%/", "http://333334%33333330/", "http://a%61/",
                                  "http:///33%333", "https:///a.example", "a.example/token",
                                  "https://allowed.example%2f.evil.example/", "https://a!b/",
                                  "https://a;b/", "https://a,b/"})) {
  BOOST_TEST(!HttpUrl::Parse(sample));
}

BOOST_AUTO_TEST_CASE(Url_Ipv6Host_KeepsItsBrackets) {
  const auto url = HttpUrl::Parse("https://[2001:DB8::1]:8443/token");
  BOOST_REQUIRE(url);
  BOOST_TEST(url->host == "[2001:db8::1]");
  BOOST_TEST(url->port == 8443);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
