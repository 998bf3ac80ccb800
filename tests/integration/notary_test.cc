// SPDX-License-Identifier: Apache-2.0

// The trust service and the real Notary: server, signer and database as people deploy them, and the
// notary client as the publisher. Run by notary_test.sh.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust/signing_key.h"
#include "tests/support/trust_io/fault_server.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "trust/base/bytes.h"
#include "trust/io/http/http_client.h"
#include "trust/io/service/service_clock.h"
#include "trust/io/service/trust_service.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Exchange = FaultServer::Exchange;
using Json = nlohmann::json;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

// A function of the node's scripts, e.g. `notary_client init GUN -p`.
void Do(const std::string& command) {
  const std::string line = Environment("CRIVET_DO") + " " + command;
  if (std::system(line.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

std::string ContentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Tls(const std::string& name) { return Environment("CRIVET_TLS") + "/" + name; }

std::string HexOf(const std::string& text) { return ToHex(Sha256Of(text)); }

void Sign(const std::string& gun, const std::string& tag, const std::string& content,
          const std::string& role = "targets") {
  Do("notary_client addhash " + gun + " " + tag + " 100 --sha256 " + HexOf(content) + " -r " +
     role + " -p");
}

/// A collection of its own for each test.
std::string NewCollection() {
  static int count = 0;
  const std::string gun = "registry.acme.example/test/c" + std::to_string(++count);
  Do("notary_client init " + gun + " -p");
  return gun;
}

/// A service with its own state folder. It pins the root that the collection has when it is made.
class Node {
 public:
  explicit Node(std::string gun, std::string url = Environment("CRIVET_NOTARY_URL"),
                std::optional<RegistryCredentials> with = std::nullopt)
      : credentials(std::move(with)), gun_(std::move(gun)) {
    server_.label = "acme";
    server_.kind = std::string(NotaryKind().name());
    server_.url = Environment("CRIVET_NOTARY_URL");
    server_.ca_file = Tls("ca.crt");
    server_.auth = TrustServer::Auth::kFromPull;
    server_.timeout = 10s;
    Start();
    const auto root = service_->FetchAnchor(NotaryCollection(server_.url, gun_));
    if (!root) throw std::runtime_error("no root of " + gun_);
    const Json content = Json::parse(root->bytes).at("signed");
    for (const Json& id : content.at("roles").at("root").at("keyids")) {
      pin_.key_ids.push_back(KeyId::Parse(id.get<std::string>()).value());
    }
    server_.url = std::move(url);
    Start();
  }

  /// As after a restart; from nothing, if the state is gone.
  void Start() {
    service_.reset();
    NotaryRule rule;
    rule.name = "all";
    rule.images = {ImagePattern::Parse("registry.acme.example/**").value()};
    rule.action = Action::kVerify;
    rule.trust = "acme";
    rule.url = server_.url;
    rule.root = pin_;
    rule.roles = {RoleName::Parse("targets/releases").value(), RoleName::Targets()};
    NotaryRule fallback;
    fallback.is_default = true;
    TrustService::Options options;
    options.kinds = {&NotaryKind()};
    options.state_dir = state_ / "state";
    options.servers = {server_};
    options.policy = std::make_shared<const Policy>(Policy::Create({rule}, fallback).value());
    options.refreshing = TrustService::Refreshing::kOnlyWhenAsked;
    options.log = [](const std::string& line) { BOOST_TEST_MESSAGE(line); };
    service_ = TrustService::Create(std::move(options)).value();
  }
  void StartFromNothing() {
    service_.reset();
    std::filesystem::remove_all(state_ / "state");
    Start();
  }

  /// The verdict after one more refresh.
  std::string Ask(const std::string& tag) { return AskWith(tag, Question::Reach::kForce); }
  std::string AskOffline(const std::string& tag) { return AskWith(tag, Question::Reach::kOffline); }

  TrustService& service() { return *service_; }
  std::optional<RegistryCredentials> credentials;

 private:
  std::string AskWith(const std::string& tag, Question::Reach reach) {
    Question question{.reference = ImageReference::Parse(gun_ + ":" + tag).value(),
                      .pod_namespace = NoNamespace{},
                      .local = std::nullopt,
                      .credentials = credentials,
                      .reach = reach};
    const Decision decision = service_->DecideNow(std::move(question));
    if (const auto* allow = std::get_if<Allow>(&decision.verdict)) {
      return ToHex(allow->digest->bytes());
    }
    if (const auto* deny = std::get_if<Deny>(&decision.verdict)) {
      BOOST_TEST_MESSAGE(deny->found);
      return std::string(CodeOf(deny->reason));
    }
    const auto& unavailable = std::get<Unavailable>(decision.verdict);
    BOOST_TEST_MESSAGE(unavailable.found);
    return std::string(CodeOf(unavailable.reason));
  }

  const std::string gun_;
  const TemporaryFolder state_;
  TrustServer server_;
  RootPin pin_;
  std::unique_ptr<TrustService> service_;
};

/// Stands between a node and the real server; a test bends what passes.
class Relay {
 public:
  using Bend = std::function<void(Exchange&, const HttpAnswer&)>;

  Relay()
      : client_({.ca_file = Tls("ca.crt"), .client_cert = {}, .client_key = {}, .proxy = {}}),
        server_([this](Exchange& exchange) { Pass(exchange); },
                FaultServer::Tls{{ContentOf(Tls("server.crt")), ContentOf(Tls("server.key"))}}) {}

  std::string url() const { return server_.Url("notary.acme.example"); }
  void Set(Bend bend) {
    const std::lock_guard lock(mutex_);
    bend_ = std::move(bend);
  }
  std::vector<std::string> TakeFiles() {
    const std::lock_guard lock(mutex_);
    return std::exchange(files_, {});
  }

 private:
  void Pass(Exchange& exchange) {
    HttpRequest request;
    request.url = Environment("CRIVET_NOTARY_URL") + exchange.request().target;
    request.max_bytes = 100'000'000;
    request.deadline = std::chrono::steady_clock::now() + 30s;
    const auto answer = client_.Ask(request);
    Bend bend;
    {
      const std::lock_guard lock(mutex_);
      const std::string& target = exchange.request().target;
      files_.push_back(target.substr(target.find("_trust/tuf/") + 11));
      bend = bend_;
    }
    if (!answer) return exchange.Close();
    if (bend) return bend(exchange, *answer);
    exchange.Reply(answer->status, answer->body);
  }

  HttpClient client_;
  std::mutex mutex_;
  Bend bend_;
  std::vector<std::string> files_;
  FaultServer server_;
};

BOOST_AUTO_TEST_SUITE(NotaryTest)

BOOST_AUTO_TEST_CASE(FirstContact_ThenOneRequestARefresh) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Relay relay;
  Node node(gun, relay.url());
  relay.TakeFiles();
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  BOOST_TEST(relay.TakeFiles().size() == 4U);  // root, timestamp, snapshot, targets
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  const std::vector<std::string> again = relay.TakeFiles();
  BOOST_TEST((again == std::vector<std::string>{"timestamp.json"}));
  BOOST_TEST(node.Ask("2.0") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(SignedAndWithdrawn_IsSeen) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Node node(gun);
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  Sign(gun, "1.0", "one again");
  Sign(gun, "'v&1<2>'", "odd");
  BOOST_TEST(node.Ask("1.0") == HexOf("one again"));
  Do("notary_client remove " + gun + " 1.0 -p");
  BOOST_TEST(node.Ask("1.0") == "tag-not-signed");
}

// What `notary addhash --sha512` makes: that entry alone is refused, by name.
BOOST_AUTO_TEST_CASE(EntryWithoutSha256_HidesNoOther_WarmAndCold) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Node node(gun);
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  Do("notary_client addhash " + gun + " blob 1 --sha512 " + std::string(128, 'a') + " -p");
  BOOST_TEST(node.Ask("blob") == "malformed");
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  node.StartFromNothing();
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  BOOST_TEST(node.Ask("blob") == "malformed");
  BOOST_TEST(node.Ask("none") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(EveryKeyRotated_TheOldPinGoesOn_WarmAndCold) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Node node(gun);
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  for (const char* rotation : {"snapshot -r", "timestamp -r", "targets", "snapshot"}) {
    BOOST_TEST_CONTEXT(rotation) {
      Do("notary_client key rotate " + gun + " " + rotation);
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
      node.StartFromNothing();
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
    }
  }
  for (int times = 1; times <= 3; ++times) {
    BOOST_TEST_CONTEXT("root, " << times) {
      Do("rotate_root_key " + gun);
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
      BOOST_TEST(node.service().Status().repositories.front().set.pin_instead.has_value());
      node.Start();
      BOOST_TEST(node.AskOffline("1.0") == HexOf("one"));
      node.StartFromNothing();
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
    }
  }
  Sign(gun, "2.0", "two");
  BOOST_TEST(node.Ask("2.0") == HexOf("two"));
}

BOOST_AUTO_TEST_CASE(Delegation_IsAskedFirst) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "by the publisher");
  Node node(gun);
  Do("add_delegation " + gun);
  BOOST_TEST(node.Ask("1.0") == HexOf("by the publisher"));
  Sign(gun, "1.0", "by the delegate", "targets/releases");
  BOOST_TEST(node.Ask("1.0") == HexOf("by the delegate"));
  Do("notary_client delegation remove " + gun + " targets/releases -y -p");
  BOOST_TEST(node.Ask("1.0") == HexOf("by the publisher"));
}

BOOST_AUTO_TEST_CASE(EveryPartRestarted_NothingIsLost) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Node node(gun);
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  for (const char* part : {"notary-server", "notary-signer", "mariadb"}) {
    BOOST_TEST_CONTEXT(part) {
      Do(std::string("part_kill ") + part);
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
      Do("start_all_of_notary");
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
      node.StartFromNothing();
      BOOST_TEST(node.Ask("1.0") == HexOf("one"));
    }
  }
  Sign(gun, "2.0", "two");
  BOOST_TEST(node.Ask("2.0") == HexOf("two"));
}

