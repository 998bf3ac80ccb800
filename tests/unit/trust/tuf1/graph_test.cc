// SPDX-License-Identifier: Apache-2.0

// Which roles a search asks for and in which order, case by case as the conformance suite has them:
// graph_traversal and targetfile_search.

#include <boost/test/unit_test.hpp>

#include "tests/support/trust/tuf_node.h"

namespace crivet::trust {
namespace {

enum class Ends : std::uint8_t { kNo, kYes };

struct Edge {
  const char* from;
  const char* to;
  std::vector<std::string> paths = {"*"};
  Ends ends = Ends::kNo;
};

using Order = std::vector<std::string>;

struct Graph {
  const char* name;
  std::vector<Edge> edges;
  Order order;
};

const Graph kGraphs[] = {
    {"one", {{"targets", "A"}}, {"A"}},
    {"two beside each other", {{"targets", "A"}, {"targets", "B"}}, {"A", "B"}},
    {"one below the second", {{"targets", "A"}, {"targets", "B"}, {"B", "C"}}, {"A", "B", "C"}},
    {"two below the first come before the second",
     {{"targets", "A"}, {"targets", "B"}, {"A", "C"}, {"A", "D"}},
     {"A", "C", "D", "B"}},
    {"three levels before the second",
     {{"targets", "A"}, {"targets", "B"}, {"A", "C"}, {"C", "D"}},
     {"A", "C", "D", "B"}},
    {"a terminating one ends both levels",
     {{"targets", "A"}, {"targets", "B"}, {"A", "C", {"*"}, Ends::kYes}, {"A", "D"}},
     {"A", "C"}},
    {"what lies below a terminating one is asked",
     {{"targets", "A"}, {"targets", "B"}, {"A", "C", {"*"}, Ends::kYes}, {"C", "D"}},
     {"A", "C", "D"}},
    {"a branch whose pattern does not match, with all below it",
     {{"targets", "A", {"*.py"}}, {"targets", "B"}, {"A", "C"}},
     {"B"}},
    {"the same one level down",
     {{"targets", "A"}, {"targets", "B"}, {"A", "C", {"*.py"}}, {"C", "D"}},
     {"A", "B"}},
    {"a cycle",
     {{"targets", "A"}, {"targets", "B"}, {"B", "C"}, {"C", "D"}, {"D", "B"}},
     {"A", "B", "C", "D"}},
    {"two ways to one role: the first is taken",
     {{"targets", "A"}, {"targets", "B"}, {"B", "C"}, {"A", "C"}},
     {"A", "C", "B"}},
    {"two ways to one role, of which the first does not match",
     {{"targets", "A"}, {"targets", "B"}, {"B", "C"}, {"A", "C", {"*.py"}}},
     {"A", "B", "C"}},
};

// Who lists a name, and who is asked for it.
struct Sought {
  const char* name;
  const char* listed_by;
  const char* found_in;
  Order order;
};

const Edge kTree[] = {
    {"targets", "A", {"*.doc", "*.md"}},
    {"targets", "B", {"releases/*/*"}},
    {"B", "C", {"releases/x/*"}},
    {"B", "D", {"releases/y/*.zip"}},
};

const Sought kSought[] = {
    {"file", "targets", "targets", {}},          {"README.md", "A", "A", {"A"}},
    {"releases/x/x_v1", "C", "C", {"B", "C"}},   {"releases/y/y_v1.zip", "D", "D", {"B", "D"}},
    {"releases/z/z_v1.zip", "D", "none", {"B"}}, {"README.MD", "A", "none", {}},
    {"docs/README.md", "A", "none", {}},         {"releases/x/y/x_v1", "C", "none", {}},
    {"releases/y/y_v1.tar", "D", "none", {"B"}},
};

void Delegate(TufPublisher& server, const Edge& edge) {
  server.Delegate(edge.from, edge.to, edge.paths, edge.ends == Ends::kYes);
}

void ExpectAsked(const TufPublisher& server, const Order& roles) {
  Order files;
  for (const std::string& role : roles) files.push_back("1." + role + ".json");
  BOOST_TEST(server.asked == files, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(TufGraphTest)

BOOST_AUTO_TEST_CASE(Find_NobodyListsIt_EachRoleIsAskedOnceInTheOrderOfTheGraph) {
  for (const Graph& graph : kGraphs) {
    BOOST_TEST_CONTEXT(graph.name) {
      TufPublisher server;
      std::set<std::string> roles;
      for (const Edge& edge : graph.edges) {
        Delegate(server, edge);
        roles.insert({edge.from, edge.to});
      }
      server.PublishEdition({roles.begin(), roles.end()});
      TufNode node(server);
      BOOST_REQUIRE(!node.Refresh(server));
      BOOST_TEST(node.Find(server, "missing") == "none");
      ExpectAsked(server, graph.order);
    }
  }
}

BOOST_AUTO_TEST_CASE(Find_ANameInATree_AsksForThoseWhoMayListIt) {
  for (const Sought& sought : kSought) {
    BOOST_TEST_CONTEXT(sought.name) {
      TufPublisher server;
      for (const Edge& edge : kTree) Delegate(server, edge);
      server.Sign(sought.listed_by, sought.name, "content");
      server.PublishEdition({"targets", "A", "B", "C", "D"});
      TufNode node(server);
      BOOST_REQUIRE(!node.Refresh(server));
      BOOST_TEST(node.Find(server, sought.name) == sought.found_in);
      ExpectAsked(server, sought.order);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
