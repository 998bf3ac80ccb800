// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/refusal_text.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace crivet::trust {
namespace {

BOOST_AUTO_TEST_SUITE(RefusalTextTest)

BOOST_AUTO_TEST_CASE(Reason_IsFoundInWhatServersAnswer) {
  const auto reason = [](const char* body) { return ReasonIn(body, Sent::kNothingSecret); };
  BOOST_TEST(reason(R"({"errors":[{"code":"DENIED","message":"not for you"},{"code":"X"}]})") ==
             "DENIED: not for you");
  BOOST_TEST(reason(R"({"errors":[{"code":"UNSUPPORTED"}]})") == "UNSUPPORTED");
  BOOST_TEST(reason(R"({"error":"invalid_grant","error_description":"expired"})") == "expired");
  BOOST_TEST(reason(R"({"details":"incorrect username or password"})") ==
             "incorrect username or password");
  BOOST_TEST(reason("<html><head><title>Blocked by\nthe firewall</title></head>") ==
             "Blocked by the firewall");
  BOOST_TEST(reason("no such door\nsecond line") == "no such door");
  BOOST_TEST(reason("<html>").empty());
  BOOST_TEST(reason("").empty());
  BOOST_TEST(reason(R"({"errors":[]})").empty());
  BOOST_TEST(reason(R"({"errors":["x",7]})").empty());
}

BOOST_AUTO_TEST_CASE(AnswerToWhatHeldSecrets_IsNeverQuoted) {
  const auto reason = [](const char* body) { return ReasonIn(body, Sent::kSecrets); };
  BOOST_TEST(reason(R"({"errors":[{"code":"DENIED","message":"alice:s3cret is wrong"}]})") ==
             "DENIED");
  BOOST_TEST(reason(R"({"errors":[{"code":"s3cret"}]})").empty());
  BOOST_TEST(reason("Basic YWxpY2U6czNjcmV0").empty());
  BOOST_TEST(reason("<title>s3cret</title>").empty());
  BOOST_TEST(reason(R"({"error":"s3cret"})").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