BOOST_AUTO_TEST_CASE(RepositoryDeletedAndBegunAnew_IsRefusedUntilForget) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Sign(gun, "1.1", "two");
  Node node(gun);
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  Do("notary_client delete " + gun + " --remote");
  Do("notary_client init " + gun + " -p");
  Sign(gun, "1.0", "anew");
  // The set from before answers until it expires.
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  const ServiceStatus status = node.service().Status();
  BOOST_REQUIRE(status.repositories.front().last_failure);
  const CollectionId id = status.repositories.front().id;
  BOOST_REQUIRE(node.service().Forget(id));
  // The certificate is new with the repository; the key is the publisher's.
  const auto view = node.Ask("1.0");
  BOOST_TEST((view == HexOf("anew") || view == "untrusted-root"));
}

BOOST_AUTO_TEST_CASE(AnswersBentOnTheWay_TheLastSetAnswers_AndTheFirstOneIsRefused) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  Relay relay;
  Node warm(gun, relay.url());
  Node cold(gun, relay.url());
  BOOST_TEST(warm.Ask("1.0") == HexOf("one"));
  Sign(gun, "1.0", "two");
  const std::vector<Relay::Bend> bends = {
      [](Exchange& e, const HttpAnswer&) { e.Reply(503, "away"); },
      [](Exchange& e, const HttpAnswer&) { e.Reply(200, "<html>Maintenance</html>"); },
      [](Exchange& e, const HttpAnswer& a) { e.Reply(200, a.body.substr(0, a.body.size() / 2)); },
      [](Exchange& e, const HttpAnswer& a) {
        std::string bent = a.body;
        bent[bent.size() / 2] ^= 1;
        e.Reply(a.status, bent);
      },
      [](Exchange& e, const HttpAnswer& a) {
        e.Reply(a.status, a.body + std::string(2'000'000, ' '));
      },
      [](Exchange& e, const HttpAnswer&) {
        e.Reply(302, "", "Location: https://localhost:1/\r\n");
      },
      [](Exchange& e, const HttpAnswer&) { e.Close(); },
  };
  for (std::size_t i = 0; i < bends.size(); ++i) {
    BOOST_TEST_CONTEXT("bend " << i) {
      relay.Set(bends[i]);
      BOOST_TEST(warm.Ask("1.0") == HexOf("one"));
      cold.StartFromNothing();
      const std::string verdict = cold.Ask("1.0");
      BOOST_TEST(verdict != HexOf("one"));
      BOOST_TEST(verdict != HexOf("two"));
    }
  }
  relay.Set(nullptr);
  BOOST_TEST(warm.Ask("1.0") == HexOf("two"));
  BOOST_TEST(cold.Ask("1.0") == HexOf("two"));
}

