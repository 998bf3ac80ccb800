// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/auth_file.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/trust_io/temporary_folder.h"

namespace crivet::trust {
namespace {

// `NAME:secret`, encoded.
std::string Entry(const std::string& name) {
  return R"({"auth":")" + ToBase64(AsBytes(name + ":secret")) + R"("})";
}

/// What a file with these `auths` has for a collection, asked of a server: the user's name, or
/// nothing.
class File {
 public:
  explicit File(const std::string& text) : path_(folder_ / "config.json") {
    std::ofstream(path_) << text;
  }

  AuthFileAnswer Ask(const std::string& gun,
                     const std::string& server = "https://notary.example") const {
    const auto answer = CredentialsInAuthFile(path_, HttpUrl::Parse(server).value(), gun);
    BOOST_REQUIRE_MESSAGE(answer, answer.error().detail);
    return *answer;
  }
  std::string UserFor(const std::string& gun,
                      const std::string& server = "https://notary.example") const {
    const AuthFileAnswer answer = Ask(gun, server);
    return answer.credentials ? answer.credentials->username : "";
  }
  const std::string& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

std::string Auths(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text;
  for (const auto& [key, user] : entries) {
    text += (text.empty() ? "" : ",") + ('"' + key + "\":") + Entry(user);
  }
  return R"({"auths":{)" + text + "}}";
}

BOOST_AUTO_TEST_SUITE(AuthFileTest)

BOOST_AUTO_TEST_CASE(EntryOfAnotherPath_IsNeverUsed) {
  const File file(Auths({{"r.example/team-a", "a"}, {"r.example/team-b", "b"}}));
  BOOST_TEST(file.UserFor("r.example/team-a/web") == "a");
  BOOST_TEST(file.UserFor("r.example/team-b/web") == "b");
  BOOST_TEST(file.UserFor("r.example/team-c/web") == "");
  // A path is compared by whole components.
  BOOST_TEST(file.UserFor("r.example/team-ab/web") == "");
  BOOST_TEST(file.UserFor("r.example/team") == "");
}

BOOST_AUTO_TEST_CASE(LongestPath_Counts_WhateverTheOrder) {
  for (const auto& entries :
       {Auths({{"r.example", "all"}, {"r.example/a/b", "b"}, {"r.example/a", "a"}}),
        Auths({{"r.example/a", "a"}, {"r.example/a/b", "b"}, {"r.example", "all"}})}) {
    const File file(entries);
    BOOST_TEST(file.UserFor("r.example/a/b/web") == "b");
    BOOST_TEST(file.UserFor("r.example/a/b") == "b");
    BOOST_TEST(file.UserFor("r.example/a/web") == "a");
    BOOST_TEST(file.UserFor("r.example/c/web") == "all");
    BOOST_TEST(file.UserFor("s.example/a/b") == "");
  }
}

BOOST_AUTO_TEST_CASE(ServersOwnEntry_CountsFirst) {
  const File file(Auths({{"r.example/a", "a"}, {"notary.example", "own"}, {"*.example", "any"}}));
  BOOST_TEST(file.UserFor("r.example/a/web") == "own");
  const File with_port(Auths({{"notary.example", "own"}, {"notary.example:4443", "port"}}));
  BOOST_TEST(with_port.UserFor("r.example/a/web", "https://notary.example:4443") == "port");
  BOOST_TEST(with_port.UserFor("r.example/a/web", "https://notary.example:4444") == "own");
}

// Harbor: Notary on a port of the registry's own host.
BOOST_AUTO_TEST_CASE(ServerOnTheRegistrysHost_ItsPathsAreToldApart) {
  const File file(Auths({{"r.example", "all"}, {"r.example/team-a", "a"}}));
  BOOST_TEST(file.UserFor("r.example/team-a/web", "https://r.example:4443") == "a");
  BOOST_TEST(file.UserFor("r.example/team-b/web", "https://r.example:4443") == "all");
  const File paths(Auths({{"r.example/team-a", "a"}}));
  BOOST_TEST(paths.UserFor("r.example/team-b/web", "https://r.example:4443") == "");
}

// A registry that is asked for signatures beside its images.
BOOST_AUTO_TEST_CASE(RegistryItself_IsAskedAsItsImagesAre) {
  const File file(Auths({{"r.example:5000", "all"},
                         {"r.example:5000/team", "team"},
                         {"s.example", "another port's"},
                         {"t.example:443", "t"}}));
  BOOST_TEST(file.UserFor("r.example:5000/team/web", "https://r.example:5000") == "team");
  BOOST_TEST(file.UserFor("r.example:5000/web", "https://r.example:5000") == "all");
  BOOST_TEST(file.UserFor("s.example:5000/web", "https://s.example:5000") == "");
  BOOST_TEST(file.UserFor("s.example/web", "https://s.example") == "another port's");
  BOOST_TEST(file.UserFor("t.example/web", "https://t.example") == "t");
}

BOOST_AUTO_TEST_CASE(Wildcards_AreKubelets) {
  const File file(Auths({{"*.r.example", "any"},
                         {"eu?.r.example", "eu"},
                         {"[ab].s.example", "ab"},
                         {"s.zone[12]", "zone"},
                         {"*.r.example:5000", "port"},
                         {"*.r.example/team-a", "a"},
                         {"us.r.example", "us"}}));
  BOOST_TEST(file.UserFor("x.r.example/web") == "any");
  BOOST_TEST(file.UserFor("x.r.example/team-a/web") == "a");
  BOOST_TEST(file.UserFor("us.r.example/web") == "us");
  BOOST_TEST(file.UserFor("b.s.example/web") == "ab");
  BOOST_TEST(file.UserFor("c.s.example/web") == "");
  BOOST_TEST(file.UserFor("s.zone2/web") == "zone");
  BOOST_TEST(file.UserFor("x.r.example:5000/web") == "port");
  BOOST_TEST(file.UserFor("x.r.example:5001/web") == "");
  // No wildcard crosses a dot, and each name needs its own.
  BOOST_TEST(file.UserFor("x.y.r.example/web") == "");
  BOOST_TEST(file.UserFor("r.example/web") == "");
}

BOOST_AUTO_TEST_CASE(KeysOfOldLogins_AreTheHostAlone) {
  for (const char* key : {"https://index.docker.io/v1/", "docker.io", "index.docker.io/v1",
                          "https://index.docker.io/v2/", "HTTPS://index.docker.io/v1/"}) {
    const bool is_url = std::string(key).starts_with("HTTPS");
    BOOST_TEST(File(Auths({{key, "hub"}})).UserFor("docker.io/acme/web") == (is_url ? "" : "hub"),
               key);
  }
  BOOST_TEST(File(Auths({{"http://R.example/", "r"}})).UserFor("r.example/web") == "r");
}

BOOST_AUTO_TEST_CASE(EveryFormOfASecret_IsRead) {
  const File file(
      R"({"auths":{"r.example":{"auth":"YWxpY2U6YTpi"},
          "s.example:5000":{"identitytoken":"i","registrytoken":"r"}}})");
  const auto basic = file.Ask("r.example/web").credentials;
  BOOST_REQUIRE(basic);
  BOOST_TEST(basic->username == "alice");
  BOOST_TEST(basic->password == "a:b");
  const auto tokens = file.Ask("s.example:5000/web").credentials;
  BOOST_REQUIRE(tokens);
  BOOST_TEST(tokens->identity_token == "i");
  BOOST_TEST(tokens->registry_token == "r");
}

BOOST_AUTO_TEST_CASE(Explanation_NamesTheEntry_OrWhatCannotBeUsed_AndNoSecret) {
  const File file(Auths({{"r.example", "robot"}}));
  BOOST_TEST(file.Ask("r.example/web").explanation == "with the entry r.example of " + file.path());
  BOOST_TEST(file.Ask("s.example/web").explanation ==
             "without credentials: " + file.path() +
                 " has none for notary.example or s.example/web");
  const File helpers(
      R"({"auths":{"r.example":{}},"credsStore":"pass",
          "credHelpers":{"r.example":"ecr-login","other.example":"gcr"}})");
  const AuthFileAnswer none = helpers.Ask("r.example/web");
  BOOST_TEST(!none.credentials);
  BOOST_TEST(none.explanation ==
             "without credentials: " + helpers.path() +
                 " has none for notary.example or r.example/web; its entry r.example is empty; its "
                 "credHelpers for r.example is not supported, crivet runs no credential helpers; "
                 "its credsStore pass is not supported, crivet runs no credential helpers");
}

