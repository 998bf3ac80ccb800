// SPDX-License-Identifier: Apache-2.0

// Keys that rotate, case by case as the conformance suite has them: root_rotation and
// non_root_rotations.

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/support/trust/tuf_node.h"

namespace crivet::trust {
namespace {

// Keys are meant by their numbers.
struct RotatedFile {
  std::vector<std::size_t> keys;
  std::int64_t threshold;
  std::vector<std::size_t> signers;
};

struct RootRotation {
  const char* name;
  std::vector<RotatedFile> roots;
  bool last_is_good = true;
};

const std::vector<std::size_t> kFive = {0, 1, 2, 3, 4};
const std::vector<std::size_t> kOneOfFiveReplaced = {0, 1, 3, 4, 5};

const RootRotation kRootRotations[] = {
    {"one key for another", {{{1}, 1, {1}}, {{2}, 1, {2, 1}}, {{2}, 1, {2}}}},
    {"strangers sign as well", {{{1}, 1, {3, 1, 4}}, {{2}, 1, {3, 2, 1, 4}}, {{2}, 1, {3, 2, 4}}}},
    {"three of five, always others",
     {{kFive, 3, {0, 2, 4}}, {kFive, 3, {0, 4, 1}}, {kFive, 3, {0, 1, 3}}, {kFive, 3, {0, 1, 3}}}},
    {"three of five, one is replaced", {{kFive, 3, {0, 2, 4}}, {kOneOfFiveReplaced, 3, {0, 4, 1}}}},
    {"three of five, one is replaced and signs once more",
     {{kFive, 3, {0, 2, 4}},
      {kOneOfFiveReplaced, 3, {0, 2, 4, 5}},
      {kOneOfFiveReplaced, 3, {0, 4, 5}}}},
    {"all five are replaced",
     {{kFive, 3, {0, 2, 4}},
      {{5, 6, 7, 8, 9}, 3, {0, 2, 4, 5, 6, 7}},
      {{5, 6, 7, 8, 9}, 3, {5, 6, 7}}}},
    {"one of three becomes two", {{{1, 2, 3}, 1, {1}}, {{1, 2, 3}, 2, {1, 2}}}},
    {"two of three become one",
     {{{1, 2, 3}, 2, {1, 2}}, {{1, 2, 3}, 1, {1, 2}}, {{1, 2, 3}, 1, {1}}}},
    {"a second key has to sign", {{{1}, 1, {1}}, {{1, 2}, 2, {1, 2}}}},
    {"the old key does not sign", {{{1}, 1, {1}}, {{2}, 1, {2, 3, 4}}}, false},
    {"the new key does not sign", {{{1}, 1, {1}}, {{2}, 1, {1, 3, 4}}}, false},
    {"too few of the new five", {{kFive, 3, {0, 2, 4}}, {kOneOfFiveReplaced, 3, {0, 2, 4}}}, false},
    {"too few of the old five", {{kFive, 3, {0, 2, 4}}, {kOneOfFiveReplaced, 3, {0, 4, 5}}}, false},
    {"fewer than the new threshold", {{{1, 2, 3}, 1, {1}}, {{1, 2, 3}, 2, {2}}}, false},
    {"fewer than the old threshold", {{{1, 2, 3}, 2, {1, 2}}, {{1, 2, 3}, 1, {1}}}, false},
};

struct RoleRotation {
  const char* name;
  RotatedFile file;
  bool is_good = true;
};

const RoleRotation kRoleRotations[] = {
    {"one key for another", {{2}, 1, {2}}},
    {"strangers sign as well", {{1}, 1, {3, 1, 4}}},
    {"the new key does not sign", {{2}, 1, {1, 3, 4}}, false},
    {"one of three has no say any more", {kOneOfFiveReplaced, 3, {0, 2, 4}}, false},
    {"one too few", {kOneOfFiveReplaced, 3, {0, 4}}, false},
    {"first, third, fifth", {kFive, 3, {0, 2, 4}}},
    {"first, fifth, second", {kFive, 3, {0, 4, 1}}},
    {"first, second, fourth", {kFive, 3, {0, 1, 3}}},
    {"second, third, fourth", {kFive, 3, {1, 2, 3}}},
    {"third, fourth, fifth", {kFive, 3, {2, 3, 4}}},
};

std::vector<SigningKey> Chosen(const std::vector<std::size_t>& numbers) {
  static const std::vector<SigningKey> all = [] {
    std::vector<SigningKey> keys;
    for (int i = 0; i < 10; ++i) keys.push_back(SigningKey::Ed25519());
    return keys;
  }();
  std::vector<SigningKey> keys;
  for (const std::size_t number : numbers) keys.push_back(all.at(number));
  return keys;
}

void GiveKeys(TufPublisher::Role& role, const RotatedFile& file) {
  role.keys = Chosen(file.keys);
  role.threshold = file.threshold;
  role.signers = Chosen(file.signers);
}

BOOST_AUTO_TEST_SUITE(TufRotationTest)

BOOST_AUTO_TEST_CASE(Root_KeysAndThresholdsRotate_OldAndNewHaveToBeMet) {
  for (const RootRotation& row : kRootRotations) {
    BOOST_TEST_CONTEXT(row.name) {
      TufPublisher server;
      server["root"].version = 0;
      for (const RotatedFile& root : row.roots) {
        GiveKeys(server["root"], root);
        server.Publish({"root"});
      }
      TufNode node(server);
      const auto refused = node.Refresh(server);
      BOOST_TEST(refused.has_value() == !row.last_is_good);
      BOOST_TEST(node.at == (row.last_is_good ? "" : "root"));
      const std::size_t reached = row.roots.size() - (row.last_is_good ? 0 : 1);
      BOOST_TEST(*node.trusted.roots.back().bytes ==
                 server.files.at(std::to_string(reached) + ".root.json"));
    }
  }
}

BOOST_AUTO_TEST_CASE(OtherRoles_KeysRotate_TheRootThatNamesThemDecides) {
  for (const RoleRotation& row : kRoleRotations) {
    for (const std::string role : {"timestamp", "snapshot", "targets"}) {
      BOOST_TEST_CONTEXT(row.name << ", " << role) {
        TufPublisher server;
        TufNode node(server);
        BOOST_REQUIRE(!node.Refresh(server));
        GiveKeys(server[role], row.file);
        server.Publish({"root"});
        // Under the version that it had.
        --server[role].version;
        server.Publish({role});
        const auto refused = node.Refresh(server);
        BOOST_TEST(refused.has_value() == !row.is_good);
        BOOST_TEST(node.at == (row.is_good ? "" : role));
        BOOST_TEST(node.trusted.IsComplete() == row.is_good);
        const std::string& served = server.files.at(server.NameOf(role));
        const std::string& had =
            role == "timestamp"  ? node.trusted.timestamp ? *node.trusted.timestamp->bytes : served
            : role == "snapshot" ? node.trusted.snapshot ? *node.trusted.snapshot->bytes : served
                                 : *node.trusted.roles.find(role)->second.bytes;
        if (row.is_good) BOOST_TEST(had == served);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