/// A token server as Notary's configuration asks for: JSON web tokens, signed under a certificate
/// that the server trusts.
class TokenServer {
 public:
  TokenServer()
      : key_(SigningKey::Ecdsa().SelfSigned({.common_names = {"tokens"}})),
        server_([this](Exchange& exchange) { Answer(exchange); },
                FaultServer::Tls{{ContentOf(Tls("server.crt")), ContentOf(Tls("server.key"))}}) {}

  std::string realm() const { return server_.Url("notary.acme.example") + "/token"; }
  const std::string& certificate() const { return key_.certificate_pem(); }
  std::size_t requests() const { return server_.requests().size(); }

 private:
  static std::string Url64(std::string_view bytes) {
    std::string text = ToBase64(AsBytes(bytes));
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    text.erase(text.find_last_not_of('=') + 1);
    return text;
  }

  void Answer(Exchange& exchange) {
    // alice:secret alone may pull; the scope is the collection that was asked for.
    const std::string expected = "Basic " + ToBase64(AsBytes("alice:secret"));
    if (exchange.request().Header("authorization") != expected) return exchange.Reply(401, "no");
    std::string scope = exchange.request().target;
    scope = scope.substr(scope.find("repository%3A") + 13);
    scope = scope.substr(0, scope.find("%3Apull"));
    for (std::size_t at = 0; (at = scope.find("%2F")) != std::string::npos;)
      scope.replace(at, 3, "/");
    const std::string& pem = key_.certificate_pem();
    std::string der = pem.substr(pem.find('\n') + 1);
    der = der.substr(0, der.find("-----END"));
    std::erase(der, '\n');
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         Moment::OfMachine().wall.time_since_epoch())
                         .count();
    const Json header{{"typ", "JWT"}, {"alg", "ES256"}, {"x5c", {der}}};
    const Json claims{
        {"iss", "acme tokens"},
        {"sub", "alice"},
        {"aud", "notary"},
        {"exp", now + 300},
        {"nbf", now - 60},
        {"iat", now - 60},
        {"jti", "1"},
        {"access", {{{"type", "repository"}, {"name", scope}, {"actions", {"pull"}}}}}};
    const std::string message = Url64(header.dump()) + "." + Url64(claims.dump());
    const std::string token = message + "." + Url64(key_.Sign(message));
    exchange.Reply(200, Json{{"token", token}, {"expires_in", 300}}.dump());
  }

  const SigningKey key_;
  FaultServer server_;
};

BOOST_AUTO_TEST_CASE(TokenAuthentication_WithTheRightSecretOnly) {
  const std::string gun = NewCollection();
  Sign(gun, "1.0", "one");
  TokenServer tokens;
  const TemporaryFolder folder;
  std::ofstream(folder / "bundle.pem") << tokens.certificate();
  Do("start_notary_with_tokens " + tokens.realm() + " " + (folder / "bundle.pem"));
  const std::string url = "https://notary.acme.example:4444";

  RegistryCredentials alice;
  alice.username = "alice";
  alice.password = "secret";
  Node node(gun, url, alice);
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  const std::size_t asked = tokens.requests();
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
  BOOST_TEST(tokens.requests() == asked);

  node.StartFromNothing();
  node.credentials->password = "wrong";
  BOOST_TEST(node.Ask("1.0") == "unreachable");
  node.credentials.reset();
  BOOST_TEST(node.Ask("1.0") == "unreachable");
  node.credentials = alice;
  BOOST_TEST(node.Ask("1.0") == HexOf("one"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
