// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/explain.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "trust/base/fetch_cause.h"
#include "trust/kinds.h"
#include "trust/notary/notary_demand.h"
#include "trust/notary/notary_kind.h"

namespace crivet::proxy::cli {
namespace {

using nlohmann::json;

constexpr trust::TimePoint kNow{std::chrono::seconds{1'800'000'000}};
const std::string kHex(64, 'e');

std::shared_ptr<const trust::SignedPart> Part(trust::SignedPart part) {
  return std::make_shared<const trust::SignedPart>(std::move(part));
}

trust::Decision DecisionOf(trust::Verdict verdict) {
  auto rule = std::make_shared<trust::Rule>();
  rule->name = "acme";
  rule->action = trust::Action::kVerify;
  rule->members = {{"acme", "https://notary.example", &trust::NotaryKind(),
                    std::make_shared<trust::NotaryDemand>()}};
  trust::Decision decision;
  decision.verdict = std::move(verdict);
  decision.applied.rule = rule;
  decision.applied.collections = {
      trust::CollectionId{"notary", "https://notary.example", "registry.example/web"}};
  decision.evidence.parts = {
      Part({"targets", 7, kNow + std::chrono::hours{1}, {std::string(64, 'a')}, 1}),
      Part({"targets/releases", 0, {}, {}, 0})};
  decision.evidence.asked_end = 2;
  decision.evidence.vouching = {"targets"};
  return decision;
}

Explained ExplainedOf(trust::Verdict verdict) {
  Explained explained;
  explained.image = "registry.example/web:2.1";
  explained.canonical = explained.image;
  explained.decision = DecisionOf(std::move(verdict));
  return explained;
}

Explained Allowed() { return ExplainedOf(trust::Allow{*trust::Sha256Digest::FromHex(kHex)}); }

bool HasLine(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

BOOST_AUTO_TEST_SUITE(ExplainTest)

BOOST_AUTO_TEST_CASE(Rollback_OfARepositoryOfManyImages_IsForgottenByItsTrust) {
  Explained refused = ExplainedOf(trust::Deny{trust::Reason::kRollback, "older"});
  BOOST_TEST(NextStep(refused).find("crivet forget registry.example/web:2.1") != std::string::npos);
  auto rule = std::make_shared<trust::Rule>(*refused.decision.applied.rule);
  rule->members.front().kind = trust::FindKind(trust::AllKinds(), "tuf");
  refused.decision.applied.rule = rule;
  BOOST_TEST(NextStep(refused).find("crivet forget --trust acme registry.example/web:2.1") !=
             std::string::npos);
}

// Who signs for a mirror signs under the name at home.
BOOST_AUTO_TEST_CASE(Refused_ImageOfAMirror_IsToBeSignedUnderItsName) {
  Explained refused = ExplainedOf(trust::Deny{trust::Reason::kTagNotSigned, "tag is not signed"});
  refused.decision.applied.signed_as = {
      trust::ImageReference::Parse("home.example/web:2.1").value()};
  BOOST_TEST(NextStep(refused).find("docker trust sign home.example/web:2.1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Allowed_Image_IsPinned) {
  BOOST_TEST(PinnedName(Allowed()) == "registry.example/web@sha256:" + kHex);
  BOOST_TEST((ExitOf(Allowed().decision) == Exit::kDone));
  BOOST_TEST(NextStep(Allowed()).empty());
}

BOOST_AUTO_TEST_CASE(RefusedImage_ThatTheNodeHas_IsToBeRemovedByItsId) {
  Explained refused = ExplainedOf(trust::Deny{trust::Reason::kTagNotSigned, "tag is not signed"});
  BOOST_TEST(!HasLine(ExplainToPeople(refused, kNow), "crictl rmi"));
  refused.held_id = "sha256:" + kHex;
  BOOST_TEST(HasLine(ExplainToPeople(refused, kNow), "crictl rmi sha256:" + kHex));
  BOOST_TEST(json::parse(ExplainAsJson(refused, kNow)).at("held_id") == "sha256:" + kHex);
}

BOOST_AUTO_TEST_CASE(AllowRule_PinsNothing) {
  BOOST_TEST(PinnedName(ExplainedOf(trust::Allow{})) == "registry.example/web:2.1");
}

BOOST_AUTO_TEST_CASE(Refused_Image_HasNoPinnedName) {
  const auto refused = ExplainedOf(trust::Deny{trust::Reason::kTagNotSigned, "tag is not signed"});
  BOOST_TEST(PinnedName(refused).empty());
  BOOST_TEST((ExitOf(refused.decision) == Exit::kDenied));
  const auto away = ExplainedOf(trust::Unavailable{trust::Reason::kExpired, "expired"});
  BOOST_TEST((ExitOf(away.decision) == Exit::kUnavailable));
}

BOOST_AUTO_TEST_CASE(Explanation_FitsAScreenAndNamesWhatDecided) {
  auto refused = ExplainedOf(trust::Deny{trust::Reason::kTagNotSigned, "tag is not signed"});
  refused.pod_namespace = "prod-a";
  const auto lines = ExplainToPeople(refused, kNow);
  BOOST_TEST(lines.size() <= 24U);
  BOOST_TEST(HasLine(lines, "namespace          prod-a"));
  BOOST_TEST(HasLine(lines, "\"acme\": verify with [trust.acme], enforced"));
  BOOST_TEST(HasLine(lines, "registry.example/web at https://notary.example"));
  BOOST_TEST(HasLine(lines,
                     "version 7, expires 2027-01-15T09:00:00Z, signed by aaaaaaaaaaaa (1 "
                     "needed)"));
  BOOST_TEST(HasLine(lines, "targets/releases   nothing is signed by it"));
  BOOST_TEST(HasLine(lines, "DENIED: tag is not signed [tag-not-signed]"));
  BOOST_TEST(HasLine(lines, "docker trust sign registry.example/web:2.1"));
}

BOOST_AUTO_TEST_CASE(Explanation_MarksWhatHasExpired) {
  const auto lines = ExplainToPeople(Allowed(), kNow + std::chrono::hours{2});
  BOOST_TEST(HasLine(lines, "version 7, EXPIRED 2027-01-15T09:00:00Z"));
}

BOOST_AUTO_TEST_CASE(EveryReason_HasANextStep) {
  for (const trust::Reason reason : trust::kAllReasons) {
    BOOST_TEST(!NextStep(ExplainedOf(trust::Refusal(reason, "found"))).empty(),
               trust::CodeOf(reason));
  }
}

// The publisher cannot help a rule whose roles are misspelt.
BOOST_AUTO_TEST_CASE(RoleThatNobodyDelegates_LeadsToTheRule_NotToThePublisher) {
  auto refused = ExplainedOf(trust::Deny{trust::Reason::kTagNotSigned, "tag is not signed"});
  BOOST_TEST(NextStep(refused).find("docker trust sign") != std::string::npos);
  refused.decision.evidence.parts = {Part({"targets/realeases", 0, {}, {}, 0})};
  refused.decision.evidence.asked_end = 1;
  BOOST_TEST(NextStep(refused) ==
             "look at the rule's roles and signers: nobody delegates to targets/realeases");
  // Delegated, and empty.
  refused.decision.evidence.parts = {Part({"targets/realeases", 0, {}, {}, 1})};
  BOOST_TEST(NextStep(refused).find("docker trust sign") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(CauseOfAFailedRefresh_IsToldInFull_WithItsOwnNextStep) {
  trust::RefreshFailure failure{.error = {trust::Reason::kUnreachable, "root cannot be had"},
                                .at = "root",
                                .cause = trust::NetworkCause::kServerError,
                                .not_found = false,
                                .newer_anchors = std::nullopt};
  failure.why = std::make_shared<const trust::FetchCause>(
      trust::FetchCause{.kind = trust::FetchCause::Kind::kStatus,
                        .host = "notary.example",
                        .status = 405,
                        .retry_after = std::chrono::seconds(9)});
  auto away = ExplainedOf(trust::Refusal(trust::Reason::kUnreachable, "answers with an error"));
  away.view.failure = std::make_shared<const trust::RefreshFailure>(failure);
  const auto lines = ExplainToPeople(away, kNow);
  BOOST_TEST(HasLine(lines, "status 405, content trust is not enabled there"));
  BOOST_TEST(HasLine(lines, "what now           enable content trust on that server"));
  const json out = json::parse(ExplainAsJson(away, kNow));
  BOOST_TEST(out.at("why").at("status") == 405);
  BOOST_TEST(out.at("why").at("retry_after_s") == 9);
  BOOST_TEST(out.at("message").get<std::string>().find("405") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(Rollback_PrintsTheCommandThatForgets) {
  const auto refused = ExplainedOf(trust::Deny{trust::Reason::kRollback, "version 3 after 4"});
  BOOST_TEST(NextStep(refused).find("crivet forget registry.example/web:2.1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(RefreshThatIsARollback_PrintsTheCommandThatForgets_WhateverTheLastSetAnswers) {
  const trust::RefreshFailure failure{
      .error = {trust::Reason::kRollback, "timestamp version 3 is older than version 4"},
      .at = "timestamp",
      .cause = std::nullopt,
      .not_found = false,
      .newer_anchors = std::nullopt};
  const auto unsigned_tag = trust::Refusal(trust::Reason::kTagNotSigned, "tag is not signed");
  for (Explained explained : {Allowed(), ExplainedOf(unsigned_tag)}) {
    explained.view.failure = std::make_shared<const trust::RefreshFailure>(failure);
    BOOST_TEST(NextStep(explained).find("crivet forget registry.example/web:2.1") !=
               std::string::npos);
  }
  auto denied = ExplainedOf(trust::Refusal(trust::Reason::kDenied, "refused by the default"));
  denied.view.failure = std::make_shared<const trust::RefreshFailure>(failure);
  BOOST_TEST(NextStep(denied).find("forget") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(OldPin_PrintsTheNewKey) {
  auto allowed = Allowed();
  allowed.decision.evidence.pin_instead = std::string(64, 'b');
  BOOST_TEST(NextStep(allowed).find(std::string(64, 'b')) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Json_HasItsPromisedMembers) {
  const auto refused = ExplainedOf(trust::Deny{trust::Reason::kTagNotSigned, "tag is not signed"});
  const json out = json::parse(ExplainAsJson(refused, kNow));
  BOOST_TEST(out.at("image") == "registry.example/web:2.1");
  BOOST_TEST(out.at("canonical") == "registry.example/web:2.1");
  BOOST_TEST(out.at("verdict") == "deny");
  BOOST_TEST(out.at("digest") == "");
  BOOST_TEST(out.at("reason") == "tag-not-signed");
  BOOST_TEST(out.at("rule") == "acme");
  BOOST_TEST(out.at("message") ==
             "SignatureValidationFailed: registry.example/web:2.1: tag is not signed [rule "
             "\"acme\", tag-not-signed]");
  BOOST_TEST(out.at("roles").size() == 2U);
  BOOST_TEST(out.at("roles")[0].at("signed_by")[0] == std::string(64, 'a'));
  BOOST_TEST(out.at("roles")[0].at("vouches") == true);
  BOOST_TEST(out.at("roles")[1].at("vouches") == false);
  const json allowed = json::parse(ExplainAsJson(Allowed(), kNow));
  BOOST_TEST(allowed.at("verdict") == "allow");
  BOOST_TEST(allowed.at("digest") == "sha256:" + kHex);
  BOOST_TEST(allowed.at("message") == "");
}

BOOST_AUTO_TEST_CASE(Json_OfTextThatIsNotUtf8_IsStillJson) {
  auto refused = ExplainedOf(trust::Deny{trust::Reason::kNotAReference, "no reference"});
  refused.image = "\xFF\"\n";
  refused.canonical.clear();
  const std::string line = ExplainAsJson(refused, kNow);
  BOOST_TEST(line.find('\n') == std::string::npos);
  BOOST_TEST(json::accept(line));
}

BOOST_AUTO_TEST_CASE(Worst_OfSeveral_FollowsTheOrder) {
  BOOST_TEST((Worst(Exit::kDone, Exit::kDenied) == Exit::kDenied));
  BOOST_TEST((Worst(Exit::kUnavailable, Exit::kDenied) == Exit::kUnavailable));
  BOOST_TEST((Worst(Exit::kUnavailable, Exit::kInternal) == Exit::kInternal));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy::cli
