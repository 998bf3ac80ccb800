// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/manifest_digests.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/proxy/growth.h"

namespace crivet::proxy {
namespace {

std::string ListOf(const std::string& element, std::size_t count) {
  std::string list = "[" + element;
  for (std::size_t i = 1; i < count; ++i) list += "," + element;
  return list + "]";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ManifestDigestsTest)

BOOST_AUTO_TEST_CASE(Manifest_NamesItsConfiguration) {
  const ManifestDigests read = ReadManifestDigests(
      R"({"schemaVersion":2,"config":{"size":7,"annotations":{"digest":"not it"},"digest":"sha256:c"},)"
      R"("layers":[{"digest":"sha256:l"}],"subject":{"digest":"sha256:s"}})");
  BOOST_TEST(read.config == "sha256:c");
  BOOST_TEST(read.manifests.empty());
}

BOOST_AUTO_TEST_CASE(Index_NamesItsManifests) {
  const ManifestDigests read = ReadManifestDigests(
      R"({"manifests":[{"digest":"sha256:a","platform":{"digest":"not it"}},{"size":1},null,"x",7,)"
      R"([{"digest":"not it"}],{"platform":{"os":"linux"},"digest":"sha256:b"}],"digest":"not it"})");
  BOOST_TEST(read.config.empty());
  BOOST_TEST(read.manifests == (std::vector<std::string>{"sha256:a", "sha256:b"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(WhatIsNoDescriptor_SaysNothing) {
  for (const char* text :
       {"", "null", "7", "\"digest\"", "[]", R"([{"config":{"digest":"a"}}])", R"({"config":"a"})",
        R"({"config":[{"digest":"a"}]})", R"({"config":{"digest":7}})", R"({"config":null})",
        R"({"manifests":{"digest":"a"}})", R"({"manifests":"a"})", R"({"digest":"a"})",
        R"({"x":{"config":{"digest":"a"},"manifests":[{"digest":"a"}]}})",
        R"({"config":{"x":{"digest":"a"}}})", R"({"config":{"digest":"a"})"}) {
    const ManifestDigests read = ReadManifestDigests(text);
    BOOST_TEST_INFO(text);
    BOOST_TEST(read.config.empty());
    BOOST_TEST_INFO(text);
    BOOST_TEST(read.manifests.empty());
  }
}

BOOST_AUTO_TEST_CASE(EmptyListsAndObjects_LeaveWhatFollows) {
  const ManifestDigests read = ReadManifestDigests(
      R"({"manifests":[],"x":[{"digest":"not it"}],"config":{},"y":{"digest":"not it"},)"
      R"("manifests":[{},[],{"digest":"sha256:a"}]})");
  BOOST_TEST(read.config.empty());
  BOOST_TEST(read.manifests == std::vector<std::string>{"sha256:a"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ManifestsBeyondTheCap_AreNotKept) {
  const std::string index = R"({"manifests":)" + ListOf(R"({"digest":"sha256:a"})", 100'000) + "}";
  BOOST_TEST(ReadManifestDigests(index).manifests.size() == 64U);
}

// Whoever may push an image chooses what stands there.
BOOST_AUTO_TEST_CASE(ManifestMadeToKeepUsBusy_DoesNot) {
  for (const std::string element : {"{}", "[]", "1", "\"\"", "null", R"({"digest":{}})"}) {
    const auto read = [&](std::size_t count) {
      const std::string values = ListOf(element, count);
      const ManifestDigests digests = ReadManifestDigests(
          R"({"manifests":)" + values + R"(,"layers":)" + values + R"(,"config":{"digest":"c"}})");
      BOOST_TEST(digests.config == "c");
      BOOST_TEST(digests.manifests.empty());
    };
    BOOST_TEST(GrowthOverEight(20'000, read) < kLinearOverEight);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
