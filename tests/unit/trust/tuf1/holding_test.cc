// SPDX-License-Identifier: Apache-2.0

// What a node keeps of one repository of TUF 1.0: trust/tuf1/FORMAT.md#what-is-kept.

#include "trust/tuf1/holding.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/trust/tuf_node.h"
#include "trust/tuf1/repository.h"
#include "trust/tuf1/roles_ahead.h"

namespace crivet::trust {
namespace {

using tuf1::Holding;
using Names = std::vector<std::string>;

struct Held {
  // Roles r0, r1… each with one name, all of them read.
  explicit Held(int roles = 0) {
    Names names = {"targets"};
    for (int i = 0; i < roles; ++i) {
      const std::string role = "r" + std::to_string(i);
      server.Delegate("targets", role, {role + "/*"});
      server.Sign(role, role + "/web:1", role);
      names.push_back(role);
    }
    server.PublishEdition(names);
    node.emplace(server);
    BOOST_REQUIRE(!node->Refresh(server));
    for (int i = 0; i < roles; ++i) {
      const std::string role = "r" + std::to_string(i);
      BOOST_REQUIRE(node->Find(server, role + "/web:1") == role);
      holding.uses->Touch({"targets", role});
    }
    holding.newest = node->trusted;
    holding.newest.roles.clear();
    holding.newest.accepted.clear();
    holding.complete = node->trusted;
  }
  Names Roles() const {
    Names names;
    for (const auto& [role, file] : holding.complete->roles) names.push_back(role);
    return names;
  }
  std::size_t BytesOf(const std::string& role) const {
    const auto& file = holding.complete->roles.at(role);
    return file.bytes->size() + file.content->resident_bytes();
  }

