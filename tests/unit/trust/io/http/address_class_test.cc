// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/address_class.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/trust_io/fault_server.h"
#include "trust/io/http/http_client.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(AddressClassTest)

char Of(const std::string& text) { return "PRLF"[static_cast<int>(ClassOfAddress(text))]; }

BOOST_AUTO_TEST_CASE(Classes) {
  for (const char* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.0.1",
        "172.32.0.1", "192.167.1.1", "223.255.255.255", "2606:4700::1", "::ffff:1.1.1.1",
        "64:ff9b::101:101", "64:ff9b:1::101:101", "2002:101:101::"}) {
    BOOST_TEST(Of(text) == 'P', text);
  }
  for (const char* text :
       {"10.0.0.1", "100.64.0.0", "100.127.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "fc00::1", "fdff::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"}) {
    BOOST_TEST(Of(text) == 'R', text);
  }
  for (const char* text :
       {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::127.0.0.1"}) {
    BOOST_TEST(Of(text) == 'L', text);
  }
  for (const char* text :
       {"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::", "fe80::1", "febf::1", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255",
        "ff02::1", "fec0::1", "192.0.0.192", "", "x", "1.1.1"}) {
    BOOST_TEST(Of(text) == 'F', text);
  }
}

// RFC 6052 2.2: a translator may take the address from other bits than the last.
BOOST_AUTO_TEST_CASE(Nat64_WhereTheAddressMayStandElsewhere_IsForbidden) {
  for (const char* text : {"64:ff9b:1:a9fe:a9:fe00:101:101", "64:ff9b:2::101:101",
                           "64:ff9b::1:0:101:101", "64:ff9b:1::a9fe:a9fe"}) {
    BOOST_TEST(Of(text) == 'F', text);
  }
}

BOOST_AUTO_TEST_CASE(Reach_IsJudgedOnTheConnection_WhateverItsNameIs) {
  const FaultServer server([](FaultServer::Exchange& e) { e.Reply(200, "x"); });
  HttpClient client({});
  HttpRequest request;
  request.max_bytes = 10;
  for (const char* host : {"localhost", "127.0.0.1"}) {
    request.url = server.Url(host);
    request.deadline = std::chrono::steady_clock::now() + 20s;
    for (const AddressClass reach : {AddressClass::kPublic, AddressClass::kPrivate}) {
      request.reach = reach;
      const auto answer = client.Ask(request);
      BOOST_REQUIRE(!answer);
      BOOST_TEST((answer.error().why->kind == FetchCause::Kind::kRedirect));
    }
    request.reach.reset();
    BOOST_TEST(client.Ask(request).has_value());
    // The connection that was kept by then is not lent to a narrower reach.
    request.reach = AddressClass::kPublic;
    BOOST_TEST(!client.Ask(request));
    request.reach = AddressClass::kLoopback;
    const auto answer = client.Ask(request);
    BOOST_REQUIRE(answer);
    BOOST_TEST((answer->from == AddressClass::kLoopback));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
