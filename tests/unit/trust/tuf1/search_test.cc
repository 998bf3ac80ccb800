// SPDX-License-Identifier: Apache-2.0

// The search for a name along delegations: order, ends, and who may say what.

#include "trust/tuf1/search.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/support/trust/tuf_node.h"
#include "trust/tuf1/tag_roles.h"

namespace crivet::trust {
namespace {

using Requests = std::vector<std::string>;

struct Delegating {
  TufPublisher server;
  std::optional<TufNode> node;

  // Each with its file.
  void PublishAndRefresh(std::vector<std::string> roles) {
    roles.insert(roles.begin(), "targets");
    server.PublishEdition(roles);
    node.emplace(server);
    BOOST_REQUIRE(!node->Refresh(server));
  }
  std::string Find(const std::string& name, std::vector<std::string> signers = {}) {
    return node->Find(server, name, std::move(signers));
  }
  // Those that may list some tag of `web`, each with its file.
  std::vector<std::string> RolesOfTags() {
    tuf1::RoleSearch search(node->trusted, {.name = "", .now = TufPublisher::kNow}, "web:", {});
    while (search.Wanted()) search.Supply(server.Serve(search.Wanted()->file, 1 << 20));
    node->trusted = search.trusted();
    auto roles =
        tuf1::FindTagRoles(node->trusted, "web:", tuf1::Expiry::kEnforced, TufPublisher::kNow, {});
    BOOST_TEST((!roles.missing && !roles.failed && roles.in_bins.empty()));
    return std::move(roles.here);
  }
  void Asked(const Requests& requests) {
    BOOST_TEST(server.asked == requests, boost::test_tools::per_element());
  }
};

BOOST_FIXTURE_TEST_SUITE(TufSearchTest, Delegating)

// targetfile_search, graph_traversal
BOOST_AUTO_TEST_CASE(Find_AlongTheDelegations_IsDepthFirstAndOncePerRole) {
  server.Delegate("targets", "a", {"*"});
  server.Delegate("targets", "b", {"*"});
  server.Delegate("a", "c", {"*"});
  server.Delegate("c", "a", {"*"});
  server.Delegate("c", "b", {"*"});
  server.Delegate("b", "d", {"*"});
  PublishAndRefresh({"a", "b", "c", "d"});
  BOOST_TEST(Find("nobody") == "none");
  Asked({"1.a.json", "1.c.json", "1.b.json", "1.d.json"});
  BOOST_TEST(Find("nobody") == "none");
  Asked({});
}

BOOST_AUTO_TEST_CASE(Find_TheRoleItselfFirst_ThenDelegationsInOrder) {
  server.Delegate("targets", "first", {"web:*"});
  server.Delegate("targets", "second", {"web:*"});
  for (const char* role : {"first", "second"}) server.Sign(role, "web:1", role);
  server.Sign("targets", "web:2", "own");
  server.Sign("first", "web:2", "not asked");
  PublishAndRefresh({"first", "second"});
  BOOST_TEST(Find("web:2") == "targets");
  Asked({});
  BOOST_TEST(Find("web:1") == "first");
  Asked({"1.first.json"});
  const auto& found = std::get<tuf1::Search::Found>(node->search->outcome());
  const std::vector<tuf1::Link> chain = {{"root", "targets"}, {"targets", "first"}};
  BOOST_TEST((found.hits.front().chain == chain));
}

BOOST_AUTO_TEST_CASE(Find_NameOutsideAParentsPatterns_IsNotSigned) {
  server.Delegate("targets", "team", {"team/*"});
  server.Delegate("team", "member", {"*", "team/*", "other/*"});
  server.Sign("member", "other/web:1", "x");
  PublishAndRefresh({"team", "member"});
  BOOST_TEST(Find("other/web:1") == "none");
  Asked({});
}

BOOST_AUTO_TEST_CASE(Find_TerminatingDelegation_HidesWhatComesAfterAtEveryLevel) {
  server.Delegate("targets", "a", {"*"});
  server.Delegate("targets", "z", {"*"});
  server.Delegate("a", "stop", {"web:*"}, true);
  server.Delegate("a", "y", {"*"});
  for (const char* role : {"y", "z"}) server.Sign(role, "web:1", role);
  server.Sign("z", "db:1", "z");
  PublishAndRefresh({"a", "z", "stop", "y"});
  BOOST_TEST(Find("web:1") == "none");
  Asked({"1.a.json", "1.stop.json"});
  BOOST_TEST(Find("db:1") == "z");
}

BOOST_AUTO_TEST_CASE(Find_RoleThatCannotBeRead_EndsTheSearch) {
  server.Delegate("targets", "first", {"*"});
  server.Delegate("targets", "second", {"*"});
  server.Sign("second", "web:1", "x");
  PublishAndRefresh({"first", "second"});
  const std::string good = server.files["1.first.json"];
  const Requests first_alone = {"1.first.json"};
  server.files.erase("1.first.json");
  BOOST_TEST(Find("web:1") == "no-trust-data");
  Asked(first_alone);
  server.files["1.first.json"] =
      TufPublisher::Signed(server.Content("first"), {SigningKey::Ed25519()});
  BOOST_TEST(Find("web:1") == "signature");
  Asked(first_alone);
  server["first"].expires = "2026-05-01T00:00:00Z";
  server.files["1.first.json"] =
      TufPublisher::Signed(server.Content("first"), server["first"].keys);
  BOOST_TEST(Find("web:1") == "expired");
  Asked(first_alone);
  server.files["1.first.json"] = good;
  BOOST_TEST(Find("web:1") == "second");
}

// delegation_not_in_snapshot
BOOST_AUTO_TEST_CASE(Find_DelegationThatTheSnapshotDoesNotList_IsNotEmpty) {
  server.Delegate("targets", "first", {"*"});
  server.Delegate("targets", "second", {"*"});
  server.Sign("second", "web:1", "x");
  server.unlisted.insert("first");
  PublishAndRefresh({"first", "second"});
  BOOST_TEST(Find("web:1") == "no-trust-data");
  Asked({});
}

// cached_role_is_verified_against_current_delegator
BOOST_AUTO_TEST_CASE(Find_RoleGoodThroughAnotherDelegator_IsVerifiedForEach) {
  server.Delegate("targets", "a", {"a/*"});
  server.Delegate("targets", "b", {"b/*"});
  server.Delegate("a", "shared", {"a/*"});
  server.Delegate("b", "shared", {"b/*"});
  const SigningKey other = SigningKey::Ed25519();
  const std::string id = TufPublisher::IdOf(other);
  server["b"].delegations["keys"][id] = TufPublisher::KeyJson(other);
  server["b"].delegations["roles"][0]["keyids"] = {id};
  server["b"].delegations["roles"][0]["threshold"] = 1;
  server.Sign("shared", "a/web", "x");
  server.Sign("shared", "b/web", "x");
  PublishAndRefresh({"a", "b", "shared"});
  BOOST_TEST(Find("a/web") == "shared");
  BOOST_TEST(Find("b/web") == "signature");
  BOOST_TEST(Find("a/web") == "shared");
}

BOOST_AUTO_TEST_CASE(Find_TheLimitOfRoles_IsNotAnAnswer) {
  constexpr int kRoles = 34;
  std::vector<std::string> roles;
  for (int i = 0; i < kRoles; ++i) {
    roles.push_back("r" + std::to_string(i));
    server.Delegate("targets", roles.back(), {"*"});
  }
  server.Sign("r31", "the 32nd", "x");
  server.Sign("r32", "the 33rd", "x");
  PublishAndRefresh(roles);
  BOOST_TEST(Find("the 32nd") == "r31");
  BOOST_TEST(Find("the 33rd") == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(Find_TenThousandDelegations_AskForThoseThatMatch) {
  auto& delegations = server["targets"].delegations;
  delegations = {{"roles", TufPublisher::Json::array()}};
  const std::string id = TufPublisher::IdOf(server["targets"].keys.front());
  for (int i = 0; i < 10000; ++i) {
    delegations["roles"].push_back({{"name", "r" + std::to_string(i)},
                                    {"keyids", {id}},
                                    {"threshold", 1},
                                    {"paths", {"team" + std::to_string(i) + "/*"}},
                                    {"terminating", false}});
  }
  delegations["keys"][id] = TufPublisher::KeyJson(server["targets"].keys.front());
  server["r7777"].keys = server["targets"].keys;
  server.Sign("r7777", "team7777/web", "x");
  PublishAndRefresh({"r7777"});
  BOOST_TEST(Find("team7777/web") == "r7777");
  Asked({"1.r7777.json"});
}

BOOST_AUTO_TEST_CASE(Find_InBins_IsOneRequest) {
  server.DelegateBins("targets", 4, "bin");
  const tuf1::Bins bins{4, "bin"};
  const std::string role = bins.RoleOf("acme/web:1.0");
  server[role].keys = server["targets"].keys;
  server.Sign(role, "acme/web:1.0", "x");
  PublishAndRefresh({role});
  BOOST_TEST(Find("acme/web:1.0") == role);
  Asked({"1." + role + ".json"});
}

// unusual_role_name
BOOST_AUTO_TEST_CASE(Find_UnusualRoleNames_AreEncodedInRequests) {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"?", "1.%3F.json"},
      {"#", "1.%23.json"},
      {"/delegatedrole", "1.%2Fdelegatedrole.json"},
      {"../delegatedrole", "1...%2Fdelegatedrole.json"},
      {"%2e%2e", "1.%252e%252e.json"},
      {std::string(300, 'x'), "1." + std::string(300, 'x') + ".json"}};
  for (const auto& [role, file] : names) {
    BOOST_TEST_CONTEXT(role) {
      Delegating other;
      other.server.Delegate("targets", role, {"*"});
      other.server.Sign(role, "web:1", "x");
      other.PublishAndRefresh({role});
      BOOST_TEST(other.Find("web:1") == role);
      other.Asked({file});
    }
  }
}

BOOST_AUTO_TEST_CASE(Find_Signers_GoesOnUntilAllWereSeen) {
  server.Delegate("targets", "alice", {"*"});
  server.Delegate("targets", "between", {"*"});
  server.Delegate("targets", "bob", {"*"});
  server.Delegate("targets", "after", {"*"});
  for (const char* role : {"alice", "between", "bob"}) server.Sign(role, "web:1", role);
  PublishAndRefresh({"alice", "between", "bob", "after"});
  BOOST_TEST(Find("web:1", {"bob"}) == "alice");
  Asked({"1.alice.json", "1.between.json", "1.bob.json"});
  const auto& found = std::get<tuf1::Search::Found>(node->search->outcome());
  BOOST_REQUIRE(found.hits.size() == 2);
  BOOST_TEST(found.hits[1].role == "bob");
  // A signer who may not speak for the name was not seen.
  BOOST_TEST(Find("web:1", {"stranger"}) == "alice");
  BOOST_TEST(std::get<tuf1::Search::Found>(node->search->outcome()).hits.size() == 1);
}

BOOST_AUTO_TEST_CASE(Find_PatternThatClientsReadDifferently_EndsTheSearch) {
  for (const char* odd : {"w\\*b", "web:[^1]"}) {
    Delegating other;
    other.server.Delegate("targets", "a", {odd});
    other.PublishAndRefresh({"a"});
    BOOST_TEST(other.Find("web:2") == "malformed");
  }
}

BOOST_AUTO_TEST_CASE(Entries_ThatCannotBeUsed_SpoilNothingElse) {
  server.Sign("targets", "good", "x");
  auto& targets = server["targets"].targets;
  targets["short"] = {{"length", 1}, {"hashes", {{"sha256", "ab"}}}};
  targets["upper"] = {{"length", 1}, {"hashes", {{"sha256", std::string(64, 'A')}}}};
  targets["nothing"] = 1;
  targets["negative"] = {{"length", -1}, {"hashes", TufPublisher::Json::object()}};
  PublishAndRefresh({});
  for (const char* name : {"short", "upper", "nothing", "negative"}) {
    BOOST_TEST(Find(name) == "targets");
    const auto& hit = std::get<tuf1::Search::Found>(node->search->outcome()).hits.front();
    BOOST_TEST(hit.entry->fault.has_value());
  }
  BOOST_TEST(Find("good") == "targets");
  BOOST_TEST(!std::get<tuf1::Search::Found>(node->search->outcome()).hits.front().entry->fault);
}

BOOST_AUTO_TEST_CASE(Delegations_ThatNobodyCanMean_AreMalformed) {
  using Json = TufPublisher::Json;
  const Json good = {{"name", "a"},
                     {"keyids", Json::array()},
                     {"threshold", 1},
                     {"paths", {"*"}},
                     {"terminating", false}};
  const auto with = [&](const Json& change) {
    Json role = good;
    role.update(change);
    return role;
  };
  Json open_ended = good;
  open_ended.erase("terminating");
  const std::vector<Json> wrong = {{{"roles", {good, good}}},
                                   {{"roles", {with({{"name", "snapshot"}})}}},
                                   {{"roles", {with({{"name", ""}})}}},
                                   {{"roles", {with({{"path_hash_prefixes", {"a"}}})}}},
                                   {{"roles", {with({{"threshold", 0}})}}},
                                   {{"roles", {open_ended}}},
                                   {{"roles", Json::array()}, {"succinct_roles", Json::object()}},
                                   Json::object()};
  for (Json delegations : wrong) {
    BOOST_TEST_CONTEXT(delegations) {
      delegations["keys"] = Json::object();
      const auto document = JsonDocument::Parse(delegations.dump(), {});
      BOOST_REQUIRE(document);
      BOOST_TEST(!tuf1::Delegations::Parse(document->root()));
    }
  }
}

// 16 MiB of short names took more than twenty times that in memory, and were counted as none.
BOOST_AUTO_TEST_CASE(Delegations_OfMoreThanAnybodyDelegates_AreMalformed) {
  const auto read = [](std::size_t roles, std::size_t keys, std::size_t paths) {
    std::string text = R"({"keys":{},"roles":[)";
    for (std::size_t i = 0; i < roles; ++i) {
      text += (i > 0 ? "," : "") + (R"({"name":"r)" + std::to_string(i)) +
              R"(","terminating":false,"threshold":1,"keyids":[)";
      for (std::size_t k = 0; k < keys; ++k)
        text += (k > 0 ? ",\"" : "\"") + std::to_string(k) + '"';
      text += R"(],"paths":[)";
      for (std::size_t p = 0; p < paths; ++p) text += p > 0 ? R"(,"")" : R"("")";
      text += "]}";
    }
    const auto document = JsonDocument::Parse(text + "]}", {.max_bytes = 16 * 1024 * 1024});
    BOOST_REQUIRE(document);
    return tuf1::Delegations::Parse(document->root());
  };
  BOOST_TEST(read(128, 1024, 1).has_value());
  BOOST_TEST(!read(129, 1024, 1));
  BOOST_TEST(read(1, 1, tuf1::Delegations::kMaxPatterns).has_value());
  BOOST_TEST(!read(2, 1, tuf1::Delegations::kMaxPatterns / 2 + 1));
  BOOST_TEST(read(1, 1000, 1)->resident_bytes() > read(1, 1, 1)->resident_bytes() + 100'000);
  BOOST_TEST(read(1, 1, 100'000)->resident_bytes() > 100'000 * sizeof(std::string));
}

struct TagsRow {
  const char* pattern;
  tuf1::TagsMatch match;
};

BOOST_AUTO_TEST_CASE(MatchTags_IsWhatSomeTagOrEveryTagWouldMatch) {
  using tuf1::TagsMatch;
  const TagsRow rows[] = {
      {"r/web:*", TagsMatch::kEvery},    {"r/*", TagsMatch::kEvery},
      {"*/*", TagsMatch::kEvery},        {"r/web:**", TagsMatch::kEvery},
      {"r/web:?*", TagsMatch::kEvery},   {"r/web*", TagsMatch::kEvery},
      {"?/[w]eb:*", TagsMatch::kEvery},  {"r/w*b:*", TagsMatch::kEvery},
      {"r/web:1.*", TagsMatch::kSome},   {"r/web:1", TagsMatch::kSome},
      {"r/web:*1", TagsMatch::kSome},    {"r/*:1", TagsMatch::kSome},
      {"r/web:[0-9]", TagsMatch::kSome}, {"r/*-rc", TagsMatch::kSome},
      {"r/web:??*", TagsMatch::kSome},   {"r/web:_", TagsMatch::kSome},
      {"r/web:", TagsMatch::kNone},      {"r/web", TagsMatch::kNone},
      {"r/web:-1", TagsMatch::kNone},    {"r/web:a:b", TagsMatch::kNone},
      {"r/other:*", TagsMatch::kNone},   {"R/web:*", TagsMatch::kNone},
      {"r/web/*", TagsMatch::kNone},     {"web:*", TagsMatch::kNone},
      {"r/*/web:*", TagsMatch::kNone},   {"r/web:a@b", TagsMatch::kNone},
      {"r/*x:1", TagsMatch::kNone},      {"", TagsMatch::kNone},
      {"r/web:\\*", TagsMatch::kOdd},    {"r/web:[^a]", TagsMatch::kOdd},
  };
  for (const TagsRow& row : rows) {
    tuf1::MatchWork work;
    BOOST_TEST((tuf1::MatchTags(row.pattern, "r/web:", work) == row.match), row.pattern);
  }
  tuf1::MatchWork work;
  BOOST_TEST((tuf1::MatchTags("images/web/*", "images/web/", work) == TagsMatch::kEvery));
  BOOST_TEST((tuf1::MatchTags("images/web/" + std::string(129, '?'), "images/web/", work) ==
              TagsMatch::kNone));
}

BOOST_AUTO_TEST_CASE(MatchTags_ManyStars_EndsSoon) {
  std::string pattern = "r/";
  for (int i = 0; i < 100000; ++i) pattern += "*a";
  tuf1::MatchWork work;
  const std::string prefix = "r/" + std::string(250, 'a') + ":";
  BOOST_TEST((tuf1::MatchTags(pattern, prefix, work) == tuf1::TagsMatch::kNone));
  BOOST_TEST(work.left > tuf1::MatchWork::kOfASearch / 2);
}

// The roles are had that a tag could lead to, and none behind a delegation where every tag ends.
BOOST_AUTO_TEST_CASE(FindTagRoles_FollowsEveryPatternThatSomeTagMatches) {
  server.Delegate("targets", "old", {"web:0.*"}, true);
  server.Delegate("targets", "team", {"web:*"}, true);
  server.Delegate("targets", "rest", {"*"});
  server.Delegate("team", "member", {"*"});
  PublishAndRefresh({"old", "team", "rest", "member"});
  const std::vector<std::string> expected = {"targets", "old", "team", "member"};
  BOOST_TEST(RolesOfTags() == expected, boost::test_tools::per_element());
  // A minute later a role of them has expired: nothing is known of the tags.
  const auto expired =
      tuf1::FindTagRoles(node->trusted, "web:", tuf1::Expiry::kEnforced, TimePoint::max(), {});
  BOOST_TEST(expired.failed.has_value());
}

// Whoever has some tags of an image may end the search for those, and for no other's.
BOOST_AUTO_TEST_CASE(FindTagRoles_DelegateOfSomeTagsEndsTheirSearch_OthersStay) {
  server.Delegate("targets", "ones", {"web:1*"});
  server.Delegate("targets", "team", {"web:*"});
  server.Delegate("ones", "end", {"*"}, true);
  PublishAndRefresh({"ones", "team", "end"});
  const std::vector<std::string> expected = {"targets", "ones", "end", "team"};
  BOOST_TEST(RolesOfTags() == expected, boost::test_tools::per_element());
}

// The search for a tag visits a role once: what it would end the second time has not ended.
BOOST_AUTO_TEST_CASE(FindTagRoles_RoleThatEndsIsCameToAgain_WhatWaitsStays) {
  server.Delegate("targets", "first", {"web:*"});
  server.Delegate("first", "second", {"web:*"});
  server.Delegate("first", "last", {"web:*"}, true);
  server.Delegate("second", "first", {"web:*"});
  server.Delegate("second", "team", {"web:*"});
  PublishAndRefresh({"first", "second", "team", "last"});
  auto roles = RolesOfTags();
  std::sort(roles.begin(), roles.end());
  const std::vector<std::string> expected = {"first", "last", "second", "targets", "team"};
  BOOST_TEST(roles == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(FindTagRoles_HandedOutByHash_AreInBins) {
  server.Delegate("targets", "hashed", {});
  auto& role = server["targets"].delegations["roles"][0];
  role.erase("paths");
  role["path_hash_prefixes"] = {"0", "1"};
  PublishAndRefresh({"hashed"});
  const auto roles =
      tuf1::FindTagRoles(node->trusted, "web:", tuf1::Expiry::kEnforced, TufPublisher::kNow, {});
  BOOST_TEST(roles.in_bins == "targets");
}

// Roles that delegate to each other: each way to one is another verification of its file.
BOOST_AUTO_TEST_CASE(FindTagRoles_WaysWithoutEnd_AreTooMany) {
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back("r" + std::to_string(i));
  server.Delegate("targets", "r0", {"web:*"});
  for (const std::string& from : names) {
    for (const std::string& to : names) {
      if (from != to) server.Delegate(from, to, {"web:1*"});
    }
  }
  PublishAndRefresh(names);
  const auto ended = [&](std::size_t delegations) {
    tuf1::Caps caps;
    caps.delegations = delegations;
    tuf1::RoleSearch search(node->trusted, {.name = "", .now = TufPublisher::kNow}, "web:", caps);
    while (search.Wanted()) search.Supply(server.Serve(search.Wanted()->file, 1 << 20));
    return std::holds_alternative<tuf1::Search::NotFound>(search.outcome());
  };
  BOOST_TEST(!ended(32));
  BOOST_TEST(ended(100));
}

// A class is as long as whoever is delegated to likes.
BOOST_AUTO_TEST_CASE(MatchPath_ClassOfAMegabyte_IsWorkForEachCharacter) {
  const std::string members(1 << 20, 'b');
  for (const std::string& pattern : {"*[" + members + "]x", "*[" + members}) {
    tuf1::MatchWork work;
    BOOST_TEST((tuf1::MatchPath(pattern, std::string(250, 'a'), work) == tuf1::PathMatch::kNo));
    BOOST_TEST(work.IsSpent());
  }
}

BOOST_AUTO_TEST_CASE(MatchPath_ManyStars_EndsSoon) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  tuf1::MatchWork work;
  BOOST_TEST(
      (tuf1::MatchPath(pattern + "*b", std::string(4000, 'a'), work) == tuf1::PathMatch::kNo));
  BOOST_TEST(!work.IsSpent());
}

// 16 MiB of them took minutes, at every decision about that name.
BOOST_AUTO_TEST_CASE(Find_PatternsThatAlmostMatch_EndTheSearch) {
  const std::string almost = "*" + std::string(120, 'a') + "b";
  server.Delegate("targets", "a", std::vector<std::string>(4000, almost));
  server.Delegate("targets", "b", {"*"});
  server.Sign("b", "web:1", "x");
  PublishAndRefresh({"a", "b"});
  BOOST_TEST(Find(std::string(250, 'a')) == "too-many");
  BOOST_TEST(Find("web:1") == "b");
}

// A file has room for a quarter of a million of them, and nobody's patterns are free.
BOOST_AUTO_TEST_CASE(Find_HashPrefixesWithoutEnd_EndTheSearch) {
  server.Delegate("targets", "a", {});
  auto& role = server["targets"].delegations["roles"][0];
  role.erase("paths");
  role["path_hash_prefixes"] = std::vector<std::string>(1000, std::string(64, 'x'));
  server.Sign("targets", "listed", "x");
  PublishAndRefresh({"a"});
  for (const std::size_t left : {100, 100'000}) {
    tuf1::MatchWork work{left};
    const auto next =
        node->trusted.roles.find("targets")->second.content->delegations()->For("web:1", work);
    BOOST_TEST(next.has_value() == (left > 1000));
    if (!next) BOOST_TEST((next.error().reason == Reason::kTooMany));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
