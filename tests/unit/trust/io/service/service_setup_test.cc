// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/service_setup.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace crivet::trust {
namespace {

TrustServer ServerNamed(const std::string& label) {
  TrustServer server;
  server.label = label;
  server.url = "https://" + label + ".example";
  return server;
}

/// Makes no connection, and knows which servers it was to be made for.
struct Connections {
  std::vector<std::string> made;
  std::string unusable;

  ServiceSetup::MakeFetcher Maker() {
    return [this](const TrustServer& server) -> Result<std::shared_ptr<MetadataFetcher>> {
      if (server.label == unusable) return Fail(Reason::kState, "no such certificate");
      made.push_back(server.label);
      return std::shared_ptr<MetadataFetcher>();
    };
  }

  Result<std::shared_ptr<const ServiceSetup>> Setup(const std::vector<TrustServer>& servers,
                                                    const ServiceSetup* before = nullptr) {
    return ServiceSetup::Create(servers, nullptr, Maker(), before);
  }
};

BOOST_AUTO_TEST_SUITE(ServiceSetupTest)

BOOST_AUTO_TEST_CASE(Server_IsFoundByItsLabel_AndNoOther) {
  Connections connections;
  const auto setup = connections.Setup({ServerNamed("a"), ServerNamed("b")}).value();
  BOOST_TEST(setup->server_count() == 2u);
  BOOST_TEST_REQUIRE(setup->Server("a") != nullptr);
  BOOST_TEST(setup->Server("a")->server.url == "https://a.example");
  BOOST_TEST(setup->Server("c") == nullptr);
}

// A reload must not throw connections and tokens away.
BOOST_AUTO_TEST_CASE(ServerThatDidNotChange_KeepsItsConnections) {
  Connections connections;
  const auto before = connections.Setup({ServerNamed("a"), ServerNamed("b")}).value();
  TrustServer other = ServerNamed("b");
  other.timeout *= 2;
  connections.made.clear();
  const auto after =
      connections.Setup({ServerNamed("a"), other, ServerNamed("c")}, before.get()).value();
  BOOST_TEST(after->Server("a") == before->Server("a"));
  BOOST_TEST(after->Server("b") != before->Server("b"));
  BOOST_TEST(connections.made == (std::vector<std::string>{"b", "c"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ServerThatCannotBeAsked_FailsTheWhole_AndLeavesWhatWas) {
  Connections connections;
  const auto before = connections.Setup({ServerNamed("a")}).value();
  connections.unusable = "b";
  const auto after = connections.Setup({ServerNamed("a"), ServerNamed("b")}, before.get());
  BOOST_TEST_REQUIRE(!after.has_value());
  BOOST_TEST(after.error().detail == "no such certificate");
  BOOST_TEST(before->Server("a") != nullptr);
}

BOOST_AUTO_TEST_CASE(Limits_AreTheServersOwn) {
  Connections connections;
  TrustServer large = ServerNamed("large");
  large.max_targets_size *= 4;
  const auto setup = connections.Setup({ServerNamed("a"), large}).value();
  BOOST_TEST(setup->Server("large")->limits().targets_bytes ==
             4 * setup->Server("a")->limits().targets_bytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
