// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/last_config.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

struct Node {
  Node() { std::filesystem::create_directory(State()); }

  std::string State() const { return folder.path() + "/state"; }
  std::string File(const std::string& name = "config.toml") const {
    return folder.path() + "/" + name;
  }
  void Write(const std::string& more, const std::string& name = "config.toml") const {
    std::ofstream(File(name)) << "state_dir = \"" << State() << "\"\n[default]\naction = \"deny\"\n"
                              << more;
  }
  void Keep() const { BOOST_REQUIRE(KeepTexts(State(), ReadConfigTexts(File(), "").value())); }

  TemporaryFolder folder;
};

constexpr char kRule[] = "[[rule]]\nimages = [\"a.example/**\"]\naction = \"allow\"\n";

BOOST_AUTO_TEST_SUITE(LastConfigTest)

BOOST_AUTO_TEST_CASE(Load_GoodFile_IsTheFile) {
  const Node node;
  node.Write("");
  node.Keep();
  node.Write(kRule);
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(start);
  BOOST_TEST(start->instead_of.empty());
  BOOST_TEST(start->config.policy->rules().size() == 2U);
}

BOOST_AUTO_TEST_CASE(Load_WrongFile_IsTheWholeSetThatWasKept) {
  const Node node;
  node.Write("");
  std::filesystem::create_directory(node.File("conf.d"));
  std::ofstream(node.File("conf.d/a.toml")) << kRule;
  node.Keep();
  node.Write("colour = 1\n");
  std::filesystem::remove_all(node.File("conf.d"));
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(start);
  BOOST_REQUIRE(start->instead_of.size() == 1U);
  BOOST_TEST(start->instead_of.front().what.find("\"colour\"") != std::string::npos);
  BOOST_TEST(start->config.policy->rules().size() == 2U);
}

BOOST_AUTO_TEST_CASE(Load_WrongFileOfConfD_IsTheWholeSetThatWasKept) {
  const Node node;
  node.Write(kRule);
  node.Keep();
  node.Write("");
  std::filesystem::create_directory(node.File("conf.d"));
  std::ofstream(node.File("conf.d/a.toml")) << "mode = \"audit\"\n";
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(start);
  BOOST_TEST(start->instead_of.size() == 1U);
  BOOST_TEST(start->config.policy->rules().size() == 2U);
}

BOOST_AUTO_TEST_CASE(Load_WrongFileAndNothingKept_SaysWhatIsWrong) {
  const Node node;
  node.Write("colour = 1\n");
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(!start);
  BOOST_TEST(start.error().size() == 1U);
}

BOOST_AUTO_TEST_CASE(Load_WhatWasKeptForAnotherFile_IsNotTaken) {
  const Node node;
  node.Write("");
  node.Keep();
  node.Write("colour = 1\n", "other.toml");
  BOOST_TEST(!LoadStartConfig(node.File("other.toml"), {}));
}

BOOST_AUTO_TEST_CASE(Load_WhatWasKeptAndIsDamaged_IsNotTaken) {
  const Node node;
  node.Write("colour = 1\n");
  for (const char* damaged : {"", "{", "[]", "{\"schema\":\"crivet.config/1\"}",
                              "{\"schema\":\"crivet.config/1\",\"texts\":[{}]}",
                              "{\"schema\":\"crivet.config/1\",\"texts\":[1]}",
                              "{\"schema\":\"crivet.config/1\",\"texts\":1}"}) {
    std::ofstream(node.State() + "/last-config.json") << damaged;
    BOOST_TEST(!LoadStartConfig(node.File(), {}), damaged);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
