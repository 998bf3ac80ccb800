// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/later_questions.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Pulls = LaterQuestions::Pulls;

constexpr LaterQuestions::Time kFirstAsked{1000s};

/// Questions of one node, named by what they ask; each of a repository on a server of its own.
struct LaterOfANode {
  void Add(const std::string& repository, const std::string& subject,
           LaterQuestions::Time now = kFirstAsked) {
    AddTo("server of " + repository, repository, subject, now);
  }
  void AddTo(const std::string& server, const std::string& repository, const std::string& subject,
             LaterQuestions::Time now = kFirstAsked, const std::string& rule = "rule") {
    questions.Add({server, rule, repository, repository + ':' + subject, {}}, now);
  }
  /// What is asked now; nothing is "".
  std::string Next(Pulls pulls = Pulls::kNone, LaterQuestions::Time now = kFirstAsked) {
    const auto next = questions.Next(pulls, now);
    if (!next) return "";
    last_server = next->server;
    return next->subject;
  }
  /// As Next, and it has ended.
  std::string Answered() {
    std::string subject = Next();
    questions.Ended(last_server);
    return subject;
  }

  LaterQuestions questions;
  std::string last_server;
};

BOOST_FIXTURE_TEST_SUITE(LaterQuestionsTest, LaterOfANode)

BOOST_AUTO_TEST_CASE(WhilePullsWait_NoneIsAsked_UntilItHasWaitedForTheLongestTime) {
  Add("web", "1");
  Add("db", "1", kFirstAsked + 1s);
  BOOST_TEST(Next(Pulls::kWait, kFirstAsked + LaterQuestions::kLongestWait - 1ms) == "");
  BOOST_TEST((questions.NextDue() == kFirstAsked + LaterQuestions::kLongestWait));
  BOOST_TEST(Next(Pulls::kWait, kFirstAsked + LaterQuestions::kLongestWait) == "web:1");
  BOOST_TEST(Next(Pulls::kWait, kFirstAsked + LaterQuestions::kLongestWait) == "");
  BOOST_TEST((questions.NextDue() == kFirstAsked + LaterQuestions::kLongestWait + 1s));
  BOOST_TEST(Next(Pulls::kNone, kFirstAsked + LaterQuestions::kLongestWait) == "db:1");
  BOOST_TEST((questions.NextDue() == std::nullopt));
}

BOOST_AUTO_TEST_CASE(Repositories_TakeTurns) {
  for (const char* subject : {"1", "2", "3"}) Add("web", subject);
  Add("db", "1");
  Add("db", "2");
  std::string order;
  while (questions.size() > 0) order += Answered() + ' ';
  BOOST_TEST(order == "web:1 db:1 web:2 db:2 web:3 ");
}

BOOST_AUTO_TEST_CASE(AServer_IsAskedOneAtATime_AndHoldsUpNoOther) {
  AddTo("slow", "web", "1");
  AddTo("slow", "db", "1");
  AddTo("fast", "api", "1");
  BOOST_TEST(Next() == "web:1");
  BOOST_TEST(Next() == "api:1");
  BOOST_TEST(Next() == "");
  BOOST_TEST((questions.NextDue() == std::nullopt));
  questions.Ended("slow");
  BOOST_TEST(Next() == "db:1");
}

BOOST_AUTO_TEST_CASE(SoManyAtOnce_AndNoMore) {
  for (std::size_t i = 0; i <= LaterQuestions::kAtOnce; ++i) Add(std::to_string(i), "1");
  for (std::size_t i = 0; i < LaterQuestions::kAtOnce; ++i) BOOST_TEST(Next() != "");
  BOOST_TEST(Next() == "");
  BOOST_TEST((questions.NextDue() == std::nullopt));
  questions.Ended("server of 0");
  BOOST_TEST(Next() != "");
}

BOOST_AUTO_TEST_CASE(TheSame_IsAskedOnce) {
  for (int i = 0; i < 3; ++i) Add("web", "1", kFirstAsked + i * 1s);
  BOOST_TEST(questions.size() == 1U);
  BOOST_TEST((questions.NextDue() == kFirstAsked + LaterQuestions::kLongestWait));
}

BOOST_AUTO_TEST_CASE(OneRepositorysQuestionsWithoutEnd_PushOutItsOldest_AndNobodyElses) {
  Add("victim", "1");
  for (std::size_t i = 0; i < 3 * LaterQuestions::kMost; ++i) Add("evil", std::to_string(i));
  BOOST_TEST(questions.size() == 1 + LaterQuestions::kMostOfRepository);
  BOOST_TEST(Answered() == "victim:1");
  BOOST_TEST(Answered() == "evil:" + std::to_string(3 * LaterQuestions::kMost -
                                                    LaterQuestions::kMostOfRepository));
}

BOOST_AUTO_TEST_CASE(RepositoriesWithoutEnd_PushOutNothingOfAnotherRule_NorWhoHasFewer) {
  const std::size_t repositories = 2 * LaterQuestions::kMost;
  AddTo("s", "of another rule", "1", kFirstAsked, "theirs");
  AddTo("s", "of another rule", "2", kFirstAsked, "theirs");
  Add("was before", "1");
  for (std::size_t i = 0; i < repositories; ++i)
    Add("evil" + std::to_string(i % 1000), std::to_string(i));
  BOOST_TEST(questions.size() == LaterQuestions::kMost);
  std::string others;
  while (questions.size() > 0) {
    const std::string subject = Answered();
    if (!subject.starts_with("evil")) others += subject + ' ';
  }
  BOOST_TEST(others == "of another rule:1 was before:1 of another rule:2 ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
