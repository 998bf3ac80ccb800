// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_texts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "proxy/config/config.h"
#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

/// A configuration file in a folder of its own.
class ConfigFolder {
 public:
  ConfigFolder() {
    Write("config.toml", "[default]\naction = \"deny\"\n");
    std::filesystem::create_directory(folder_.path() + "/conf.d");
    Mode("conf.d", 0755);
  }
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::ofstream(Path(name)) << text;
    Mode(name, mode);
  }
  void Mode(const std::string& name, mode_t mode) const {
    BOOST_REQUIRE(chmod(Path(name).c_str(), mode) == 0);
  }
  tl::expected<ConfigTexts, std::vector<ConfigError>> Read() const {
    return ReadConfigTexts(Path("config.toml"), "");
  }
  /// What is wrong, without the folder's name.
  std::string Wrong() const {
    const auto config = LoadConfig(Path("config.toml"));
    std::string all;
    if (config) return all;
    for (const ConfigError& error : config.error()) all += error.ToString() + "\n";
    for (std::size_t at = 0; (at = all.find(folder_.path())) != std::string::npos;) {
      all.erase(at, folder_.path().size() + 1);
    }
    return all;
  }

 private:
  TemporaryFolder folder_;
};

std::string Trust(const std::string& label) {
  return "[trust." + label + "]\nkind = \"notary\"\nurl = \"https://" + label +
         ".example\"\nauth = \"none\"\n";
}

std::string Rule(const std::string& images, const std::string& more = "") {
  return "[[rule]]\nimages = [\"" + images + "\"]\naction = \"deny\"\n" + more;
}

BOOST_AUTO_TEST_SUITE(ConfigTextsTest)