BOOST_AUTO_TEST_CASE(EmptyEntry_LeavesAShorterPathsToBeUsed) {
  const File file(R"({"auths":{"r.example/a":{},"r.example":)" + Entry("all") + "}}");
  BOOST_TEST(file.UserFor("r.example/a/web") == "all");
}

BOOST_AUTO_TEST_CASE(FileThatCannotBeUsed_IsToldApart) {
  const TemporaryFolder folder;
  const HttpUrl server = HttpUrl::Parse("https://notary.example").value();
  const std::string gun = "r.example/web";
  const auto gone = CredentialsInAuthFile(folder / "gone", server, gun);
  BOOST_REQUIRE(!gone);
  BOOST_TEST(gone.error().detail.find("No such file or directory") != std::string::npos);
  BOOST_TEST(gone.error().detail.find("as user ") != std::string::npos);
  std::ofstream(folder / "nonsense") << "nonsense";
  const auto nonsense = CredentialsInAuthFile(folder / "nonsense", server, gun);
  BOOST_REQUIRE(!nonsense);
  BOOST_TEST(nonsense.error().detail == (folder / "nonsense") + " is not a Docker config.json");
}

BOOST_AUTO_TEST_CASE(Doubts_AreWhatGivesNothing) {
  BOOST_TEST(DoubtsOfAuthFile(Auths({{"r.example", "r"}})).value().empty());
  const std::vector<std::string> expected = {
      "has no credentials that can be used: the server is asked anonymously",
      "has an empty entry for r.example",
      "names a credential helper for s.example: credHelpers is not supported, crivet runs no "
      "credential helpers",
      "names a credential store, pass: credsStore is not supported, crivet runs no credential "
      "helpers"};
  const auto doubts = DoubtsOfAuthFile(
      R"({"auths":{"r.example":{}},"credsStore":"pass","credHelpers":{"s.example":"ecr"}})");
  BOOST_TEST(doubts.value() == expected, boost::test_tools::per_element());
  BOOST_TEST(DoubtsOfAuthFile("{}").value().size() == 1U);
  BOOST_TEST(!DoubtsOfAuthFile("[]"));
  BOOST_TEST(!DoubtsOfAuthFile("nonsense"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
