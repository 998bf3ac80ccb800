// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/policy.h"

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/trust/notary_rule.h"

namespace crivet::trust {
namespace {

const TimePoint kNow = ParseRfc3339("2026-11-24T09:12:00Z").value();

ImageReference Reference(std::string_view text) { return ImageReference::Parse(text).value(); }

NotaryRule AllowRule(std::string name, std::vector<std::string_view> images,
                     std::vector<std::string> namespaces = {}) {
  NotaryRule rule;
  rule.name = std::move(name);
  for (const std::string_view text : images) {
    rule.images.push_back(ImagePattern::Parse(text).value());
  }
  rule.namespaces = std::move(namespaces);
  rule.action = Action::kAllow;
  return rule;
}

NotaryRule VerifyRule(std::string name, std::vector<std::string_view> images) {
  NotaryRule rule = AllowRule(std::move(name), std::move(images));
  rule.action = Action::kVerify;
  rule.url = "https://notary.example";
  rule.roles = {RoleName::Targets()};
  return rule;
}

NotaryRule Mirror(std::string_view images, std::string_view gun) {
  NotaryRule rule = VerifyRule("mirror", {images});
  rule.gun = ImagePattern::ParseMapping(gun).value();
  return rule;
}

NotaryRule Default() {
  NotaryRule rule;
  rule.name = "default";
  return rule;
}

Policy PolicyOf(std::vector<NotaryRule> rules) {
  return Policy::Create({rules.begin(), rules.end()}, Default()).value();
}

std::string Chosen(const Policy& policy, std::string_view image,
                   const PodNamespace& pod_namespace = NoNamespace{}) {
  return policy.RuleFor(Reference(image), pod_namespace, kNow).rule->name;
}

std::vector<std::string> NamesOf(const std::vector<AppliedRule>& rules) {
  std::vector<std::string> names;
  for (const AppliedRule& applied : rules) names.push_back(applied.rule->name);
  return names;
}

std::string WhyRefused(std::vector<NotaryRule> rules, NotaryRule fallback = Default()) {
  const auto policy = Policy::Create({rules.begin(), rules.end()}, fallback);
  if (policy) return "";
  BOOST_CHECK(policy.error().reason == Reason::kMalformed);
  return policy.error().detail;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

BOOST_AUTO_TEST_SUITE(PolicyTest)

BOOST_AUTO_TEST_CASE(RuleFor_NothingMatches_IsTheDefault) {
  const Policy policy = PolicyOf({AllowRule("a", {"r.example/a"})});
  BOOST_TEST(Chosen(policy, "r.example/b") == "default");
  BOOST_TEST(policy.RuleFor(Reference("r.example/b"), NoNamespace{}, kNow).rule->is_default);
}

BOOST_AUTO_TEST_CASE(RuleFor_MostSpecificWins_WhateverTheOrder) {
  std::vector<NotaryRule> rules{AllowRule("all", {"r.example/**"}),
                                AllowRule("one", {"r.example/*"}),
                                AllowRule("web", {"r.example/web"}), AllowRule("any", {"**"})};
  for (int order = 0; order < 4; ++order) {
    std::rotate(rules.begin(), rules.begin() + 1, rules.end());
    const Policy policy = PolicyOf(rules);
    BOOST_TEST(Chosen(policy, "r.example/web") == "web");
    BOOST_TEST(Chosen(policy, "r.example/api") == "one");
    BOOST_TEST(Chosen(policy, "r.example/shop/api") == "all");
    BOOST_TEST(Chosen(policy, "nginx") == "any");
  }
}

BOOST_AUTO_TEST_CASE(RuleFor_AliasOfDockerHub_IsAnotherName) {
  const Policy policy = PolicyOf({AllowRule("hub", {"docker.io/**"})});
  BOOST_TEST(Chosen(policy, "nginx") == "hub");
  BOOST_TEST(Chosen(policy, "index.docker.io/library/nginx") == "hub");
  BOOST_TEST(Chosen(policy, "DOCKER.IO/nginx") == "default");
  BOOST_TEST(Chosen(policy, "docker.io:443/library/nginx") == "default");
  BOOST_TEST(Chosen(policy, "registry-1.docker.io/library/nginx") == "default");
}

BOOST_AUTO_TEST_CASE(RuleFor_Namespaces_BeforeTheSamePatternWithout) {
  const Policy policy = PolicyOf({AllowRule("every", {"r.example/**"}),
                                  AllowRule("prod", {"r.example/**"}, {"prod-*", "live"})});
  BOOST_TEST(Chosen(policy, "r.example/a", std::string("prod-eu")) == "prod");
  BOOST_TEST(Chosen(policy, "r.example/a", std::string("live")) == "prod");
  BOOST_TEST(Chosen(policy, "r.example/a", std::string("test")) == "every");
}

BOOST_AUTO_TEST_CASE(RuleFor_WithoutSandboxConfig_MatchesNoRuleWithNamespaces) {
  const Policy policy = PolicyOf({AllowRule("prod", {"r.example/**"}, {"*"})});
  BOOST_TEST(Chosen(policy, "r.example/a", NoNamespace{}) == "default");
  BOOST_TEST(Chosen(policy, "r.example/a", std::string("")) == "prod");
}

BOOST_AUTO_TEST_CASE(RuleFor_PatternBeforeNamespaces) {
  const Policy policy = PolicyOf(
      {AllowRule("web", {"r.example/web"}), AllowRule("prod", {"r.example/**"}, {"prod"})});
  BOOST_TEST(Chosen(policy, "r.example/web", std::string("prod")) == "web");
}

BOOST_AUTO_TEST_CASE(RuleFor_UntilReached_TheRuleNoLongerExists) {
  NotaryRule glass = AllowRule("glass", {"r.example/web"});
  glass.until = kNow + std::chrono::seconds{1};
  const Policy policy = PolicyOf({glass, AllowRule("all", {"r.example/**"})});
  const ImageReference web = Reference("r.example/web");
  BOOST_TEST(policy.RuleFor(web, NoNamespace{}, kNow).rule->name == "glass");
  BOOST_TEST(policy.RuleFor(web, NoNamespace{}, *glass.until).rule->name == "all");
  BOOST_TEST(NamesOf(policy.RulesFor(web, *glass.until)) == std::vector<std::string>{"all"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(RuleFor_Verify_ReadsTheCollectionOfTheName) {
  const Policy policy = PolicyOf({VerifyRule("v", {"docker.io/**"})});
  const AppliedRule applied = policy.RuleFor(Reference("nginx:1"), NoNamespace{}, kNow);
  BOOST_REQUIRE(applied.collections.size() == 1 && applied.collections.front());
  BOOST_TEST(applied.collections.front()->url == "https://notary.example");
  BOOST_TEST(applied.collections.front()->name == "docker.io/library/nginx");
}

BOOST_AUTO_TEST_CASE(RuleFor_AllowAndDeny_ReadNothing) {
  const Policy policy = PolicyOf({AllowRule("a", {"r.example/**"})});
  BOOST_TEST(policy.RuleFor(Reference("r.example/a"), NoNamespace{}, kNow).collections.empty());
  BOOST_TEST(policy.RuleFor(Reference("nginx"), NoNamespace{}, kNow).collections.empty());
}

BOOST_AUTO_TEST_CASE(RuleFor_DefaultThatVerifies_ReadsTheCollectionOfTheName) {
  NotaryRule fallback = VerifyRule("default", {});
  fallback.images.clear();
  const Policy policy = Policy::Create({}, fallback).value();
  const AppliedRule applied = policy.RuleFor(Reference("r.example/a"), NoNamespace{}, kNow);
  BOOST_REQUIRE(applied.collections.size() == 1 && applied.collections.front());
  BOOST_TEST(applied.collections.front()->name == "r.example/a");
}

struct MirrorRow {
  const char* images;
  const char* gun;
  const char* image;
  const char* signed_as;  // empty: no GUN comes out
  friend std::ostream& operator<<(std::ostream& out, const MirrorRow& row) {
    return out << row.image << " as " << row.gun;
  }
};

const MirrorRow kMirrors[] = {
    {"m.example/docker.io/**", "docker.io/**", "m.example/docker.io/acme/web",
     "docker.io/acme/web"},
    {"m.example/docker.io/**", "docker.io/**", "m.example/docker.io/library/nginx",
     "docker.io/library/nginx"},
    {"m.example/docker.io/**", "docker.io/**", "m.example/docker.io/nginx",
     "docker.io/library/nginx"},
    {"m.example/hub/*", "docker.io/*", "m.example/hub/nginx", "docker.io/library/nginx"},
    {"m.example/*/**", "*/**", "m.example/quay.io/acme/web", "quay.io/acme/web"},
    // Only docker.io has a library.
    {"m.example/quay/*", "quay.io/*", "m.example/quay/web", "quay.io/web"},
    // The `**` took nothing, and a host alone is no collection.
    {"m.example/docker.io/**", "docker.io/**", "m.example/docker.io", ""},
    // `acme/web` without its host is no collection either.
    {"m.example/**", "**", "m.example/acme/web", ""},
};

BOOST_DATA_TEST_CASE(RuleFor_Mirror_ReadsTheNameThatWasSigned, kMirrors, row) {
  const Policy policy = PolicyOf({Mirror(row.images, row.gun)});
  const AppliedRule applied = policy.RuleFor(Reference(row.image), NoNamespace{}, kNow);
  BOOST_TEST(applied.rule->name == "mirror");
  BOOST_TEST((applied.collections.front() ? applied.collections.front()->name : "") ==
             row.signed_as);
  const ImageReference image = Reference(row.image);
  BOOST_TEST(applied.NameFor(0, image).repository() ==
             (applied.collections.front() ? row.signed_as : image.repository()));
}

BOOST_AUTO_TEST_CASE(RuleFor_Mirror_AsksForTheTagAndDigestThatWereWritten) {
  const Policy policy = PolicyOf({Mirror("m.example/**", "r.example/**"), VerifyRule("v", {"**"})});
  const ImageReference image = Reference("m.example/web:1@sha256:" + std::string(64, 'a'));
  const AppliedRule applied = policy.RuleFor(image, NoNamespace{}, kNow);
  BOOST_TEST(
      (applied.NameFor(0, image) == Reference("r.example/web:1@sha256:" + std::string(64, 'a'))));
  const ImageReference other = Reference("other.example/web:1");
  BOOST_TEST((policy.RuleFor(other, NoNamespace{}, kNow).NameFor(0, other) == other));
}

BOOST_AUTO_TEST_CASE(RulesFor_EveryRuleThatSomePodCouldMeet_MostSpecificFirst) {
  const Policy policy =
      PolicyOf({AllowRule("all", {"r.example/**"}), AllowRule("a", {"r.example/**"}, {"a"}),
                AllowRule("b", {"r.example/**"}, {"b"}), AllowRule("web", {"r.example/web"}, {"c"}),
                AllowRule("any", {"**"})});
  BOOST_TEST(NamesOf(policy.RulesFor(Reference("r.example/web"), kNow)) ==
                 (std::vector<std::string>{"web", "a", "b", "all"}),
             boost::test_tools::per_element());
  BOOST_TEST(NamesOf(policy.RulesFor(Reference("nginx"), kNow)) == std::vector<std::string>{"any"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(RulesFor_OnlyRulesWithNamespaces_EndsWithTheDefault) {
  const Policy policy = PolicyOf({AllowRule("a", {"r.example/**"}, {"a"})});
  BOOST_TEST(NamesOf(policy.RulesFor(Reference("r.example/x"), kNow)) ==
                 (std::vector<std::string>{"a", "default"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(RulesFor_ARuleOfEveryNamespace_IsTheLast) {
  const Policy policy = PolicyOf({AllowRule("every", {"r.example/**"}, {"*"})});
  BOOST_TEST(
      NamesOf(policy.RulesFor(Reference("r.example/x"), kNow)) == std::vector<std::string>{"every"},
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(RulesFor_TwoPatternsOfOneRule_NameItOnce) {
  const Policy policy = PolicyOf({AllowRule("a", {"r.example/web", "r.example/**"}, {"a"})});
  BOOST_TEST(NamesOf(policy.RulesFor(Reference("r.example/web"), kNow)) ==
                 (std::vector<std::string>{"a", "default"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Create_SamePatternTwice_IsATie) {
  const std::string why =
      WhyRefused({AllowRule("one", {"r.example/**"}), AllowRule("two", {"r.example/**"})});
  BOOST_TEST(Contains(why, "\"one\""));
  BOOST_TEST(Contains(why, "\"two\""));
}

BOOST_AUTO_TEST_CASE(Create_OtherPatternsOfTheSameNames_AreATie) {
  BOOST_TEST(!WhyRefused({AllowRule("one", {"r.example/**/a/**"}),
                          AllowRule("two", {"r.example/**/b/**"})})
                  .empty());
}

BOOST_AUTO_TEST_CASE(Create_TieBehindOtherPatterns_IsFound) {
  BOOST_TEST(!WhyRefused({AllowRule("one", {"r.example/**"}), AllowRule("x", {"x.example/**"}),
                          AllowRule("y", {"y.example/**"}), AllowRule("two", {"r.example/**"})})
                  .empty());
}

BOOST_AUTO_TEST_CASE(Create_EquallySpecificPatternsThatShareNoName_AreNoTie) {
  BOOST_TEST(
      WhyRefused({AllowRule("one", {"r.example/a"}), AllowRule("two", {"r.example/b"})}).empty());
}

BOOST_AUTO_TEST_CASE(Create_SamePatternDisjointNamespaces_IsNoTie) {
  BOOST_TEST(WhyRefused({AllowRule("one", {"r.example/**"}, {"prod-*"}),
                         AllowRule("two", {"r.example/**"}, {"test-*"}),
                         AllowRule("three", {"r.example/**"})})
                 .empty());
}

BOOST_AUTO_TEST_CASE(Create_SamePatternOverlappingNamespaces_IsATie) {
  BOOST_TEST(!WhyRefused({AllowRule("one", {"r.example/**"}, {"prod-*"}),
                          AllowRule("two", {"r.example/**"}, {"test", "*-eu"})})
                  .empty());
}

BOOST_AUTO_TEST_CASE(Create_GunWithOtherWildcards_IsRefused) {
  BOOST_TEST(Contains(WhyRefused({Mirror("m.example/**", "docker.io/*")}), "wildcards"));
  NotaryRule two = Mirror("m.example/**", "docker.io/**");
  two.images.push_back(ImagePattern::Parse("n.example/*").value());
  BOOST_TEST(Contains(WhyRefused({two}), "n.example/*"));
}

BOOST_AUTO_TEST_CASE(Create_OneMirrorThatCouldReadTwoCollectionsForAName_IsATie) {
  NotaryRule rule = Mirror("m.example/**/a/**", "**/**");
  rule.images.push_back(ImagePattern::Parse("m.example/**/b/**").value());
  BOOST_TEST(!WhyRefused({rule}).empty());
}

BOOST_AUTO_TEST_CASE(Create_RuleWithoutWhatItsActionNeeds_IsRefused) {
  BOOST_TEST(Contains(WhyRefused({AllowRule("none", {})}), "no images"));
  Rule no_trust = VerifyRule("v", {"r.example/**"});
  no_trust.members.clear();
  BOOST_TEST(!Policy::Create({no_trust}, Default()).has_value());
  Rule no_demand = VerifyRule("v", {"r.example/**"});
  no_demand.members.front().demand = nullptr;
  BOOST_TEST(!Policy::Create({no_demand}, Default()).has_value());
  Rule allows_by_trust = VerifyRule("v", {"r.example/**"});
  allows_by_trust.action = Action::kAllow;
  BOOST_TEST(!Policy::Create({allows_by_trust}, Default()).has_value());
  NotaryRule deny_until = AllowRule("d", {"r.example/**"});
  deny_until.action = Action::kDeny;
  deny_until.until = kNow;
  BOOST_TEST(!WhyRefused({deny_until}).empty());
  BOOST_TEST(!WhyRefused({AllowRule("a", {"r.example/**"}, {""})}).empty());
  BOOST_TEST(!WhyRefused({}, AllowRule("default", {"r.example/**"})).empty());
}

BOOST_AUTO_TEST_CASE(ReadersOf_TheCollectionsOfItsNamesOnItsServer) {
  const Policy policy = PolicyOf({VerifyRule("v", {"r.example/shop/**"})});
  const auto readers = [&](const CollectionId& id) { return policy.ReadersOf(id).size(); };
  const std::string server = "https://notary.example";
  BOOST_TEST(readers(NotaryCollection(server, "r.example/shop/web")) == 1u);
  BOOST_TEST(readers(NotaryCollection(server, "r.example/web")) == 0u);
  BOOST_TEST(readers(NotaryCollection("https://other.example", "r.example/shop/web")) == 0u);
  BOOST_TEST(readers({"another kind", server, "r.example/shop/web"}) == 0u);
}

struct MayReadRow {
  const char* images;
  const char* gun;
  const char* collection;
  bool may;
  friend std::ostream& operator<<(std::ostream& out, const MayReadRow& row) {
    return out << row.gun << " and " << row.collection;
  }
};

const MayReadRow kMayRead[] = {
    {"m.example/docker.io/**", "docker.io/**", "docker.io/acme/web", true},
    {"m.example/docker.io/**", "docker.io/**", "m.example/docker.io/acme/web", false},
    {"m.example/hub/*", "docker.io/*", "docker.io/library/nginx", true},
    {"m.example/hub/*", "docker.io/*", "docker.io/acme/nginx", false},
    {"m.example/hub/*/*", "docker.io/*/*", "docker.io/library/nginx", true},
};

BOOST_DATA_TEST_CASE(ReadersOf_AMirror_IsWhatItsGunGives, kMayRead, row) {
  const Policy policy = PolicyOf({Mirror(row.images, row.gun)});
  const CollectionId id = NotaryCollection("https://notary.example", row.collection);
  BOOST_TEST(policy.ReadersOf(id).empty() != row.may);
}

std::vector<std::string> UnreachableOf(std::vector<NotaryRule> rules) {
  std::vector<std::string> names;
  for (const auto& rule : PolicyOf(std::move(rules)).Unreachable()) names.push_back(rule->name);
  return names;
}

BOOST_AUTO_TEST_CASE(Unreachable_MoreSpecificRulesLeaveItNoName) {
  BOOST_TEST(
      UnreachableOf({AllowRule("deep", {"r.example/*/**"}), AllowRule("all", {"r.example/**"}),
                     AllowRule("some", {"r.example/*"})}) == std::vector<std::string>{"all"},
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Unreachable_OnePatternIsLeft_IsReachable) {
  BOOST_TEST(UnreachableOf({AllowRule("deep", {"r.example/*/**"}),
                            AllowRule("all", {"r.example/**", "s.example/**"})})
                 .empty());
}

BOOST_AUTO_TEST_CASE(Unreachable_CoveredForSomePodsOrForATime_IsReachable) {
  NotaryRule ends = AllowRule("ends", {"r.example/*/**"});
  ends.until = kNow;
  BOOST_TEST(UnreachableOf({ends, AllowRule("all", {"r.example/**"})}).empty());
  BOOST_TEST(UnreachableOf({AllowRule("some", {"r.example/*/**"}, {"prod"}),
                            AllowRule("all", {"r.example/**"})})
                 .empty());
}

BOOST_AUTO_TEST_CASE(RolesRead_RolesAndSignersOnce) {
  NotaryRule rule = VerifyRule("v", {"r.example/**"});
  const RoleName alice = RoleName::Parse("targets/alice").value();
  rule.signers = {alice, RoleName::Targets()};
  BOOST_CHECK(rule.RolesRead() == (std::vector<RoleName>{RoleName::Targets(), alice}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
