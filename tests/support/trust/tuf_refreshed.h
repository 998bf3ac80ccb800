// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/trust/tuf_node.h"

namespace crivet::trust {

/// Refreshed is a publisher, and a node that has its first edition.
struct Refreshed {
  using Requests = std::vector<std::string>;
  using Versions = std::vector<std::int64_t>;

  TufPublisher server;
  TufNode node{server};
  Refreshed() { BOOST_REQUIRE(!node.Refresh(server)); }

  void Refuses(Reason reason, const std::string& at, const Versions& versions) {
    const auto refused = node.Refresh(server);
    BOOST_REQUIRE(refused);
    BOOST_TEST(CodeOf(*refused) == CodeOf(reason));
    BOOST_TEST(node.at == at);
    BOOST_TEST(node.Versions() == versions, boost::test_tools::per_element());
  }
  void Accepts(const Versions& versions) {
    const auto refused = node.Refresh(server);
    BOOST_TEST(!refused, "refused at " << node.at);
    BOOST_TEST(node.Versions() == versions, boost::test_tools::per_element());
    BOOST_TEST(node.trusted.IsComplete());
  }
  void Asked(const Requests& requests) {
    BOOST_TEST(server.asked == requests, boost::test_tools::per_element());
  }
  // Signs what a role says now again, whatever its version.
  void SignAgain(const std::string& role) {
    server.files[server.NameOf(role)] = TufPublisher::Signed(
        server.Content(role), server[role].signers.value_or(server[role].keys));
  }
};

}  // namespace crivet::trust
