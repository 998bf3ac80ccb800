// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/header_block.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {

BOOST_AUTO_TEST_SUITE(HeaderBlockTest)

BOOST_AUTO_TEST_CASE(TrailersOnly_IsACompleteAnswer) {
  const HeaderBlock block = TrailersOnly(GrpcStatus::kUnavailable, "away");
  BOOST_TEST(block.Find(":status") == "200");
  BOOST_TEST(block.Find("content-type") == "application/grpc");
  BOOST_TEST(block.Find("grpc-status") == "14");
  BOOST_TEST(block.Find("grpc-message") == "away");
  BOOST_TEST(block.fields().size() == 4u);
}

BOOST_AUTO_TEST_CASE(Message_IsPercentEncoded) {
  const HeaderBlock block = StatusTrailers(GrpcStatus::kUnimplemented, "100% \"ü\"\n");
  BOOST_TEST(block.Find("grpc-message") == "100%25 \"%C3%BC\"%0A");
}

BOOST_AUTO_TEST_CASE(MovedBlock_KeepsItsFields) {
  HeaderBlock from;
  from.AddText("name", "value");
  HeaderBlock constructed(std::move(from));
  BOOST_TEST(constructed.Find("name") == "value");
  HeaderBlock assigned;
  assigned.AddText("other", "gone");
  assigned = std::move(constructed);
  BOOST_TEST(assigned.Find("name") == "value");
  BOOST_TEST(assigned.Find("other").empty());
  BOOST_TEST(assigned.bytes() == 9u);
}

BOOST_AUTO_TEST_CASE(Find_TakesTheFirstOfSeveral) {
  HeaderBlock block;
  block.AddText("x", "1");
  block.AddText("x", "2");
  BOOST_TEST(block.Find("x") == "1");
  BOOST_TEST(block.Find("y").empty());
}

BOOST_AUTO_TEST_CASE(RepeatedPseudoHeader_IsFound) {
  HeaderBlock block;
  for (const char* name : {":method", ":scheme", ":path", ":authority", "x", "x"}) {
    block.AddText(name, "1");
  }
  BOOST_TEST(!block.RepeatsPseudoHeader());
  block.AddText(":path", "1");
  BOOST_TEST(block.RepeatsPseudoHeader());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
