// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/refused_text.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "proxy/cli/screen.h"

namespace crivet::proxy::cli {
namespace {

admin::v1::JudgedImage Use(const std::string& image, const std::string& digest,
                           const std::string& container) {
  admin::v1::JudgedImage use;
  use.set_image(image);
  use.set_digest(digest);
  use.set_container(container);
  use.set_verdict("deny");
  use.set_reason("denied");
  use.set_rule("default");
  use.set_message("SignatureValidationFailed: " + image +
                  ": refused by the default [default, denied]");
  return use;
}

std::string Text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

const std::string kA = "sha256:" + std::string(64, 'a');

BOOST_AUTO_TEST_SUITE(RefusedTextTest)

BOOST_AUTO_TEST_CASE(NamesOfOneImageAndItsContainers_AreOneGroup) {
  const auto images =
      GroupByImage({Use("x.example/web@" + kA, kA, ""), Use("x.example/web:1", kA, ""),
                    Use("y.example/web:1", kA, ""), Use("x.example/web:1", "", "prod/a/app"),
                    Use("x.example/web:1", "", "prod/b/app")});
  BOOST_REQUIRE(images.size() == 2U);
  BOOST_TEST(images[0].name == "x.example/web:1");
  BOOST_TEST(images[0].containers.size() == 2U);
  BOOST_TEST(images[1].name == "y.example/web:1");
  BOOST_TEST(Text(RefusedForPeople(images, kScreenWidth)) ==
             "x.example/web:1\n"
             "  refused by the default [default, denied]\n"
             "  used by: prod/a/app, prod/b/app\n"
             "y.example/web:1\n"
             "  refused by the default [default, denied]\n"
             "  used by: no running container\n");
}

BOOST_AUTO_TEST_CASE(WhatNeedsAPodsSecretAlone_ComesApart) {
  auto secret = Use("x.example/private:1", "", "");
  secret.set_needs_secret(true);
  auto both = Use("x.example/both:1", "", "");
  both.set_needs_secret(true);
  const auto images = GroupByImage(
      {secret, both, Use("x.example/both:1", "", "prod/a/app"), Use("x.example/web:1", "", "")});
  BOOST_REQUIRE(images.size() == 3U);
  BOOST_TEST(images[0].needs_secret);
  BOOST_TEST(!images[1].needs_secret);
  const std::string text = Text(RefusedForPeople(images, kScreenWidth));
  BOOST_TEST(text.find("x.example/both:1") < text.find("x.example/web:1"));
  BOOST_TEST(text.find("x.example/web:1") < text.find("These have to be pulled once"));
  BOOST_TEST(text.find("These have to be pulled once") < text.find("x.example/private:1"));
  admin::v1::LookedAt looked_at;
  looked_at.set_images(7);
  BOOST_TEST(RefusedTotal(images, looked_at)
                 .find("3 images (of 7 on this node) and 1 of 0 running "
                       "containers, 1 of the images until a pull with "
                       "its secret") == 0U);
}

BOOST_AUTO_TEST_CASE(SandboxImage_CountsAndIsSaid) {
  auto pause = Use("registry.k8s.io/pause:3.9", "", "");
  pause.set_sandbox(true);
  const auto images = GroupByImage({Use("registry.k8s.io/pause:3.9", kA, ""), pause});
  BOOST_REQUIRE(images.size() == 1U);
  BOOST_TEST(RefusedForPeople(images, kScreenWidth).back() == "  used by: every pod's sandbox");
  admin::v1::LookedAt looked_at;
  looked_at.set_images(3);
  looked_at.set_containers(1);
  looked_at.set_sandbox_image("registry.k8s.io/pause:3.9");
  BOOST_TEST(
      RefusedTotal(images, looked_at) ==
      "1 image (of 3 on this node) and 0 of 1 running container; the sandbox image is refused, "
      "and with it every pod");
}

BOOST_AUTO_TEST_CASE(Rules_AreForWhatNoRuleIsFor_OneARegistry) {
  auto unsigned_tag = Use("x.example/signed:2", "", "");
  unsigned_tag.set_rule("acme");
  unsigned_tag.set_reason("tag-not-signed");
  auto denied = Use("evil.example/a:1", "", "");
  denied.set_rule("no evil");
  const auto images = GroupByImage({Use("x.example/web:1", kA, ""), Use("x.example/web:2", "", ""),
                                    Use("nginx", "", ""), unsigned_tag, denied});
  BOOST_TEST(Text(RulesToPaste(images)) ==
             "[[rule]]\nname   = \"docker.io\"\nimages = [\n  \"docker.io/library/nginx\",\n]\n"
             "action = \"allow\"\n\n"
             "[[rule]]\nname   = \"x.example\"\nimages = [\n  \"x.example/web\",\n]\n"
             "action = \"allow\"\n");
  BOOST_TEST(RulesToPaste(GroupByImage({unsigned_tag, denied})).empty());
}

BOOST_AUTO_TEST_CASE(Json_SaysWhatItIs) {
  const auto line = nlohmann::json::parse(RefusedAsJson(Use("x.example/web:1", kA, "p/a/c")));
  BOOST_TEST(line["schema"] == "crivet.would-refuse/1");
  BOOST_TEST(line["sandbox"] == false);
  BOOST_TEST(line["container"] == "p/a/c");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy::cli
