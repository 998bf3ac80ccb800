// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/token_source.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/trust_io/fault_server.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "trust/io/http/http_fetcher.h"
#include "trust/notary/notary_refresh.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Exchange = FaultServer::Exchange;

const FileRequest kTimestamp =
    RequestFor("docker.io/acme/web", {"timestamp.json", 1000, std::nullopt}, {});
// `scope=repository:docker.io/acme/web:pull`, encoded.
const std::string kScope = "scope=repository%3Adocker.io%2Facme%2Fweb%3Apull";

/// A token server and a Notary server that wants its tokens.
class Pair {
 public:
  FaultServer::Answer token_answer = [](Exchange& e) { e.Reply(200, R"({"token":"t0ken"})"); };
  std::string wanted = "t0ken";
  std::string realm;
  std::optional<std::string> challenge;
  TrustServer settings;
  std::vector<std::string> notes;

  explicit Pair(const std::string& realm_host = "127.0.0.1")
      : tokens_([this](Exchange& e) { token_answer(e); }),
        notary_([this](Exchange& e) { AnswerAsNotary(e); }) {
    realm = tokens_.Url(realm_host) + "/token";
    settings.label = "acme";
    settings.url = notary_.Url();
    settings.auth = TrustServer::Auth::kFromPull;
  }

  std::string Fetch(SharedCredentials credentials = nullptr) {
    if (!fetcher_) {
      Result<std::unique_ptr<HttpFetcher>> made =
          HttpFetcher::Create(settings, [this](const std::string& line) { notes.push_back(line); });
      BOOST_REQUIRE(made);
      fetcher_ = *std::move(made);
    }
    MetadataFetcher::Terms terms;
    terms.deadline = std::chrono::steady_clock::now() + 20s;
    terms.credentials = std::move(credentials);
    const Fetched fetched = fetcher_->Fetch(kTimestamp, terms).fetched;
    why_.clear();
    if (fetched) return "bytes";
    if (fetched.error().why) why_ = Explained(*fetched.error().why);
    if (fetched.error().kind == FetchFailure::Kind::kNotFound) return "not-found";
    if (fetched.error().kind == FetchFailure::Kind::kTooLarge) return "too-large";
    return std::string(WordOf(fetched.error().cause));
  }

  /// Of the latest Fetch, what people are told.
  const std::string& why() const { return why_; }

  std::vector<FaultServer::Request> TokenRequests() const { return tokens_.requests(); }
  std::vector<FaultServer::Request> NotaryRequests() const { return notary_.requests(); }

 private:
  void AnswerAsNotary(Exchange& e) {
    if (e.request().Header("authorization") == "Bearer " + wanted) return e.Reply(200, "{}");
    const std::string asked = "WWW-Authenticate: Bearer realm=\"" + realm +
                              "\",service=\"notary\",scope=\"registry:catalog:*\"\r\n";
    e.Reply(401, "", challenge.value_or(asked));
  }

  FaultServer tokens_;
  FaultServer notary_;
  std::unique_ptr<HttpFetcher> fetcher_;
  std::string why_;
};

SharedCredentials User(const std::string& name, const std::string& password = "secret") {
  auto credentials = std::make_shared<RegistryCredentials>();
  credentials->username = name;
  credentials->password = password;
  return credentials;
}

BOOST_AUTO_TEST_SUITE(TokenSourceTest)

BOOST_AUTO_TEST_CASE(Anonymous_AsksForPullingTheCollection_WhateverTheChallengeNames) {
  Pair pair;
  BOOST_TEST(pair.Fetch() == "bytes");
  BOOST_REQUIRE(pair.TokenRequests().size() == 1U);
  const FaultServer::Request request = pair.TokenRequests().front();
  BOOST_TEST(request.method == "GET");
  BOOST_TEST(request.target == "/token?service=notary&" + kScope);
  BOOST_TEST(request.Header("authorization").empty());
}

BOOST_AUTO_TEST_CASE(UserAndPassword_GoAsBasicToTheTokenServerAlone) {
  Pair pair;
  BOOST_TEST(pair.Fetch(User("alice")) == "bytes");
  const FaultServer::Request request = pair.TokenRequests().front();
  BOOST_TEST(request.target == "/token?service=notary&" + kScope + "&account=alice");
  BOOST_TEST(request.Header("authorization") == "Basic YWxpY2U6c2VjcmV0");
  for (const FaultServer::Request& each : pair.NotaryRequests()) {
    BOOST_TEST(!each.Header("authorization").starts_with("Basic"));
  }
}

