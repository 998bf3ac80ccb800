// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/checkpoint_mark.h"

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <string>

namespace crivet::proxy {

BOOST_AUTO_TEST_SUITE(CheckpointMarkTest)

BOOST_AUTO_TEST_CASE(Mark_CountsWhereverItIsAName) {
  for (const char* manifest : {R"({"annotations":{"org.criu.checkpoint.container.name":"x"}})",
                               R"({"Annotations":{"io.podman.annotations.checkpoint.x":null}})",
                               R"({"a":[{"io.kubernetes.cri-o.annotations.checkpoint.y":1}]})"}) {
    BOOST_TEST(MayBeCheckpoint(manifest), manifest);
  }
  BOOST_TEST(!MayBeCheckpoint(R"({"annotations":{"x":"org.criu.checkpoint.container.name"}})"));
  BOOST_TEST(!MayBeCheckpoint("{}"));
}

BOOST_AUTO_TEST_CASE(WhatIsNoManifest_MayBeOneElsewhere) {
  for (const char* text : {"", "{", "[]", "null", "7", R"("x")", "{}{}", "[{}]", "{\"a\":\xff}"}) {
    BOOST_TEST(MayBeCheckpoint(text), text);
  }
}

// Whoever may push an image chooses what stands there; a parser that goes over an array once for
// each object in it was busy for minutes with this, and with it a thread that answers everybody.
BOOST_AUTO_TEST_CASE(ManifestMadeToKeepUsBusy_DoesNot) {
  std::string manifest = R"({"layers":[{})";
  for (int i = 0; i < 200'000; ++i) manifest += ",{}";
  manifest += "]}";
  const std::clock_t before = std::clock();
  BOOST_TEST(!MayBeCheckpoint(manifest));
  BOOST_TEST(std::clock() - before < 2 * CLOCKS_PER_SEC);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
