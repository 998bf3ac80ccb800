// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/pod_answers.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace crivet::proxy {
namespace {

PodAnswers::Answer Denied(std::string_view pod) {
  return {pod, "docker.io/acme/web:1", "deny tag-not-signed", "acme", "enforce"};
}

BOOST_AUTO_TEST_SUITE(PodAnswersTest)

BOOST_AUTO_TEST_CASE(Retries_OfOnePod_AreToldFromOtherPods) {
  PodAnswers answers;
  BOOST_TEST(answers.Count(Denied("a")) == 0U);
  BOOST_TEST(answers.Count(Denied("a")) == 1U);
  BOOST_TEST(answers.Count(Denied("b")) == 0U);
  BOOST_TEST(answers.Count(Denied("a")) == 2U);
}

BOOST_AUTO_TEST_CASE(AnotherAnswer_ForTheSamePod_IsNoRetry) {
  PodAnswers answers;
  auto answer = Denied("a");
  BOOST_TEST(answers.Count(answer) == 0U);
  answer.verdict = "allow";
  BOOST_TEST(answers.Count(answer) == 0U);
  answer.canonical = "docker.io/acme/web:2";
  BOOST_TEST(answers.Count(answer) == 0U);
  answer.mode = "audit";
  BOOST_TEST(answers.Count(answer) == 0U);
}

BOOST_AUTO_TEST_CASE(Memory_IsBounded_AndKeepsWhatComesAgain) {
  PodAnswers answers;
  for (std::size_t i = 0; i < 2 * PodAnswers::kMost; ++i) {
    BOOST_REQUIRE(answers.Count(Denied("other" + std::to_string(i))) == 0U);
    BOOST_REQUIRE(answers.Count(Denied("busy")) == i);
  }
  BOOST_TEST(answers.Count(Denied("other0")) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