BOOST_AUTO_TEST_CASE(UserWithoutPassword_IsAnonymous) {
  Pair pair;
  BOOST_TEST(pair.Fetch(User("alice", "")) == "bytes");
  BOOST_TEST(pair.TokenRequests().front().Header("authorization").empty());
}

BOOST_AUTO_TEST_CASE(IdentityToken_IsPosted) {
  Pair pair;
  pair.token_answer = [](Exchange& e) { e.Reply(200, R"({"access_token":"t0ken"})"); };
  auto credentials = std::make_shared<RegistryCredentials>();
  credentials->identity_token = "id+token/=";
  BOOST_TEST(pair.Fetch(credentials) == "bytes");
  const FaultServer::Request request = pair.TokenRequests().front();
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.target == "/token");
  BOOST_TEST(request.body == "grant_type=refresh_token&client_id=crivet&service=notary&" + kScope +
                                 "&refresh_token=id%2Btoken%2F%3D");
}

BOOST_AUTO_TEST_CASE(RegistryToken_GoesToTheServerItself) {
  Pair pair;
  auto credentials = std::make_shared<RegistryCredentials>();
  credentials->registry_token = "t0ken";
  BOOST_TEST(pair.Fetch(credentials) == "bytes");
  BOOST_TEST(pair.TokenRequests().empty());
}

BOOST_AUTO_TEST_CASE(Token_IsKeptForItsCredentialsAlone) {
  Pair pair;
  for (int i = 0; i < 3; ++i) BOOST_TEST(pair.Fetch(User("alice")) == "bytes");
  BOOST_TEST(pair.TokenRequests().size() == 1U);
  // The first round was the challenge.
  BOOST_TEST(pair.NotaryRequests().size() == 4U);
  pair.Fetch(User("bob"));
  pair.Fetch();
  BOOST_TEST(pair.TokenRequests().size() == 3U);
  BOOST_TEST(pair.TokenRequests()[1].target.ends_with("&account=bob"));
  // What the server wants is known by now.
  BOOST_TEST(pair.NotaryRequests().size() == 6U);
}

