// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/checkpoint_mark.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string>

#include "tests/support/proxy/growth.h"

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
  const auto read = [](std::size_t objects) {
    std::string manifest = R"({"layers":[{})";
    for (std::size_t i = 0; i < objects; ++i) manifest += ",{}";
    BOOST_TEST(!MayBeCheckpoint(manifest + "]}"));
  };
  BOOST_TEST(GrowthOverEight(20'000, read) < kLinearOverEight);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
