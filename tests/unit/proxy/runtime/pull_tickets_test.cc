// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/pull_tickets.h"

#include <boost/test/unit_test.hpp>
#include <optional>

namespace crivet::proxy {
namespace {

const trust::Sha256Digest kOne = trust::Sha256Digest::FromHex(std::string(64, '1')).value();
const trust::Sha256Digest kTwo = trust::Sha256Digest::FromHex(std::string(64, '2')).value();

trust::ImageReference Name(const std::string& text) {
  return trust::ImageReference::Parse(text).value();
}
std::string At(const std::string& name, const trust::Sha256Digest& digest) {
  return name + "@" + digest.ToString();
}

BOOST_AUTO_TEST_SUITE(PullTicketsTest)

BOOST_AUTO_TEST_CASE(NoPull_AdmitsNothing) {
  BOOST_TEST(!PullTickets().Admit(Name("r.example/web:1"), kOne));
}

BOOST_AUTO_TEST_CASE(PinnedPull_AdmitsItsDigestAlone) {
  PullTickets tickets;
  const auto ticket = tickets.Hand(At("r.example/web", kOne));
  BOOST_TEST(tickets.Admit(Name(At("r.example/web", kOne)), kOne));
  BOOST_TEST(!tickets.Admit(Name(At("r.example/web", kTwo)), kTwo));
  BOOST_TEST(!tickets.Admit(Name(At("r.example/web", kOne)), kTwo));
  BOOST_TEST(!tickets.Admit(Name(At("r.example/other", kOne)), kOne));
  BOOST_TEST(!tickets.Admit(Name("r.example/web:1"), kOne));
}

BOOST_AUTO_TEST_CASE(PullByTagAndDigest_IsAskedAboutWithoutTheTag) {
  PullTickets tickets;
  const auto ticket = tickets.Hand(At("r.example/web:1", kOne));
  BOOST_TEST(tickets.Admit(Name(At("r.example/web", kOne)), kOne));
}

BOOST_AUTO_TEST_CASE(PullByTag_AdmitsTheNameInAnySpelling) {
  PullTickets tickets;
  const auto ticket = tickets.Hand("nginx");
  BOOST_TEST(tickets.Admit(Name("docker.io/library/nginx:latest"), kOne));
  BOOST_TEST(!tickets.Admit(Name("docker.io/library/nginx:1"), kOne));
}

BOOST_AUTO_TEST_CASE(TwoPullsOfOneName_AdmitUntilTheLastEnds) {
  PullTickets tickets;
  std::optional<PullTickets::Ticket> first(tickets.Hand("r.example/web:1"));
  std::optional<PullTickets::Ticket> second(tickets.Hand("r.example/web:1"));
  first.reset();
  BOOST_TEST(tickets.Admit(Name("r.example/web:1"), kOne));
  second.reset();
  BOOST_TEST(!tickets.Admit(Name("r.example/web:1"), kOne));
}

BOOST_AUTO_TEST_CASE(WhatIsNoReference_AdmitsNothing) {
  PullTickets tickets;
  const auto ticket = tickets.Hand("R.EXAMPLE/Web:1");
  BOOST_TEST(!tickets.Admit(Name("r.example/web:1"), kOne));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