BOOST_AUTO_TEST_CASE(TokenThatTheServerTakesNoLonger_IsReplacedOnce) {
  Pair pair;
  BOOST_TEST(pair.Fetch() == "bytes");
  pair.wanted = "second";
  pair.token_answer = [](Exchange& e) { e.Reply(200, R"({"token":"second"})"); };
  BOOST_TEST(pair.Fetch() == "bytes");
  BOOST_TEST(pair.TokenRequests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(TokenThatIsNeverAccepted_IsCredentialsRefused_AfterOneRound) {
  Pair pair;
  pair.wanted = "another";
  BOOST_TEST(pair.Fetch() == "credentials-refused");
  BOOST_TEST(pair.NotaryRequests().size() == 2U);
  BOOST_TEST(pair.TokenRequests().size() == 1U);
}

BOOST_AUTO_TEST_CASE(AccessToken_WinsOverToken) {
  Pair pair;
  pair.token_answer = [](Exchange& e) {
    e.Reply(200, R"({"token":"other","access_token":"t0ken","expires_in":300})");
  };
  BOOST_TEST(pair.Fetch() == "bytes");
}

BOOST_AUTO_TEST_CASE(TokenServerThatRefuses_IsCredentialsRefused) {
  for (const int status : {401, 403}) {
    Pair pair;
    pair.token_answer = [&](Exchange& e) { e.Reply(status, "no"); };
    BOOST_TEST(pair.Fetch(User("alice")) == "credentials-refused");
  }
}

BOOST_AUTO_TEST_CASE(TokenServerThatFails_IsServerError) {
  const std::string bodies[] = {"",
                                "null",
                                "{}",
                                "[]",
                                "<html>",
                                R"({"token":""})",
                                R"({"token":7})",
                                R"({"token":"a","token":"b"})",
                                "{\"token\":\"a\\r\\nX: y\"}",
                                R"({"token":"a b"})"};
  for (const std::string& body : bodies) {
    Pair pair;
    pair.token_answer = [&](Exchange& e) { e.Reply(200, body); };
    BOOST_TEST_CONTEXT(body) { BOOST_TEST(pair.Fetch() == "server-error"); }
  }
  Pair pair;
  pair.token_answer = [](Exchange& e) { e.Reply(302, "", "Location: http://127.0.0.1:1/\r\n"); };
  BOOST_TEST(pair.Fetch() == "server-error");
}

BOOST_AUTO_TEST_CASE(TokenWithoutEnd_IsServerError_AndNotTheRoles) {
  const FaultServer::Answer answers[] = {
      [](Exchange& e) {
        e.Send("HTTP/1.1 200 OK\r\n\r\n{\"token\":\"");
        while (e.Send(std::string(1000, 'a'))) continue;
      },
      [](Exchange& e) { e.Reply(200, std::string(100'000, 'x')); }};
  for (const FaultServer::Answer& answer : answers) {
    Pair pair;
    pair.token_answer = answer;
    BOOST_TEST(pair.Fetch() == "server-error");
    BOOST_TEST(pair.why().starts_with("the token server 127.0.0.1:"), pair.why());
    BOOST_TEST(pair.why().ends_with(" answers without a token"), pair.why());
  }
}

BOOST_AUTO_TEST_CASE(RealmOnAnotherHost_IsNeverAsked_UnlessTheConfigurationNamesIt) {
  Pair pair("localhost");  // not the 127.0.0.1 of the server
  BOOST_TEST(pair.Fetch(User("alice")) == "credentials-refused");
  BOOST_TEST(pair.Fetch() == "credentials-refused");
  BOOST_TEST(pair.TokenRequests().empty());
  BOOST_REQUIRE(pair.notes.size() == 1U);
  BOOST_TEST(pair.notes.front().find("auth_hosts") != std::string::npos);
  BOOST_TEST(pair.notes.front().find("secret") == std::string::npos);

  Pair named("localhost");
  named.settings.auth_hosts = {"localhost"};
  BOOST_TEST(named.Fetch(User("alice")) == "bytes");
}

BOOST_AUTO_TEST_CASE(RealmThatIsNoPlaceToSendSecrets_IsNeverAsked) {
  for (const char* realm :
       {"http://192.0.2.1/token", "ftp://127.0.0.1/token", "file:///etc/passwd", "token",
        "http://127.0.0.1@evil.example/", "http://user:pw@127.0.0.1/", "//127.0.0.1/x",
        "http://127.0.0.1\\@evil.example/", "http://127.0.0.1#@evil.example/"}) {
    Pair pair;
    pair.challenge =
        "WWW-Authenticate: Bearer realm=\"" + std::string(realm) + "\",service=\"s\"\r\n";
    BOOST_TEST_CONTEXT(realm) {
      BOOST_TEST(pair.Fetch(User("alice")) == "credentials-refused");
      BOOST_TEST(pair.TokenRequests().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(Realm_KeepsItsOwnQuery) {
  Pair pair;
  pair.realm += "?tenant=a";
  BOOST_TEST(pair.Fetch() == "bytes");
  BOOST_TEST(pair.TokenRequests().front().target.starts_with("/token?tenant=a&service=notary&"));
}

BOOST_AUTO_TEST_CASE(SeveralChallenges_BearerIsAnswered) {
  Pair pair;
  pair.challenge =
      "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=\"x\", Bearer realm=\"" +
      pair.realm + "\"\r\n";
  BOOST_TEST(pair.Fetch(User("alice")) == "bytes");
}

BOOST_AUTO_TEST_CASE(NoChallenge_IsCredentialsRefused) {
  Pair pair;
  pair.challenge = "";
  BOOST_TEST(pair.Fetch(User("alice")) == "credentials-refused");
  BOOST_TEST(pair.TokenRequests().empty());
}

BOOST_AUTO_TEST_CASE(BasicChallenge_IsAnsweredToTheServerItself) {
  const FaultServer server([](Exchange& e) {
    const bool known = e.request().Header("authorization") == "Basic YWxpY2U6c2VjcmV0";
    e.Reply(known ? 200 : 401, "{}", "WWW-Authenticate: Basic realm=\"x\"\r\n");
  });
  TrustServer settings;
  settings.url = server.Url();
  settings.auth = TrustServer::Auth::kFromPull;
  const auto fetcher = HttpFetcher::Create(settings, {});
  BOOST_REQUIRE(fetcher);
  MetadataFetcher::Terms terms;
  terms.deadline = std::chrono::steady_clock::now() + 20s;
  BOOST_TEST(!(*fetcher)->Fetch(kTimestamp, terms).fetched);
  terms.credentials = User("alice");
  BOOST_TEST((*fetcher)->Fetch(kTimestamp, terms).fetched.has_value());
}

BOOST_AUTO_TEST_CASE(AuthNone_SendsNoCredentialsOfAPull) {
  Pair pair;
  pair.settings.auth = TrustServer::Auth::kNone;
  BOOST_TEST(pair.Fetch(User("alice")) == "bytes");
  BOOST_TEST(pair.TokenRequests().front().Header("authorization").empty());
}

BOOST_AUTO_TEST_CASE(DockerConfig_GivesCredentialsByHost) {
  const TemporaryFolder folder;
  Pair pair;
  pair.settings.auth = TrustServer::Auth::kDockerConfig;
  pair.settings.docker_config = folder / "config.json";
  std::ofstream(folder / "config.json")
      << R"({"auths":{"https://127.0.0.1/v2/":{"auth":"YWxpY2U6c2VjcmV0"}}})";
  BOOST_TEST(pair.Fetch(User("mallory")) == "bytes");
  BOOST_TEST(pair.TokenRequests().front().Header("authorization") == "Basic YWxpY2U6c2VjcmV0");
}

BOOST_AUTO_TEST_CASE(DockerConfig_OfAnotherPath_IsNotSent) {
  const TemporaryFolder folder;
  Pair pair;
  pair.settings.auth = TrustServer::Auth::kDockerConfig;
  pair.settings.docker_config = folder / "config.json";
  std::ofstream(folder / "config.json")
      << R"({"auths":{"docker.io/others":{"auth":"YWxpY2U6c2VjcmV0"}}})";
  BOOST_TEST(pair.Fetch() == "bytes");
  BOOST_TEST(pair.TokenRequests().front().Header("authorization").empty());
}

BOOST_AUTO_TEST_CASE(RefusedRealm_IsToldForWhatItIs) {
  Pair plain;
  plain.challenge = "WWW-Authenticate: Bearer realm=\"http://192.0.2.1/token\",service=\"s\"\r\n";
  BOOST_TEST(plain.Fetch(User("alice")) == "credentials-refused");
  BOOST_TEST(plain.why().find("http://192.0.2.1 as its token server, which is plain http") !=
             std::string::npos);
  BOOST_REQUIRE(plain.notes.size() == 1U);
  BOOST_TEST(plain.notes.front().find("auth_hosts") == std::string::npos);
  BOOST_TEST(plain.notes.front().find("plain http") != std::string::npos);

  Pair elsewhere("localhost");
  BOOST_TEST(elsewhere.Fetch(User("alice")) == "credentials-refused");
  BOOST_TEST(elsewhere.why().find("neither its own host nor one of auth_hosts") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(TokenServersRefusal_IsToldWithItsStatus_AndWithoutSecrets) {
  Pair pair;
  pair.token_answer = [](Exchange& e) {
    e.Reply(403, R"({"errors":[{"code":"DENIED","message":"alice:secret is wrong"}]})");
  };
  BOOST_TEST(pair.Fetch(User("alice")) == "credentials-refused");
  BOOST_TEST(pair.why().find("the token server 127.0.0.1:") == 0U);
  BOOST_TEST(pair.why().find("with status 403, and says \"DENIED\"; asked with a pod's pull "
                             "secret") != std::string::npos);
  BOOST_TEST(pair.why().find("secret is wrong") == std::string::npos);
  BOOST_TEST(pair.Fetch() == "credentials-refused");
  BOOST_TEST(pair.why().find("DENIED: alice") != std::string::npos);  // not sent by us
}

BOOST_AUTO_TEST_CASE(Wipe_LeavesNothingBehind) {
  std::string text(100, 's');
  const char* const memory = text.data();
  const std::size_t capacity = text.capacity();
  Wipe(text);
  BOOST_TEST(text.empty());
  // The text still owns this memory.
  BOOST_TEST(std::string_view(memory, capacity).find('s') == std::string_view::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