  TufPublisher server;
  std::optional<TufNode> node;
  Holding holding;
};

BOOST_AUTO_TEST_SUITE(HoldingTest)

BOOST_AUTO_TEST_CASE(KeepWithin_TooManyRoles_ThoseAskedForLongestAgoGo) {
  Held held(5);
  held.holding.uses->Touch({"targets", "r1"});
  held.holding.KeepWithin(5, 1 << 20);
  BOOST_TEST(held.Roles().size() == 6);
  held.holding.KeepWithin(2, 1 << 20);
  const Names left = {"r1", "r4", "targets"};
  BOOST_TEST(held.Roles() == left, boost::test_tools::per_element());
  BOOST_TEST(held.holding.complete->IsComplete());
  // One that went is had again, and another would be next.
  held.node->trusted = *held.holding.complete;
  BOOST_TEST(held.node->Find(held.server, "r0/web:1") == "r0");
  const Names asked = {"1.r0.json"};
  BOOST_TEST(held.server.asked == asked, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(KeepWithin_TooManyBytes_TargetsStays) {
  Held held(3);
  held.holding.KeepWithin(100, held.BytesOf("targets") + held.BytesOf("r2"));
  const Names left = {"r2", "targets"};
  BOOST_TEST(held.Roles() == left, boost::test_tools::per_element());
  held.holding.KeepWithin(100, 0);
  BOOST_TEST(held.Roles() == Names{"targets"}, boost::test_tools::per_element());
  BOOST_TEST(held.holding.complete->IsComplete());
}

// `evil` delegates to roles without end, and its pods ask for them: the roles of others stay.
struct Crowded {
  explicit Crowded(int roles) {
    server.Delegate("targets", "shop", {"shop/*"});
    server.Sign("shop", "shop/web:1", "shop");
    server.Delegate("targets", "evil", {"evil/*"});
    for (int i = 0; i < roles; ++i) {
      const std::string role = "e" + std::to_string(i);
      server.Delegate("evil", role, {"evil/" + role + ":*"});
      server.Sign(role, "evil/" + role + ":1", role);
      evil.push_back(role);
    }
    Publish();
    node.emplace(server);
    BOOST_REQUIRE(!node->Refresh(server));
    BOOST_REQUIRE(node->Find(server, "shop/web:1") == "shop");
    holding.uses->Touch({"targets", "shop"});
    for (const std::string& role : evil) {
      BOOST_REQUIRE(node->Find(server, "evil/" + role + ":1") == role);
      holding.uses->Touch({"targets", "evil", role});
    }
    holding.newest = node->trusted;
    holding.complete = node->trusted;
  }
  void Publish() {
    Names roles = {"targets", "shop", "evil"};
    roles.insert(roles.end(), evil.begin(), evil.end());
    server.PublishEdition(roles);
  }
  bool Has(const std::string& role) const { return holding.complete->roles.contains(role); }

  TufPublisher server;
  Names evil;
  std::optional<TufNode> node;
  Holding holding;
};

BOOST_AUTO_TEST_CASE(KeepWithin_RolesWithoutEndOfOneDelegate_PushOutNobodyElses) {
  Crowded many(8);
  many.holding.KeepWithin(4, 1 << 20);
  BOOST_TEST(many.Has("shop"));
  BOOST_TEST(many.Has("e7"));
  BOOST_TEST(!many.Has("e0"));
  Crowded large(8);
  std::size_t bytes = 0;
  for (const auto& [role, file] : large.holding.complete->roles) {
    bytes += file.bytes->size() + file.content->resident_bytes();
  }
  large.holding.KeepWithin(100, bytes / 2);
  BOOST_TEST(large.Has("shop"));
  BOOST_TEST(!large.Has("e0"));
  BOOST_TEST(large.holding.complete->IsComplete());
}

// Whoever is delegated to may delegate to anybody's role: that makes it nobody's burden.
BOOST_AUTO_TEST_CASE(KeepWithin_RoleToWhichAStrangerDelegatesToo_IsNotHis) {
  TufPublisher server;
  server.Delegate("targets", "shop", {"shop/*"});
  server.Delegate("shop", "cart", {"shop/*"});
  server.Sign("cart", "shop/cart:1", "cart");
  Names roles = {"targets", "shop", "cart"};
  // Before and behind `shop`, however roles are sorted.
  for (const std::string stranger : {"aa", "zz"}) {
    server.Delegate("targets", stranger, {stranger + "/*"});
    server.Delegate(stranger, "cart", {"*/*"});
    roles.push_back(stranger);
    for (int i = 0; i < 8; ++i) {
      const std::string role = stranger + std::to_string(i);
      server.Delegate(stranger, role, {stranger + "/" + role + ":*"});
      server.Sign(role, stranger + "/" + role + ":1", role);
      roles.push_back(role);
    }
  }
  server.PublishEdition(roles);
  TufNode node(server);
  BOOST_REQUIRE(!node.Refresh(server));
  Holding holding;
  BOOST_REQUIRE(node.Find(server, "shop/cart:1") == "cart");
  holding.uses->Touch({"targets", "shop", "cart"});
  for (const std::string& role : roles) {
    if (role.size() != 3) continue;
    BOOST_REQUIRE(node.Find(server, role.substr(0, 2) + "/" + role + ":1") == role);
    holding.uses->Touch({"targets", role.substr(0, 2), role});
  }
  holding.newest = node.trusted;
  holding.complete = node.trusted;
  holding.KeepWithin(8, 1 << 20);
  BOOST_TEST(holding.complete->roles.contains("cart"));
  BOOST_TEST(holding.complete->roles.contains("shop"));
  BOOST_TEST(holding.complete->roles.size() == 9);
}

BOOST_AUTO_TEST_CASE(RolesAhead_RolesWithoutEndOfOneDelegate_HoldNobodyUp) {
  Crowded many(8);
  many.Publish();
  BOOST_REQUIRE(!many.node->Refresh(many.server));
  std::set<std::string> roles(many.evil.begin(), many.evil.end());
  roles.insert({"shop", "evil"});
  tuf1::RolesAhead ahead({.trusted = many.node->trusted,
                          .roles = roles,
                          .now = TufPublisher::kNow,
                          .caps = {},
                          .most_bytes = many.server.files.at("2.evil.json").size() + 1});
  many.server.asked.clear();
  while (ahead.Wanted()) {
    ahead.Supply(many.server.Serve(ahead.Wanted()->file, ahead.Wanted()->max_bytes));
  }
  const Names asked = {"2.evil.json", "2.shop.json", "2.e0.json"};
  BOOST_TEST(many.server.asked == asked, boost::test_tools::per_element());
  BOOST_TEST(!ahead.HasAll());
}

// A stranger who delegates to another's role as well does not spend the share of what is below it.
BOOST_AUTO_TEST_CASE(RolesAhead_BelowARoleOfTwoOwners_EachHasItsShare) {
  TufPublisher server;
  server.Delegate("targets", "evil", {"evil/*"});
  server.Delegate("targets", "shop", {"shop/*"});
  server.Delegate("evil", "cart", {"*/*"});
  server.Delegate("shop", "cart", {"*/*"});
  server.Delegate("cart", "item", {"*/*"});
  std::set<std::string> roles = {"evil", "shop", "cart", "item"};
  for (int i = 0; i < 8; ++i) {
    const std::string role = "evil" + std::to_string(i);
    server.Delegate("evil", role, {"evil/*"});
    for (int name = 0; name < 50; ++name) server.Sign(role, "evil/" + std::to_string(name), role);
    roles.insert(role);
  }
  Names published = {"targets"};
  published.insert(published.end(), roles.begin(), roles.end());
  server.PublishEdition(published);
  TufNode node(server);
  BOOST_REQUIRE(!node.Refresh(server));
  tuf1::RolesAhead ahead({.trusted = node.trusted,
                          .roles = roles,
                          .now = TufPublisher::kNow,
                          .caps = {},
                          .most_bytes = 10'000});
  while (ahead.Wanted()) {
    ahead.Supply(server.Serve(ahead.Wanted()->file, ahead.Wanted()->max_bytes));
  }
  BOOST_TEST(!ahead.HasAll());
  BOOST_TEST(!ahead.trusted().roles.contains("evil7"));
  BOOST_TEST(ahead.trusted().roles.contains("item"));
}

// Each way to a role has its file verified again: of n roles that delegate to each other n times n.
BOOST_AUTO_TEST_CASE(RolesAhead_RolesThatDelegateToEachOther_AreVerifiedForFewWays) {
  TufPublisher server;
  server.Delegate("targets", "r0", {"*"});
  Names names;
  for (int i = 0; i < 12; ++i) names.push_back("r" + std::to_string(i));
  for (const std::string& from : names) {
    for (const std::string& to : names) {
      if (from != to) server.Delegate(from, to, {"*"});
    }
  }
  Names all = names;
  all.insert(all.begin(), "targets");
  server.PublishEdition(all);
  TufNode node(server);
  BOOST_REQUIRE(!node.Refresh(server));
  tuf1::RolesAhead ahead({.trusted = node.trusted,
                          .roles = {names.begin(), names.end()},
                          .now = TufPublisher::kNow,
                          .caps = {}});
  while (ahead.Wanted()) {
    ahead.Supply(server.Serve(ahead.Wanted()->file, ahead.Wanted()->max_bytes));
  }
  BOOST_TEST(ahead.HasAll());
  BOOST_TEST(ahead.trusted().roles.size() == 13);
  BOOST_TEST(ahead.trusted().accepted.size() <= 1 + 12 * tuf1::RolesAhead::kMostDelegators);
}

BOOST_AUTO_TEST_CASE(RecordsAfter_TagsWithoutEndOfOneDelegate_PushOutNobodyElses) {
  Crowded node(1);
  constexpr std::size_t kMost = Limits{}.records;
  Records records;
  for (std::size_t i = 0; i < kMost; ++i) {
    const bool evil = i >= 10;
    tuf1::RecordName name{evil ? "evil/e0:1" : "shop/web:1", {}};
    name.ways = {evil ? Names{"targets", "evil", "e0"} : Names{"targets", "shop"}};
    VerifiedRecord record{"1", Sha256Digest(Sha256Of(std::to_string(i))), {}, {}, {}, {}};
    record.vouching["targets"] = {"key"};
    record.name = name.Text();
    records.push_back(std::move(record));
  }
  const tuf1::Repository repository({"tuf", "https://tuf.example", "*"}, node.holding);
  const Records full = repository.RecordsAfter(records);
  BOOST_TEST(full.size() == kMost / 4 * 3);
  for (std::size_t i = 0; i < 10; ++i) BOOST_CHECK(full[i] == records[i]);
  BOOST_CHECK(full.back() == records.back());
  records.pop_back();
  BOOST_TEST(repository.RecordsAfter(records).size() == kMost - 1);
}

// Whoever runs pods chooses whose tags those are, and signs nothing.
BOOST_AUTO_TEST_CASE(RecordsAfter_TagsWithoutEndOfOneRepository_PushOutNoOthers) {
  Crowded node(2);
  constexpr std::size_t kMost = Limits{}.records;
  Records records;
  for (std::size_t i = 0; i < kMost; ++i) {
    const std::string role = i < 10 ? "e1" : "e0";
    const tuf1::RecordName name{"evil/" + role + ":1", {{"targets", "evil", role}}};
    VerifiedRecord record{"1", Sha256Digest(Sha256Of(std::to_string(i))), {}, {}, {}, {}};
    record.vouching["targets"] = {"key"};
    record.name = name.Text();
    records.push_back(std::move(record));
  }
  const tuf1::Repository repository({"tuf", "https://tuf.example", "*"}, node.holding);
  const Records full = repository.RecordsAfter(records);
  BOOST_TEST(full.size() == kMost / 4 * 3);
  for (std::size_t i = 0; i < 10; ++i) BOOST_CHECK(full[i] == records[i]);
  BOOST_CHECK(full.back() == records.back());
}

BOOST_AUTO_TEST_CASE(RoleUses_NamesWithoutEnd_TheLatestStay) {
  tuf1::RoleUses uses;
  const std::string first = "first";
  uses.Touch({first});
  for (std::size_t i = 0; i < tuf1::RoleUses::kMost; ++i) uses.Touch({"r" + std::to_string(i)});
  const std::string last = "r" + std::to_string(tuf1::RoleUses::kMost - 1);
  const Names order = {last, first};
  BOOST_TEST(uses.InOrder({first, last}) == order, boost::test_tools::per_element());
  uses.Touch({first});
  const Names now = {first, last};
  BOOST_TEST(uses.InOrder({last, first}) == now, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(KeepWithin_RolesThatNobodyAskedFor_GoFirst) {
  Held held(3);
  held.holding.uses = std::make_shared<tuf1::RoleUses>();
  held.holding.uses->Touch({"r0"});
  held.holding.KeepWithin(1, 1 << 20);
  const Names left = {"r0", "targets"};
  BOOST_TEST(held.Roles() == left, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(FloorsNow_ReadBack_AreTheNumbersOfTheNewestFiles) {
  const Held held;
  const tuf1::Update::Least least = tuf1::LeastOf(held.holding.FloorsNow());
  BOOST_TEST(least.root == 1);
  BOOST_TEST(least.timestamp == held.holding.newest.timestamp->content->version());
  BOOST_TEST(least.snapshot == held.holding.newest.snapshot->content->version());
  BOOST_TEST((least.signers == held.holding.newest.timestamp->signers));
}

// The numbers outlive the files that they are of.
BOOST_AUTO_TEST_CASE(FloorsNow_FilesAreLost_KeepsTheNumbers) {
  Held held;
  held.holding.least = tuf1::LeastOf(held.holding.FloorsNow());
  held.holding.least.timestamp += 5;
  held.holding.least.snapshot += 7;
  held.holding.least.root = 3;
  const tuf1::Update::Least kept = tuf1::LeastOf(held.holding.FloorsNow());
  BOOST_TEST(kept.root == 3);
  BOOST_TEST(kept.timestamp == held.holding.least.timestamp);
  held.holding.newest.timestamp.reset();
  const tuf1::Update::Least lost = tuf1::LeastOf(held.holding.FloorsNow());
  BOOST_TEST(lost.timestamp == held.holding.least.timestamp);
  BOOST_TEST(lost.snapshot == held.holding.least.snapshot);
}

tuf1::RootPins PinTo(const tuf1::Verified<tuf1::Root>& root) {
  tuf1::RootPin pin;
  pin.file = root;
  return {pin};
}

BOOST_AUTO_TEST_CASE(AnchorAt_ARootOfTheChain_CutsWhatCameBefore) {
  Held held;
  held.server.Publish({"root"});
  held.server.Publish({"root"});
  BOOST_REQUIRE(!held.node->Refresh(held.server));
  held.holding.newest.roots = held.node->trusted.roots;
  held.holding.complete = held.node->trusted;
  const auto second = held.holding.newest.roots[1];
  held.holding.AnchorAt(PinTo(second));
  BOOST_TEST(held.holding.newest.roots.size() == 2);
  BOOST_TEST(held.holding.newest.roots.front().content->version() == 2);
  BOOST_TEST((held.holding.complete->roots == held.holding.newest.roots));
}

BOOST_AUTO_TEST_CASE(AnchorAt_ARootOfNoChain_IsTheChainAndCoversNothing) {
  Held held;
  BOOST_TEST(held.holding.Uncovered() == "");
  const TufPublisher stranger;
  held.holding.AnchorAt(PinTo(tuf1::ReadFirstRoot(stranger.files.at("1.root.json"), {}).value()));
  BOOST_TEST(held.holding.newest.roots.size() == 1);
  BOOST_TEST(held.holding.Uncovered() == "timestamp");
}

BOOST_AUTO_TEST_CASE(Files_WhatTheStoreHas_ComesWithoutItsBytes) {
  Held held(1);
  const auto with_bytes = [&] {
    Names names;
    for (const StoredFile& file : held.holding.Files()) {
      if (file.bytes) names.push_back(file.name);
    }
    return names;
  };
  BOOST_TEST(with_bytes().size() == 7);
  for (const StoredFile& file : held.holding.Files()) held.holding.stored[file.name] = file.sha256;
  BOOST_TEST(with_bytes().empty());
  held.holding.stored["role:r0"] = Sha256{};
  BOOST_TEST(with_bytes() == Names{"role:r0"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(StoredRole_OfAnyName_IsReadBackAsItWas) {
  for (const std::string role : {"shop", "../x", "a/b", "%2e", "\n", ">", "\xc3\xa9", "role:x"}) {
    const auto stored = tuf1::StoredRole(role);
    BOOST_REQUIRE(stored);
    BOOST_TEST(tuf1::RoleStoredAs(*stored).value() == role);
    BOOST_TEST(!tuf1::IsStoredAnchor(*stored));
  }
  BOOST_TEST(tuf1::StoredRole("targets").value() == "targets");
  BOOST_TEST(!tuf1::RoleStoredAs("targets"));
  BOOST_TEST(!tuf1::StoredRole(std::string(300, 'x')));
  for (const char* wrong : {"shop", "role:%", "role:%2", "role:%xx", "Role:shop"}) {
    BOOST_TEST(!tuf1::RoleStoredAs(wrong), wrong);
  }
}

BOOST_AUTO_TEST_CASE(StoredRootVersion_OfRootsAlone) {
  BOOST_TEST(tuf1::StoredRootVersion(tuf1::StoredRoot(12)).value() == 12);
  for (const char* wrong : {"0.root", "-1.root", "1.roots", "1.root.json", ".root", "1", "x.root",
                            "1.0.root", "99999999999999999999.root", " 1.root", "timestamp"}) {
    BOOST_TEST(!tuf1::StoredRootVersion(wrong), wrong);
  }
  BOOST_TEST(tuf1::IsStoredAnchor("3.root"));
  BOOST_TEST(tuf1::IsStoredAnchor(tuf1::kNewestTimestamp));
  BOOST_TEST(!tuf1::IsStoredAnchor("timestamp"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
