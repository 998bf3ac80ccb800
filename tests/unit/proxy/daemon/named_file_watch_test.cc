// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/named_file_watch.h"

#include <poll.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/proxy/temporary_folder.h"
#include "trust/notation/notation_demand.h"

namespace crivet::proxy {
namespace {

const std::string kData = std::string(CRIVET_TEST_DATA) + "/sigstore/";

std::string Content(const std::string& name) {
  std::ifstream in(kData + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A configuration that names an authority and its list, each a file of its own.
struct Node {
  TemporaryFolder folder;
  ConfigTexts texts;
  NamedFileWatch watch{Place{}};

  Node() {
    Put("ca.pem", Content("notation/revocation/ca.pem"));
    Put("list.pem", Content("notation/revocation/signing-ca.crl"));
    texts = {{"f", "[default]\naction = \"deny\"\n[trust.notation]\nkind = \"notation\"\nca = [\"" +
                       Path("ca.pem") + "\"]\nrevocation = \"crl\"\ncrl_files = [\"" +
                       Path("list.pem") +
                       "\"]\n[[rule]]\nimages = [\"r.example/**\"]\naction = \"verify\"\n"
                       "trust = \"notation\"\nidentities = [\"*\"]\n"}};
    auto config = ParseConfig(texts);
    BOOST_REQUIRE(config);
    BOOST_REQUIRE_EQUAL(config->named_files.size(), 2U);
    watch.Watch(std::move(config->named_files));
  }

  std::string Path(const std::string& name) const { return folder.path() + "/" + name; }
  void Put(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
  }
  // As whatever fetches lists does it, and as a ConfigMap does.
  void Replace(const std::string& name, const std::string& content) const {
    Put(name + ".new", content);
    std::filesystem::rename(Path(name + ".new"), Path(name));
  }
  bool SomebodyWaits() const {
    pollfd fd{watch.fd(), POLLIN, 0};
    return poll(&fd, 1, 0) == 1;
  }
  static std::string ListIn(const Config& config) {
    const auto& demand =
        trust::notation::AsNotation(*config.policy->rules().front()->members.front().demand);
    return trust::ToHex(demand.wanted.revocations->front().sha256());
  }
};

BOOST_FIXTURE_TEST_SUITE(NamedFileWatchTest, Node)

BOOST_AUTO_TEST_CASE(AFileThatIsReplaced_IsTaken_Once) {
  BOOST_TEST(!watch.Look(texts).config);
  Replace("list.pem", Content("notation/revocation/signing-ca-revokes.pem"));
  const auto news = watch.Look(texts);
  BOOST_REQUIRE(news.config);
  BOOST_TEST(news.taken == std::vector{Path("list.pem")}, boost::test_tools::per_element());
  const auto wanted =
      trust::RevocationList::Parse(Content("notation/revocation/signing-ca-revokes.pem"));
  BOOST_TEST(ListIn(*news.config) == trust::ToHex(wanted->sha256()));
  BOOST_TEST(!watch.Look(texts).config);
  BOOST_TEST(watch.Problems().empty());
}

// Two states of one tick of the clock, of one size, in one inode.
BOOST_AUTO_TEST_CASE(AFileThatIsWrittenOver_IsTaken_HoweverSoon) {
  const std::string first = Content("notation/revocation/signing-ca.crl");
  Put("list.pem", Content("notation/revocation/root.pem"));
  BOOST_TEST(watch.Look(texts).config.has_value());
  Put("list.pem", first);
  BOOST_TEST(watch.Look(texts).config.has_value());
}

BOOST_AUTO_TEST_CASE(AFileThatIsTouched_IsNoNews) {
  Put("list.pem", Content("notation/revocation/signing-ca.crl"));
  const auto news = watch.Look(texts);
  BOOST_TEST(!news.config);
  BOOST_TEST(news.kept.empty());
}

BOOST_AUTO_TEST_CASE(AFileThatIsBroken_StaysAsItWas_IsToldOnce_AndHealed) {
  for (const std::string broken : {"<html>502 Bad Gateway</html>", ""}) {
    Replace("list.pem", broken);
    const auto news = watch.Look(texts);
    BOOST_TEST(!news.config);
    BOOST_REQUIRE_EQUAL(news.kept.size(), 1U);
    BOOST_TEST(news.kept.front().find(Path("list.pem")) != std::string::npos, news.kept.front());
    BOOST_TEST(watch.Problems() == news.kept, boost::test_tools::per_element());
    BOOST_TEST(watch.Look(texts).kept.empty());
    Replace("list.pem", Content("notation/revocation/signing-ca.crl"));
    BOOST_TEST(!watch.Look(texts).config);
    BOOST_TEST(watch.Problems().empty());
  }
}

BOOST_AUTO_TEST_CASE(AFileThatIsGone_StaysAsItWas_AndIsTold) {
  std::filesystem::remove(Path("list.pem"));
  const auto news = watch.Look(texts);
  BOOST_TEST(!news.config);
  BOOST_REQUIRE_EQUAL(news.kept.size(), 1U);
  BOOST_TEST(news.kept.front().find("cannot be read") != std::string::npos, news.kept.front());
  BOOST_TEST(watch.Look(texts).kept.empty());
}

BOOST_AUTO_TEST_CASE(AFileThatIsBroken_HoldsNoOtherBack) {
  Replace("ca.pem", "junk");
  Replace("list.pem", Content("notation/revocation/signing-ca-revokes.pem"));
  const auto news = watch.Look(texts);
  BOOST_REQUIRE(news.config);
  BOOST_TEST(news.taken.size() == 1U);
  BOOST_TEST(news.kept.size() == 1U);
  // Nor does it count later, when the other changes again.
  Replace("list.pem", Content("notation/revocation/signing-ca.crl"));
  BOOST_TEST(watch.Look(texts).config.has_value());
  BOOST_TEST(!watch.Problems().empty());
}

// What a start has set aside.
BOOST_AUTO_TEST_CASE(AFileThatWasSetAside_IsTakenOnceItIsRight_AndHoldsNoOtherBack) {
  Replace("list.pem", "<html>502 Bad Gateway</html>");
  auto start = ParseConfig(texts, {}, {}, Strictness::kStart);
  BOOST_REQUIRE(start);
  watch.Watch(std::move(start->named_files));
  BOOST_REQUIRE_EQUAL(watch.Problems().size(), 1U);
  BOOST_TEST(watch.Problems().front().find(Path("list.pem")) != std::string::npos);
  BOOST_TEST(!watch.Look(texts).config);
  BOOST_TEST(watch.Problems().size() == 1U);

  Replace("ca.pem", Content("notation/revocation/ca.pem") + "\n");
  const auto other = watch.Look(texts);
  BOOST_REQUIRE(other.config);
  BOOST_TEST(!other.config->policy->rules().front()->members.front().unusable.empty());
  Replace("list.pem", "<html>504</html>");
  BOOST_TEST(!watch.Look(texts).config);

  Replace("list.pem", Content("notation/revocation/signing-ca.crl"));
  const auto mended = watch.Look(texts);
  BOOST_REQUIRE(mended.config);
  BOOST_TEST(mended.config->policy->rules().front()->members.front().unusable == "");
  BOOST_TEST(watch.Problems().empty());
}

BOOST_AUTO_TEST_CASE(AFileThatWasNotThere_IsTakenOnceItIs) {
  const std::string list = Content("notation/revocation/signing-ca.crl");
  std::filesystem::remove(Path("list.pem"));
  auto start = ParseConfig(texts, {}, {}, Strictness::kStart);
  BOOST_REQUIRE(start);
  watch.Watch(std::move(start->named_files));
  BOOST_TEST(watch.Problems().size() == 1U);
  BOOST_TEST(!watch.Look(texts).config);
  Put("list.pem", list);
  const auto mended = watch.Look(texts);
  BOOST_REQUIRE(mended.config);
  BOOST_TEST(mended.config->policy->rules().front()->members.front().unusable == "");
}

// As trusts name them of servers.
struct NodeWithServer : Node {
  NodeWithServer() {
    Put("auth.json", R"({"auths": {"r.example": {"auth": "YTpi"}}})");
    std::filesystem::permissions(Path("auth.json"), std::filesystem::perms::owner_read |
                                                        std::filesystem::perms::owner_write);
    texts.front().text +=
        "[trust.acme]\nkind = \"notary\"\nurl = \"https://n.example\"\nca_file = \"" +
        Path("ca.pem") + "\"\nauth = \"" + Path("auth.json") + "\"\n";
    auto config = ParseConfig(texts);
    BOOST_REQUIRE(config);
    watch.Watch(std::move(config->named_files));
  }
  static const trust::TrustServer& Server(const Config& config) {
    const auto& servers = config.servers;
    return servers[0].label == "acme" ? servers[0] : servers[1];
  }
};

BOOST_FIXTURE_TEST_CASE(AuthoritiesOfAServer_AreTakenWhenTheyChange_AndStayWhenTheyAreBroken,
                        NodeWithServer) {
  Replace("ca.pem", "junk");
  BOOST_TEST(!watch.Look(texts).config);
  Replace("ca.pem", Content("notation/revocation/ca.pem") + "\n");
  const auto news = watch.Look(texts);
  BOOST_REQUIRE(news.config);
  BOOST_TEST(Server(*news.config).authorities == Content("notation/revocation/ca.pem") + "\n");
}

BOOST_FIXTURE_TEST_CASE(CredentialsThatAreBroken_HoldNoFileBack, NodeWithServer) {
  Put("auth.json", "{");
  Replace("list.pem", Content("notation/revocation/signing-ca-revokes.pem"));
  const auto news = watch.Look(texts);
  BOOST_REQUIRE(news.config);
  const auto& warnings = news.config->warnings;
  BOOST_TEST(std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
    return warning.find("auth.json") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(WhoWaits_IsCalledAfterALook_AndOnlyWhereSomethingMayHaveChanged) {
  int called = 0;
  Replace("list.pem", Content("notation/revocation/signing-ca-revokes.pem"));
  BOOST_TEST(watch.AwaitChange([&] { ++called; }));
  BOOST_TEST(SomebodyWaits());
  BOOST_TEST(watch.Look(texts).config.has_value());
  BOOST_TEST(called == 0);
  watch.Release();
  BOOST_TEST(called == 1);
  BOOST_TEST(!SomebodyWaits());
  // Within the second nobody looks again.
  BOOST_TEST(!watch.AwaitChange([&] { ++called; }));
  BOOST_TEST(called == 1);
}

BOOST_AUTO_TEST_CASE(WhoWaitsWhenItEnds_IsCalled_AndNobodyWaitsAfterwards) {
  int called = 0;
  BOOST_REQUIRE(watch.AwaitChange([&] { ++called; }));  // written a moment ago
  watch.Close();
  BOOST_TEST(called == 1);
  BOOST_TEST(!watch.AwaitChange([&] { ++called; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
