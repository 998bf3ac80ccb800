// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/chain_id.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string>

#include "tests/support/proxy/growth.h"

namespace crivet::proxy {
namespace {

std::string Layer(char digit) { return "sha256:" + std::string(64, digit); }

std::string Config(const std::string& diff_ids) {
  return R"({"architecture":"amd64","rootfs":{"type":"layers","diff_ids":)" + diff_ids + "}}";
}

ContainerSpec UserNamespace() {
  return *ReadContainerSpec(R"({"linux":{
      "uidMappings":[{"containerID":0,"hostID":65536,"size":65536}],
      "gidMappings":[{"containerID":0,"hostID":131072,"size":65536}]}})");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ChainIdTest)

// The figures are those of the OCI image specification's own library (identity.ChainID), which
// hashes the chain so far, a blank and the next layer.
BOOST_AUTO_TEST_CASE(ChainOfLayers_IsTheHashOfTheChainBeforeAndTheNext) {
  BOOST_TEST(ChainIdOf({}) == "");
  BOOST_TEST(ChainIdOf({Layer('1')}) == Layer('1'));
  BOOST_TEST(ChainIdOf({Layer('1'), Layer('2')}) ==
             "sha256:9932074217c35353d2e03a3f5a86549f7c67bfeb0ba53e23d69f4d4c8f7958f5");
  BOOST_TEST(ChainIdOf({Layer('1'), Layer('2'), Layer('3')}) ==
             "sha256:50127c0d6b338be78246434b4bce23ecf75e505158ea0bbd15effeb162fbf3ec");
}

BOOST_AUTO_TEST_CASE(OrderOfLayers_Counts) {
  BOOST_TEST(ChainIdOf({Layer('1'), Layer('2')}) != ChainIdOf({Layer('2'), Layer('1')}));
}

BOOST_AUTO_TEST_CASE(Configuration_TellsItsLayers) {
  BOOST_TEST(ReadChainId(Config("[\"" + Layer('1') + "\",\"" + Layer('2') + "\"]")).value() ==
             ChainIdOf({Layer('1'), Layer('2')}));
  BOOST_TEST(ReadChainId(Config("[]")).value() == "");
  BOOST_TEST(ReadChainId(Config("null")).value() == "");
  // As Go reads them, the last counts.
  BOOST_TEST(ReadChainId(Config("[\"x\"],\"diff_ids\":null")).value() == "");
  BOOST_TEST(ReadChainId(Config("null,\"diff_ids\":[\"" + Layer('1') + "\"]")).value() ==
             Layer('1'));
}

BOOST_AUTO_TEST_CASE(ConfigurationWithALongHistory_IsReadWithoutIt) {
  std::string history = "[";
  for (int i = 0; i < 100'000; ++i) history += R"({"created_by":"rootfs","diff_ids":["x"]},)";
  history += "{}]";
  const std::string rootfs = R"("rootfs":{"diff_ids":[")" + Layer('7') + R"("]}})";
  BOOST_TEST(ReadChainId(R"({"history":)" + history + "," + rootfs).value() == Layer('7'));
}

// Whoever may push an image chooses what stands there; a parser that goes over an array once for
// each object in it was busy for minutes with this, and with it a thread that answers everybody.
BOOST_AUTO_TEST_CASE(ConfigurationMadeToKeepUsBusy_DoesNot) {
  const auto many = [](const std::string& piece, std::size_t pieces) {
    std::string text = "[" + piece;
    for (std::size_t i = 0; i < pieces; ++i) text += "," + piece;
    return text + "]";
  };
  for (const std::string other : {"{}", "[]", "0"}) {
    const auto read = [&](std::size_t pieces) {
      const std::string values = many(other, pieces);
      BOOST_TEST(ReadChainId(R"({"history":)" + values + R"(,"rootfs":{"other":)" + values +
                             R"(,"diff_ids":[")" + Layer('7') + R"("]}})")
                     .value_or("none") == Layer('7'));
    };
    BOOST_TEST(GrowthOverEight(20'000, read) < kLinearOverEight);
  }
  for (const char* layer : {R"("")", "{}", "[]"}) {
    BOOST_TEST(!ReadChainId(Config(many(layer, 200'000))));
  }
}

BOOST_AUTO_TEST_CASE(WhatIsNoConfiguration_HasNoChain) {
  for (const char* text : {"", "[]", "{", "{}", R"({"rootfs":[]})", R"({"rootfs":{}} )",
                           R"({"rootfs":{"diff_ids":[1]}})", R"({"rootfs":{"diff_ids":"x"}})",
                           R"({"other":{"rootfs":{"diff_ids":["x"]}}})"}) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(ReadChainId(text).value_or("") == ""); }
  }
  BOOST_TEST(!ReadChainId("{}"));
  BOOST_TEST(!ReadChainId(Config("[1]")));
  BOOST_TEST(!ReadChainId(R"({"other":{"rootfs":{"diff_ids":["x"]}}})"));
}

BOOST_AUTO_TEST_CASE(Spec_TellsMountsAndMappings) {
  const auto spec = ReadContainerSpec(
      R"({"mounts":[{"destination":"/data","source":"/x/y","type":"bind"},7,{}],"linux":{}})");
  BOOST_TEST_REQUIRE(spec.has_value());
  BOOST_TEST_REQUIRE(spec->mounts.size() == 2U);
  BOOST_TEST(spec->mounts[0].destination == "/data");
  BOOST_TEST(spec->mounts[0].source == "/x/y");
  BOOST_TEST(spec->uid_mappings.empty());
  BOOST_TEST(!ReadContainerSpec("nonsense"));
  BOOST_TEST(UserNamespace().gid_mappings.at(0).host_id == 131072U);
}

BOOST_AUTO_TEST_CASE(TextsThatAreNotUtf8_AreThoseOfTheSpec) {
  const auto spec =
      ReadContainerSpec("{\"mounts\":[{\"destination\":\"/a\\ufffd\\ufffd/b\",\"source\":\"\"}]}");
  BOOST_TEST_REQUIRE(spec.has_value());
  BOOST_TEST(spec->mounts.at(0).destination == TextInSpec("/a\xe2\x82/b"));
  BOOST_TEST(TextInSpec("/data/\xc3\xa9") == "/data/\xc3\xa9");
  BOOST_TEST(TextInSpec("/a\xff") != TextInSpec("/a"));
}

BOOST_AUTO_TEST_CASE(RemappedCopy_IsNamedAsContainerdNamesIt) {
  const auto names = RemappedNames(Layer('1'), UserNamespace());
  BOOST_TEST_REQUIRE(names.size() == 2U);
  BOOST_TEST(names[0] == Layer('1') + "-65536-131072");
  BOOST_TEST(names[1] == "sha256:c8f56f68667386d52ab6dfe906792aa3acbe3c212665f60bc07c6527c95a46c6");
}

BOOST_AUTO_TEST_CASE(WithoutAUserNamespace_ThereIsNoCopy) {
  BOOST_TEST(RemappedNames(Layer('1'), ContainerSpec()).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
