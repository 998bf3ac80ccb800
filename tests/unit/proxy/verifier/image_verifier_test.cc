// SPDX-License-Identifier: Apache-2.0
#include "proxy/verifier/image_verifier.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

const std::string kDigest = "sha256:" + std::string(64, '1');

BOOST_AUTO_TEST_SUITE(ImageVerifierTest)

BOOST_AUTO_TEST_CASE(Arguments_AsContainerdGivesThem) {
  const auto question =
      ReadVerifierArguments({"-name", "r.example/web:1", "-digest", kDigest, "-stdin-media-type",
                             "application/vnd.oci.descriptor.v1+json"});
  BOOST_REQUIRE(question);
  BOOST_TEST(question->name == "r.example/web:1");
  BOOST_TEST(question->digest == kDigest);
}

BOOST_AUTO_TEST_CASE(Arguments_InTheOtherFormsOfGoFlags) {
  const auto question =
      ReadVerifierArguments({"--digest=" + kDigest, "-newer", "x", "--name", "web"});
  BOOST_REQUIRE(question);
  BOOST_TEST(question->name == "web");
  BOOST_TEST(question->digest == kDigest);
}

// The name is the one thing in there that a stranger chooses.
BOOST_AUTO_TEST_CASE(Arguments_AValueThatLooksLikeAFlag_IsAValue) {
  const auto question = ReadVerifierArguments({"-name", "-digest=x", "-digest", kDigest});
  BOOST_REQUIRE(question);
  BOOST_TEST(question->name == "-digest=x");
  BOOST_TEST(question->digest == kDigest);
}

BOOST_AUTO_TEST_CASE(Arguments_MissingEmptyOrTwice_AreNone) {
  BOOST_TEST(!ReadVerifierArguments({}));
  BOOST_TEST(!ReadVerifierArguments({"-name", "web"}));
  BOOST_TEST(!ReadVerifierArguments({"-name", "web", "-digest"}));
  BOOST_TEST(!ReadVerifierArguments({"-name", "", "-digest", kDigest}));
  BOOST_TEST(!ReadVerifierArguments({"-name", "a", "-name", "b", "-digest", kDigest}));
}

BOOST_AUTO_TEST_CASE(Program_IsToldByItsName) {
  BOOST_TEST(IsImageVerifier("/opt/containerd/image-verifier/bin/crivet-image-verifier"));
  BOOST_TEST(IsImageVerifier("crivet-image-verifier"));
  BOOST_TEST(!IsImageVerifier("/usr/bin/crivet"));
  BOOST_TEST(!IsImageVerifier("/usr/bin/not-crivet-image-verifier"));
  BOOST_TEST(!IsImageVerifier(""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
