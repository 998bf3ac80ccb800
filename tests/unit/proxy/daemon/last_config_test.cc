// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/last_config.h"

#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <variant>

#include "tests/support/proxy/temporary_folder.h"
#include "trust/decide/decide.h"

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

constexpr char kVerify[] = "\n[[rule]]\nimages = [\"v.example/**\"]\naction = \"verify\"\n";

struct NamedFileCase {
  std::string of;
  std::string texts;  ///< FILE stands for the one that is broken
};
std::ostream& operator<<(std::ostream& out, const NamedFileCase& one) { return out << one.of; }

// Every file that a trust or a rule names, of every kind.
std::vector<NamedFileCase> NamedFileCases() {
  const std::string ca = std::string(CRIVET_TEST_DATA) + "/sigstore/notation/revocation/ca.pem";
  const std::string notation = "[trust.t]\nkind = \"notation\"\n";
  const std::string by_notation = std::string(kVerify) + "trust = \"t\"\nidentities = [\"*\"]\n";
  const std::string sigstore = "[trust.t]\nkind = \"sigstore\"\n";
  const std::string notary = "[trust.t]\nkind = \"notary\"\nurl = \"https://n.example\"\n";
  return {
      {"ca", notation + "ca = [\"FILE\"]\n" + by_notation},
      {"signing_authority", notation + "signing_authority = [\"FILE\"]\n" + by_notation},
      {"tsa", notation + "ca = [\"" + ca + "\"]\ntsa = [\"FILE\"]\n" + by_notation},
      {"crl_files", notation + "ca = [\"" + ca +
                        "\"]\nrevocation = \"crl\"\ncrl_files = [\"FILE\"]\n" + by_notation},
      {"trusted_root", sigstore + "trusted_root = \"FILE\"\n" + kVerify +
                           "trust = \"t\"\nidentities = [{ issuer = \"i\", subject = \"s\" }]\n"},
      {"keys", sigstore + kVerify + "trust = \"t\"\nkeys = [\"FILE\"]\n"},
      {"cert_file", notary + kVerify + "trust = \"t\"\nroot = { cert_file = \"FILE\" }\n"},
      {"ca_file of a root", notary + kVerify + "trust = \"t\"\nroot = { ca_file = \"FILE\" }\n"},
      {"root_file",
       "[trust.t]\nkind = \"tuf\"\nurl = \"https://t.example\"\nroot = { root_file = "
       "\"FILE\" }\n" +
           std::string(kVerify) + "trust = \"t\"\ntarget = \"{name}:{tag}\"\n"},
  };
}

BOOST_DATA_TEST_CASE(Load_NamedFileThatIsBrokenOrGone_IsSetAside_AndTheOthersRulesHold,
                     boost::unit_test::data::make(NamedFileCases()), one) {
  for (const bool there : {true, false}) {
    const Node node;
    const std::string file = node.File("named");
    if (there) std::ofstream(file) << "<html>502</html>";
    std::string texts = one.texts;
    texts.replace(texts.find("FILE"), 4, file);
    node.Write(kRule + texts);
    BOOST_TEST(!LoadConfig(node.File()));
    const auto start = LoadStartConfig(node.File(), {});
    BOOST_REQUIRE(start);
    BOOST_TEST(start->instead_of.empty());
    const auto& rules = start->config.policy->rules();
    BOOST_REQUIRE_EQUAL(rules.size(), 3U);
    BOOST_TEST(rules[0]->members.empty());
    const trust::Member& member = rules[1]->members.front();
    BOOST_TEST(member.unusable.find(file) != std::string::npos, member.unusable);
    const auto& files = start->config.named_files;
    BOOST_TEST(std::count_if(files.begin(), files.end(),
                             [](const NamedFile& named) { return !named.set_aside.empty(); }) == 1);

    const auto image = trust::ImageReference::Parse("v.example/app:1.0");
    const auto applied = start->config.policy->RuleFor(*image, trust::NoNamespace{}, {});
    BOOST_TEST(!applied.collections.front().has_value());
    const auto decision = trust::DecidePull(*image, applied, {}, {}, 0);
    const auto* unavailable = std::get_if<trust::Unavailable>(&decision.verdict);
    BOOST_REQUIRE(unavailable);
    BOOST_TEST((unavailable->reason == trust::Reason::kState));
    BOOST_TEST(unavailable->found.find(file) != std::string::npos, unavailable->found);
  }
}

// A member that answers nothing leaves the word to the other.
BOOST_AUTO_TEST_CASE(Load_NamedFileOfOneMemberThatIsGone_LeavesTheOther) {
  const Node node;
  node.Write(
      "[trust.t]\nkind = \"notary\"\nurl = \"https://n.example\"\n[trust.n]\nkind = "
      "\"notation\"\nca = [\"" +
      node.File("gone") + "\"]" + kVerify +
      "any_of = [{ trust = \"n\", identities = [\"*\"] }, { trust = \"t\", root = { tofu = "
      "true } }]\n");
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(start);
  const auto& members = start->config.policy->rules().front()->members;
  BOOST_REQUIRE_EQUAL(members.size(), 2U);
  BOOST_TEST(!members[0].unusable.empty());
  BOOST_TEST(members[1].unusable.empty());
}

BOOST_AUTO_TEST_CASE(Load_FilesOfAServerThatAreGone_LeaveWhatWasVerified) {
  const Node node;
  node.Write("[trust.t]\nkind = \"notary\"\nurl = \"https://n.example\"\nca_file = \"" +
             node.File("ca") + "\"\nauth = \"" + node.File("auth") + "\"\nclient_cert = \"" +
             node.File("cert") + "\"\nclient_key = \"" + node.File("key") + "\"" + kVerify +
             "trust = \"t\"\nroot = { tofu = true }\n");
  BOOST_TEST(!LoadConfig(node.File()));
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(start);
  BOOST_TEST(start->config.policy->rules().front()->members.front().unusable.empty());
  // Nobody else's authorities take the place of those that are not there.
  const trust::TrustServer& server = start->config.servers.front();
  BOOST_TEST(server.ca_file == node.File("ca"));
  BOOST_TEST(server.authorities.empty());
  BOOST_TEST((server.auth == trust::TrustServer::Auth::kDockerConfig));
}

BOOST_AUTO_TEST_CASE(Load_WrongTextBesideAFileThatIsGone_IsWrong) {
  const Node node;
  node.Write("colour = 1\n" + std::string("[trust.n]\nkind = \"notation\"\nca = [\"") +
             node.File("gone") + "\"]\n");
  BOOST_TEST(!LoadStartConfig(node.File(), {}));
}

BOOST_AUTO_TEST_CASE(Load_NewTextThatNamesAFileThatIsGone_IsTheWholeSetThatWasKept) {
  const Node node;
  node.Write(kRule);
  node.Keep();
  node.Write("[trust.n]\nkind = \"notation\"\nca = [\"" + node.File("gone") + "\"]\n");
  const auto start = LoadStartConfig(node.File(), {});
  BOOST_REQUIRE(start);
  BOOST_TEST(start->instead_of.size() == 1U);
  BOOST_TEST(start->config.policy->rules().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