BOOST_AUTO_TEST_CASE(Read_TakesTheFolderByNameAndNothingElseInIt) {
  const ConfigFolder folder;
  for (const char* name : {"20-b.toml", "10-a.toml", "README", "x.toml.bak", ".#hidden.toml"}) {
    folder.Write(std::string("conf.d/") + name, "");
  }
  const auto texts = folder.Read();
  BOOST_REQUIRE(texts);
  std::vector<std::string> files;
  for (const ConfigText& text : *texts) files.push_back(text.file);
  const std::vector<std::string> expected = {
      folder.Path("config.toml"), folder.Path("conf.d/10-a.toml"), folder.Path("conf.d/20-b.toml")};
  BOOST_TEST(files == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Load_TrustsAndRulesAddUp) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", Trust("a") + Rule("a.example/**"));
  folder.Write("conf.d/b.toml",
               "[[rule]]\nimages = [\"b.example/**\"]\naction = \"verify\"\ntrust = \"a\"\n"
               "root = { tofu = true }\n");
  const auto config = LoadConfig(folder.Path("config.toml"));
  BOOST_REQUIRE_MESSAGE(config, folder.Wrong());
  BOOST_TEST(config->servers.size() == 1U);
  BOOST_TEST(config->policy->rules().size() == 3U);
  BOOST_TEST(config->files.size() == 3U);
}

BOOST_AUTO_TEST_CASE(Load_AnythingElseInAFile_IsAnErrorWithItsPlace) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", "mode = \"audit\"\n[default]\naction = \"allow\"\n");
  const std::string all =
      "has no place in conf.d: its files have [trust.*] and [[rule]], and all else stands in the "
      "configuration file itself\n";
  BOOST_TEST(folder.Wrong() ==
             "conf.d/a.toml:1:1: \"mode\" " + all + "conf.d/a.toml:2:2: \"default\" " + all);
}

BOOST_AUTO_TEST_CASE(Load_ATrustTwice_NamesBothPlaces) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", Trust("a"));
  folder.Write("conf.d/b.toml", "\n" + Trust("a"));
  BOOST_TEST(folder.Wrong().find("conf.d/b.toml:2:8: [trust.a] stands in ") == 0U);
  BOOST_TEST(folder.Wrong().find("conf.d/a.toml:1 too\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Load_RulesThatTie_NameBothPlaces) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", "\n" + Rule("a.example/**"));
  folder.Write("conf.d/b.toml", Rule("b.example/*") + Rule("a.example/**", "name = \"b\"\n"));
  const std::string wrong = folder.Wrong();
  BOOST_TEST(wrong.find("conf.d/b.toml:4:1: rules ") == 0U);
  BOOST_TEST(wrong.find("conf.d/a.toml:2\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Load_RulesOfOneName_NameBothPlaces) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", Rule("a.example/**", "name = \"x\"\n"));
  folder.Write("conf.d/b.toml", Rule("b.example/**", "name = \"x\"\n"));
  BOOST_TEST(folder.Wrong() ==
             "conf.d/b.toml:1:1: the rule in conf.d/a.toml:1 is called \"x\" too\n");
}

BOOST_AUTO_TEST_CASE(Load_MistakesOfEveryFile_AreAllNamed) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", "= 1\n");
  folder.Write("conf.d/b.toml", "x = \n");
  BOOST_TEST(folder.Wrong().find("conf.d/a.toml:1:1: ") == 0U);
  BOOST_TEST(folder.Wrong().find("\nconf.d/b.toml:1:") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Load_WrongTypes_AreErrorsWithTheirPlaces) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", "rule = 1\ntrust = 2\n");
  BOOST_TEST(folder.Wrong() ==
             "conf.d/a.toml:1:1: write each rule as [[rule]]\n"
             "conf.d/a.toml:2:1: write each trust as [trust.LABEL]\n");
}

BOOST_AUTO_TEST_CASE(Read_WhatOthersMayWrite_IsRefused) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", Rule("a.example/**"), 0664);
  BOOST_TEST(folder.Wrong() ==
             "conf.d/a.toml: may be written by others than its owner: chmod go-w that one\n");
  folder.Mode("conf.d/a.toml", 0644);
  folder.Mode("conf.d", 0777);
  BOOST_TEST(folder.Wrong() ==
             "conf.d: may be written by others than its owner: chmod go-w that one\n");
}

BOOST_AUTO_TEST_CASE(
    Read_AnothersFile_IsRefused,
    *boost::unit_test::precondition([](auto) -> boost::test_tools::assertion_result {
      return geteuid() == 0;  // who else may give files away
    })) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", Rule("a.example/**"));
  BOOST_REQUIRE(chown(folder.Path("conf.d/a.toml").c_str(), 1234, 0) == 0);
  BOOST_TEST(folder.Wrong() ==
             "conf.d/a.toml: belongs to user 1234: only root and the owner of the configuration "
             "file may say what runs\n");
  BOOST_REQUIRE(chown(folder.Path("config.toml").c_str(), 1234, 0) == 0);
  BOOST_TEST(folder.Wrong() == "");
}

BOOST_AUTO_TEST_CASE(Read_ALinkOrAPipe_IsRefused) {
  const ConfigFolder folder;
  folder.Write("a.toml", Rule("a.example/**"));
  BOOST_REQUIRE(symlink("../a.toml", folder.Path("conf.d/a.toml").c_str()) == 0);
  BOOST_REQUIRE(mkfifo(folder.Path("conf.d/b.toml").c_str(), 0644) == 0);
  BOOST_TEST(folder.Wrong() ==
             "conf.d/a.toml: is a symbolic link, and not a regular file\n"
             "conf.d/b.toml: is not a regular file\n");
}

BOOST_AUTO_TEST_CASE(Read_TooManyFiles_IsRefused) {
  const ConfigFolder folder;
  for (std::size_t i = 0; i < kMostConfigTexts; ++i) {
    folder.Write("conf.d/" + std::to_string(i) + ".toml", "");
  }
  BOOST_TEST(folder.Wrong() == "conf.d: more than 255 files\n");
}

BOOST_AUTO_TEST_CASE(Read_OfAnotherMachine_LooksInItsFolderAlone) {
  const ConfigFolder folder;
  folder.Write("conf.d/a.toml", Rule("a.example/**"));
  const auto texts = ReadConfigTexts("/config.toml", folder.Path(""));
  BOOST_REQUIRE(texts);
  BOOST_REQUIRE(texts->size() == 2U);
  BOOST_TEST((*texts)[1].file == "/conf.d/a.toml");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
