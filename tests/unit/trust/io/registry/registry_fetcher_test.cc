// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/registry_fetcher.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/trust_io/fault_server.h"
#include "tests/support/trust_io/temporary_folder.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Exchange = FaultServer::Exchange;
using What = RegistryRequest::What;

const std::string kRegistry = "registry.example";
const std::string kRepository = kRegistry + "/shop/web";
const std::string kBytes = R"({"layers":[]})";
const Sha256Digest kDigest{Sha256Of(kBytes)};
const std::string kIndex = R"({"schemaVersion":2,"manifests":[]})";
const std::string kManifestType =
    "Content-Type: application/vnd.oci.image.manifest.v1+json; x=y\r\n";

std::string Digested(const Sha256Digest& digest) {
  return "Docker-Content-Digest: " + digest.ToString() + "\r\n";
}

// HEAD has a Content-Length and no body.
void Head(Exchange& e, int status, const std::string& headers) {
  e.Send("HTTP/1.1 " + std::to_string(status) + " Status\r\n" + headers +
         "Content-Length: 13\r\n\r\n");
}

FileRequest Asking(What what, std::size_t max_bytes = 1000) {
  FileRequest request;
  request.max_bytes = max_bytes;
  request.registry = RegistryRequest{.what = what, .repository = kRepository};
  if (what == What::kResolve || what == What::kTagged) {
    request.registry->tag = "1.0";
  } else {
    request.registry->digest = kDigest;
  }
  return request;
}

/// A node that knows registry.example by a hosts.toml.
class Node {
 public:
  explicit Node(const std::string& hosts_toml) {
    settings_.registry_config = {folder_ / ""};
    settings_.auth = TrustServer::Auth::kFromPull;
    Configure(hosts_toml);
    fetcher_ = std::make_unique<RegistryFetcher>(
        settings_, [this](const std::string& line) { notes.push_back(line); });
  }
  void Configure(const std::string& hosts_toml) const { ConfigureFor(kRegistry, hosts_toml); }
  void ConfigureFor(const std::string& folder, const std::string& hosts_toml) const {
    std::filesystem::create_directories(folder_ / folder);
    std::ofstream(folder_ / (folder + "/hosts.toml")) << hosts_toml;
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  Fetched Fetch(const FileRequest& request) { return Ask(request).fetched; }
  MetadataFetcher::Answer Ask(const FileRequest& request) {
    MetadataFetcher::Terms terms;
    terms.deadline = std::chrono::steady_clock::now() + budget;
    terms.patience = patience;
    terms.credentials = credentials;
    return fetcher_->Fetch(request, terms);
  }
  Fetched Fetch(What what) { return Fetch(Asking(what)); }

  std::chrono::milliseconds budget = 20s;
  std::chrono::milliseconds patience = 10s;
  SharedCredentials credentials;
  std::vector<std::string> notes;

 private:
  TemporaryFolder folder_;
  TrustServer settings_;
  std::unique_ptr<RegistryFetcher> fetcher_;
};

std::string Only(const FaultServer& server) { return "server = \"" + server.Url() + "\"\n"; }
std::string Mirror(const FaultServer& server, const std::string& more = "") {
  return "[host.\"" + server.Url() + "\"]\n" + more;
}

// How it ended, in a word, and why.
std::string End(const Fetched& fetched) {
  if (fetched) return "ok";
  const FetchFailure& failure = fetched.error();
  const std::string why = failure.why ? ": " + Explained(*failure.why) : "";
  switch (failure.kind) {
    case FetchFailure::Kind::kNotFound:
      return "not-found" + why;
    case FetchFailure::Kind::kTooLarge:
      return "too-large";
    case FetchFailure::Kind::kNetwork:
      break;
  }
  return std::string(WordOf(failure.cause)) + why;
}
bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(RegistryFetcherTest)

BOOST_AUTO_TEST_CASE(Tag_IsResolvedByOneHead) {
  const FaultServer server([](Exchange& e) { Head(e, 200, kManifestType + Digested(kDigest)); });
  Node node(Only(server));
  const Fetched fetched = node.Fetch(What::kResolve);
  BOOST_REQUIRE_MESSAGE(fetched, End(fetched));
  BOOST_TEST((fetched->registry->digest == kDigest));
  BOOST_TEST(fetched->registry->media_type == "application/vnd.oci.image.manifest.v1+json");
  BOOST_TEST(fetched->registry->upstream);
  const auto requests = server.requests();
  BOOST_REQUIRE(requests.size() == 1U);
  BOOST_TEST(requests[0].method == "HEAD");
  BOOST_TEST(requests[0].target == "/v2/shop/web/manifests/1.0?ns=" + kRegistry);
  BOOST_TEST(Has(requests[0].Header("accept"),
                 "application/vnd.docker.distribution.manifest.list.v2+json"));
  BOOST_TEST(requests[0].Header("authorization") == "");
  BOOST_TEST(requests[0].Header("accept-encoding") == "");
}

// What the registry says that the digest is counts for nothing then.
BOOST_AUTO_TEST_CASE(Tag_WithWhatItNames_IsOneGet_AndHashed) {
  const FaultServer server([](Exchange& e) { e.Reply(200, kBytes); });
  Node node(Only(server));
  const Fetched fetched = node.Fetch(What::kTagged);
  BOOST_REQUIRE_MESSAGE(fetched, End(fetched));
  BOOST_TEST(fetched->bytes == kBytes);
  BOOST_TEST((fetched->registry->digest == kDigest));
  const auto requests = server.requests();
  BOOST_REQUIRE(requests.size() == 1U);
  BOOST_TEST(requests[0].method == "GET");
  BOOST_TEST(requests[0].target == "/v2/shop/web/manifests/1.0?ns=" + kRegistry);
}

BOOST_AUTO_TEST_CASE(Tag_WithoutDigestInTheHead_IsHashed) {
  for (const std::string& header :
       {std::string(), std::string("Docker-Content-Digest: sha512:00\r\n")}) {
    const FaultServer server([&](Exchange& e) {
      e.request().method == "HEAD" ? Head(e, 200, header) : e.Reply(200, kBytes);
    });
    Node node(Only(server));
    const Fetched fetched = node.Fetch(What::kResolve);
    BOOST_REQUIRE_MESSAGE(fetched, End(fetched));
    BOOST_TEST((fetched->registry->digest == kDigest));
  }
}

BOOST_AUTO_TEST_CASE(Tag_WhereHeadIsNotAllowed_IsAskedByGet) {
  const FaultServer server(
      [](Exchange& e) { e.request().method == "HEAD" ? Head(e, 405, "") : e.Reply(200, kBytes); });
  Node node(Only(server));
  BOOST_TEST((node.Fetch(What::kResolve)->registry->digest == kDigest));
}

BOOST_AUTO_TEST_CASE(LyingHead_NamesAnotherDigest_WhoseContentIsThenAskedForByThatDigest) {
  const Sha256Digest other{Sha256Of("other")};
  const FaultServer server([&](Exchange& e) {
    e.request().method == "HEAD" ? Head(e, 200, Digested(other)) : e.Reply(200, kBytes);
  });
  Node node(Only(server));
  const auto digest = node.Fetch(What::kResolve)->registry->digest;
  BOOST_TEST((digest == other));
  FileRequest manifest = Asking(What::kManifest);
  manifest.registry->digest = digest;
  BOOST_TEST(Has(End(node.Fetch(manifest)), "server-error"));
}

BOOST_AUTO_TEST_CASE(WrongBytes_AreReadByNobody_AndTheNextHostIsAsked) {
  const FaultServer liar([](Exchange& e) { e.Reply(200, "x" + kBytes); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, kBytes); });
  for (const What what : {What::kManifest, What::kBlob}) {
    Node node(Only(upstream) + Mirror(liar));
    const Fetched fetched = node.Fetch(what);
    BOOST_REQUIRE_MESSAGE(fetched, End(fetched));
    BOOST_TEST(fetched->bytes == kBytes);
    BOOST_TEST(fetched->registry->host_number == 1U);
    Node alone(Only(liar));
    BOOST_TEST(Has(End(alone.Fetch(what)), "its bytes are not those that the digest names"));
  }
}

BOOST_AUTO_TEST_CASE(GzipThatNobodyAskedFor_IsRefused) {
  const FaultServer server([](Exchange& e) { e.Reply(200, kIndex, "Content-Encoding: gzip\r\n"); });
  Node node(Only(server));
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "it is encoded as gzip"));
}

BOOST_AUTO_TEST_CASE(EndlessBody_EndsAtTheCap) {
  const FaultServer server([](Exchange& e) {
    e.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (e.Send("400\r\n" + std::string(0x400, 'x') + "\r\n")) continue;
  });
  Node node(Only(server));
  for (const What what : {What::kManifest, What::kBlob, What::kReferrers}) {
    BOOST_TEST(End(node.Fetch(what)) == "too-large");
  }
}

// Which answers count.

BOOST_AUTO_TEST_CASE(MirrorThatStripsSignatures_IsNotTheLastWord) {
  const FaultServer mirror([](Exchange& e) { e.Reply(404, ""); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, kIndex); });
  Node node(Only(upstream) + Mirror(mirror));
  const Fetched fetched = node.Fetch(What::kReferrers);
  BOOST_REQUIRE_MESSAGE(fetched, End(fetched));
  BOOST_TEST(fetched->registry->upstream);
  BOOST_TEST(fetched->registry->host_number == 1U);
}

BOOST_AUTO_TEST_CASE(CacheWithAnEmptyIndex_CanBePassedOver) {
  const FaultServer cache([](Exchange& e) { e.Reply(200, kIndex); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, R"({"manifests":[{}]})"); });
  Node node(Only(upstream) + Mirror(cache));
  const Fetched first = node.Fetch(What::kReferrers);
  BOOST_REQUIRE(first);
  BOOST_TEST(!first->registry->upstream);
  FileRequest next = Asking(What::kReferrers);
  next.registry->skip_hosts = first->registry->host_number + 1;
  const Fetched second = node.Fetch(next);
  BOOST_REQUIRE(second);
  BOOST_TEST(second->registry->upstream);
  BOOST_TEST(Has(second->bytes, "[{}]"));
  BOOST_TEST(cache.requests().size() == 1U);
}

BOOST_AUTO_TEST_CASE(MirrorThatSaysNone_AndUpstreamAway_IsNotNone) {
  const FaultServer mirror([](Exchange& e) { e.Reply(404, ""); });
  Node node("server = \"http://127.0.0.1:1\"\n" + Mirror(mirror));
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "unreachable"));
}

BOOST_AUTO_TEST_CASE(UpstreamThatSaysNone_IsNone_ThoughAMirrorIsAway) {
  const FaultServer upstream([](Exchange& e) { e.Reply(404, ""); });
  Node node(Only(upstream) + "[host.\"http://127.0.0.1:1\"]\n");
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "not-found"));
}

BOOST_DATA_TEST_CASE(NoReferrersApi_IsNone, boost::unit_test::data::make({400, 404, 405, 406, 501}),
                     status) {
  const FaultServer server([&](Exchange& e) { e.Reply(status, ""); });
  Node node(Only(server));
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "not-found"));
}

BOOST_DATA_TEST_CASE(RefusalOfReferrers_IsNotNone,
                     boost::unit_test::data::make({401, 403, 429, 500, 502, 503, 204, 410}),
                     status) {
  const FaultServer server([&](Exchange& e) { e.Reply(status, ""); });
  Node node(Only(server));
  BOOST_TEST(!Has(End(node.Fetch(What::kReferrers)), "not-found"));
}

BOOST_DATA_TEST_CASE(TokenServerThatKnowsNothing_IsNotNone,
                     boost::unit_test::data::make({400, 404, 405, 406, 501}), status) {
  const FaultServer server([&](Exchange& e) {
    if (Has(e.request().target, "/token")) return e.Reply(status, "");
    e.Reply(
        401, "",
        "WWW-Authenticate: Bearer realm=\"http://" + e.request().Header("host") + "/token\"\r\n");
  });
  Node node(Only(server));
  const std::string end = End(node.Fetch(What::kReferrers));
  BOOST_TEST(!Has(end, "not-found"), end);
}

BOOST_AUTO_TEST_CASE(BodyThatIsNoIndex_IsNoApi) {
  for (const char* body : {"", "<html>", "[]", "{}", "not found"}) {
    const FaultServer server([&](Exchange& e) { e.Reply(200, body); });
    Node node(Only(server));
    BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "not-found"), body);
  }
}

BOOST_AUTO_TEST_CASE(OtherThan404_ForAManifest_IsNotNone) {
  for (const int status : {400, 405, 406, 500, 501}) {
    const FaultServer server([&](Exchange& e) { e.Reply(status, ""); });
    Node node(Only(server));
    BOOST_TEST(Has(End(node.Fetch(What::kManifest)), "server-error"), status);
  }
}

BOOST_AUTO_TEST_CASE(Pages_AreFollowedOnTheSameHost) {
  const FaultServer server([](Exchange& e) {
    const bool first = !Has(e.request().target, "page=2");
    e.Reply(200, kIndex, first ? "Link: <?page=2>; rel=\"next\"\r\n" : "");
  });
  const FaultServer upstream([](Exchange& e) { e.Reply(404, ""); });
  Node node(Only(upstream) + Mirror(server));
  FileRequest request = Asking(What::kReferrers);
  const Fetched first = node.Fetch(request);
  BOOST_REQUIRE(first);
  BOOST_TEST(first->registry->next_page == "page=2");
  request.registry->page = first->registry->next_page;
  const Fetched second = node.Fetch(request);
  BOOST_REQUIRE_MESSAGE(second, End(second));
  BOOST_TEST(second->registry->next_page == "");
  BOOST_TEST(server.requests()[1].target ==
             "/v2/shop/web/referrers/" + kDigest.ToString() + "?page=2&ns=" + kRegistry);
}

BOOST_AUTO_TEST_CASE(PromisedPageThatIsGone_IsNotNone_AndNoOtherHostIsAsked) {
  const FaultServer mirror([](Exchange& e) { e.Reply(404, ""); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, kIndex); });
  Node node(Only(upstream) + Mirror(mirror));
  FileRequest request = Asking(What::kReferrers);
  request.registry->page = "page=2";
  BOOST_TEST(Has(End(node.Fetch(request)), "server-error"));
  BOOST_TEST(upstream.requests().empty());
}

BOOST_AUTO_TEST_CASE(PageAtAnotherHost_IsRefused_AndTheFirstOneRead) {
  for (const char* link :
       {"<https://evil.example/v2/?page=2>; rel=\"next\"", "<?page=2", "</v2/>; rel=next"}) {
    const FaultServer server(
        [&](Exchange& e) { e.Reply(200, kIndex, "Link: " + std::string(link) + "\r\n"); });
    Node node(Only(server));
    FileRequest request = Asking(What::kReferrers);
    const Fetched first = node.Fetch(request);
    BOOST_REQUIRE_MESSAGE(first, End(first));
    BOOST_TEST(first->bytes == kIndex);
    request.registry->page = first->registry->next_page;
    BOOST_TEST(!request.registry->page.empty());
    BOOST_TEST(Has(End(node.Fetch(request)), "server-error"), End(node.Fetch(request)));
    BOOST_TEST(server.requests().size() == 1U);
  }
}

// hosts.toml.

BOOST_AUTO_TEST_CASE(Capabilities_SayWhoIsAskedWhat) {
  const FaultServer pulls([](Exchange& e) { e.Reply(200, kBytes); });
  const FaultServer all([](Exchange& e) {
    e.request().method == "HEAD"
        ? Head(e, 200, Digested(kDigest))
        : e.Reply(200, Has(e.request().target, "referrers") ? kIndex : kBytes);
  });
  Node node(Only(all) + Mirror(pulls, "capabilities = [\"pull\"]\n"));
  BOOST_TEST(node.Fetch(What::kResolve)->registry->host_number == 0U);
  BOOST_TEST(node.Fetch(What::kReferrers)->registry->host_number == 0U);
  BOOST_TEST(pulls.requests().empty());
  BOOST_TEST(!node.Fetch(What::kBlob)->registry->upstream);
  BOOST_TEST(pulls.requests().size() == 1U);
  node.Configure("capabilities = [\"pull\"]\n" + Only(all));
  BOOST_TEST(Has(End(node.Fetch(What::kResolve)), "no host of registry.example may be asked this"));
}

BOOST_AUTO_TEST_CASE(WithoutReferrersAnywhere_HostsThatResolveAreAsked) {
  const FaultServer server([](Exchange& e) { e.Reply(200, kIndex); });
  Node node("capabilities = [\"pull\", \"resolve\"]\n" + Only(server));
  BOOST_TEST(node.Fetch(What::kReferrers).has_value());
}

BOOST_AUTO_TEST_CASE(HostsToml_IsReadAtEveryQuestion) {
  const FaultServer one([](Exchange& e) { e.Reply(200, kBytes); });
  const FaultServer two([](Exchange& e) { e.Reply(200, kBytes); });
  Node node(Only(one));
  BOOST_TEST(node.Fetch(What::kBlob).has_value());
  node.Configure(Only(two));
  BOOST_TEST(node.Fetch(What::kBlob).has_value());
  BOOST_TEST(one.requests().size() == 1U);
  node.Configure("server = \n");
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "hosts.toml:1:"));
}

BOOST_AUTO_TEST_CASE(Headers_AreSentToTheirHostAlone) {
  const FaultServer mirror([](Exchange& e) { e.Reply(404, ""); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, kBytes); });
  Node node(Only(upstream) +
            Mirror(mirror, "[host.\"" + mirror.Url() + "\".header]\nx-key = [\"a\", \"b\"]\n"));
  BOOST_TEST(node.Fetch(What::kBlob).has_value());
  BOOST_TEST(mirror.requests()[0].Header("x-key") == "b");
  BOOST_TEST(upstream.requests()[0].Header("x-key") == "");
}

BOOST_AUTO_TEST_CASE(LoopbackRegistry_IsTriedOverTls_AndAskedInPlain) {
  const FaultServer server([](Exchange& e) { e.Reply(200, kBytes); });
  RegistryFetcher fetcher(TrustServer{}, {});
  FileRequest request = Asking(What::kBlob);
  request.registry->repository = "127.0.0.1:" + std::to_string(server.port()) + "/shop/web";
  MetadataFetcher::Terms terms;
  terms.deadline = std::chrono::steady_clock::now() + 20s;
  const Fetched fetched = fetcher.Fetch(request, terms).fetched;
  BOOST_TEST(fetched.has_value(), End(fetched));
}

BOOST_AUTO_TEST_CASE(ManifestByDigest_IsAskedOfEveryHost_AsContainerdDoes) {
  const FaultServer resolves([](Exchange& e) { e.Reply(200, kBytes); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, kBytes); });
  Node node(Only(upstream) + Mirror(resolves, "capabilities = [\"resolve\"]\n"));
  BOOST_TEST(node.Fetch(What::kManifest)->registry->host_number == 0U);
  BOOST_TEST(node.Fetch(What::kBlob)->registry->upstream);
}

BOOST_AUTO_TEST_CASE(Mirror_IsToldTheRegistrysPortInEscapes) {
  const FaultServer mirror([](Exchange& e) { e.Reply(200, kBytes); });
  Node node("");
  node.ConfigureFor("_default", "server = \"" + mirror.Url() + "\"\n");
  FileRequest request = Asking(What::kBlob);
  request.registry->repository = "registry.example:5000/shop/web";
  BOOST_TEST(End(node.Fetch(request)) == "ok");
  BOOST_TEST(Has(mirror.requests()[0].target, "?ns=registry.example%3A5000"));
}

// Redirects.

/// A registry that sends on, over TLS, and a storage, both of one CA.
struct Redirecting {
  explicit Redirecting(std::function<std::string(const std::string& storage)> location,
                       int status = 307, int storage_status = 200)
      : storage([storage_status](Exchange& e) { e.Reply(storage_status, kBytes); },
                FaultServer::Tls{authority.Issue({})}),
        registry(
            [this, location, status](Exchange& e) {
              e.Reply(status, "", "Location: " + location(storage.Url("localhost")) + "\r\n");
            },
            FaultServer::Tls{authority.Issue({})}),
        node("") {
    const std::string ca = node.Write("ca.pem", authority.certificate);
    node.Configure("server = \"" + registry.Url() + "\"\nca = \"" + ca +
                   "\"\n[header]\nx-key = \"secret\"\n");
    RegistryCredentials credentials;
    credentials.registry_token = "dG9rZW4";
    node.credentials = std::make_shared<const RegistryCredentials>(credentials);
  }
  std::string End() { return trust::End(node.Fetch(What::kBlob)); }

  TlsIdentity authority = TlsIdentity::Authority();
  FaultServer storage;
  FaultServer registry;
  Node node;
};

BOOST_DATA_TEST_CASE(Redirect_IsFollowed_WithoutCredentialsAndHeaders,
                     boost::unit_test::data::make({301, 302, 303, 307, 308}), status) {
  Redirecting setup([](const std::string& storage) { return storage + "/blob?sig=1"; }, status);
  BOOST_TEST(setup.End() == "ok");
  BOOST_TEST(setup.registry.requests()[0].Header("authorization") == "Bearer dG9rZW4");
  BOOST_TEST(setup.registry.requests()[0].Header("x-key") == "secret");
  const auto asked = setup.storage.requests();
  BOOST_REQUIRE(asked.size() == 1U);
  BOOST_TEST(asked[0].target == "/blob?sig=1");
  BOOST_TEST(asked[0].Header("authorization") == "");
  BOOST_TEST(asked[0].Header("x-key") == "");
}

// trust/RULES.md#time
BOOST_AUTO_TEST_CASE(Date_IsToldWhereTlsVouchesForTheHost_AndOfNobodyElse) {
  const std::string date = "Date: Mon, 30 Nov 2026 02:00:00 GMT\r\n";
  const auto answer = [&](Exchange& e) { e.Reply(200, kBytes, date); };
  const TlsIdentity authority = TlsIdentity::Authority();
  const FaultServer plain(answer);
  const FaultServer tls(answer, FaultServer::Tls{authority.Issue({})});
  const FaultServer sends_on(
      [&](Exchange& e) {
        e.Reply(307, "", date + "Location: " + tls.Url("localhost") + "/blob\r\n");
      },
      FaultServer::Tls{authority.Issue({})});
  Node node("");
  const std::string ca = "ca = \"" + node.Write("ca.pem", authority.certificate) + "\"\n";
  const auto told = [&](const std::string& hosts_toml) {
    node.Configure(hosts_toml);
    const auto answered = node.Ask(Asking(What::kBlob));
    BOOST_TEST(End(answered.fetched) == "ok");
    return answered.server_date;
  };
  BOOST_TEST((told(Only(tls) + ca) == ParseRfc3339("2026-11-30T02:00:00Z").value()));
  BOOST_TEST(!told(Only(plain)));
  BOOST_TEST(!told(Only(tls) + "skip_verify = true\n"));
  BOOST_TEST(!told(Only(sends_on) + ca));
}

BOOST_AUTO_TEST_CASE(RedirectedBytes_AreHashed) {
  Redirecting setup([](const std::string& storage) { return storage + "/blob"; });
  FileRequest request = Asking(What::kBlob);
  request.registry->digest = Sha256Digest(Sha256Of("other"));
  BOOST_TEST(Has(End(setup.node.Fetch(request)), "its bytes are not those"));
}

BOOST_AUTO_TEST_CASE(Redirect_ToAMachinesCredentials_IsRefused) {
  for (const char* where :
       {"https://169.254.169.254/latest", "https://[fe80::1]/", "https://2852039166/x",
        "https://0xa9fea9fe/", "https://[::ffff:169.254.169.254]/", "https://0/",
        "https://[64:ff9b::a9fe:a9fe]/", "https://224.0.0.1/"}) {
    Redirecting setup([&](const std::string&) { return where; });
    const std::string end = setup.End();
    BOOST_TEST(Has(end, "its address may not be asked from where it was named"),
               where << ": " << end);
  }
}

BOOST_AUTO_TEST_CASE(Redirect_ToPlainHttp_IsRefused) {
  Redirecting setup(
      [](const std::string& storage) { return "http" + storage.substr(5) + "/blob"; });
  BOOST_TEST(Has(setup.End(), "it is plain http"));
  BOOST_TEST(setup.storage.requests().empty());
}

BOOST_AUTO_TEST_CASE(Redirect_ToNoAddress_IsRefused) {
  for (const char* where :
       {"", "file:///etc/passwd", "ftp://127.0.0.1/", "https://", "https:///etc", "https://a b/",
        "https://user:x@127.0.0.1/", "gopher://127.0.0.1"}) {
    Redirecting setup([&](const std::string&) { return where; });
    const std::string end = setup.End();
    BOOST_TEST(Has(end, "server-error"), where << ": " << end);
    BOOST_TEST(setup.registry.requests().size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(Redirects_EndAfterTwo) {
  // The registry's own relative Location goes round and round.
  Redirecting setup([](const std::string&) { return "/again"; });
  BOOST_TEST(Has(setup.End(), "it sends on once more"));
  BOOST_TEST(setup.registry.requests().size() == 3U);
  BOOST_TEST(setup.registry.requests()[1].Header("authorization") == "");
}

// Object storage answers so for what it no longer has.
BOOST_AUTO_TEST_CASE(RefusalByWhereItIsSentOnTo_IsNoRefusalOfTheRegistry) {
  Redirecting setup([](const std::string& storage) { return storage + "/blob"; }, 307, 403);
  BOOST_TEST(Has(setup.End(), "status 403"));
  BOOST_TEST(Has(setup.End(), "status 403"));
  BOOST_TEST(setup.registry.requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(RedirectOfATokenServer_IsNotFollowed) {
  const FaultServer evil([](Exchange& e) { e.Reply(200, R"({"token":"x"})"); });
  const FaultServer server([&](Exchange& e) {
    if (Has(e.request().target, "/token"))
      return e.Reply(307, "", "Location: " + evil.Url() + "/\r\n");
    e.Reply(
        401, "",
        "WWW-Authenticate: Bearer realm=\"http://" + e.request().Header("host") + "/token\"\r\n");
  });
  Node node(Only(server));
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "status 307"));
  BOOST_TEST(evil.requests().empty());
}

// Credentials and refusals.

SharedCredentials Password(const std::string& password) {
  RegistryCredentials credentials;
  credentials.username = "u";
  credentials.password = password;
  return std::make_shared<const RegistryCredentials>(credentials);
}

BOOST_AUTO_TEST_CASE(Token_IsAskedFor_ToPullThatRepository) {
  const FaultServer server([](Exchange& e) {
    const auto& request = e.request();
    if (Has(request.target, "/token")) return e.Reply(200, R"({"token":"good"})");
    if (request.Header("authorization") == "Bearer good") return e.Reply(200, kBytes);
    e.Reply(401, "",
            "WWW-Authenticate: Bearer realm=\"http://" + request.Header("host") +
                "/token\",service=\"s\",scope=\"repository:other:push\"\r\n");
  });
  Node node(Only(server));
  node.credentials = Password("p");
  BOOST_TEST(End(node.Fetch(What::kBlob)) == "ok");
  const auto requests = server.requests();
  BOOST_REQUIRE(requests.size() == 3U);
  BOOST_TEST(Has(requests[1].target, "scope=repository%3Ashop%2Fweb%3Apull"));
  BOOST_TEST(End(node.Fetch(What::kManifest)) == "ok");
  BOOST_TEST(server.requests().size() == 4U);
}

// containerd's ParseAuth: a pull that says which server its secret is for.
BOOST_AUTO_TEST_CASE(ServerAddress_TheSecretGoesToThatHostAlone) {
  const std::function<void(Exchange&)> wants_secret = [](Exchange& e) {
    const bool good = e.request().Header("authorization") == "Basic dTpw";  // u:p
    good ? e.Reply(200, kBytes) : e.Reply(401, "", "WWW-Authenticate: Basic realm=\"r\"\r\n");
  };
  const auto asked = [&](const std::function<std::string(const FaultServer& upstream)>& address) {
    const FaultServer mirror(wants_secret);
    const FaultServer upstream(wants_secret);
    Node node(Only(upstream) + Mirror(mirror));
    RegistryCredentials credentials = *Password("p");
    credentials.server_address = address(upstream);
    node.credentials = std::make_shared<const RegistryCredentials>(credentials);
    const std::string end = End(node.Fetch(What::kBlob));
    const auto had = [](const FaultServer& server) {
      const auto requests = server.requests();
      return std::any_of(requests.begin(), requests.end(), [](const auto& request) {
        return !request.Header("authorization").empty();
      });
    };
    return std::string(had(mirror) ? "mirror " : "") + (had(upstream) ? "upstream " : "") +
           (end == "ok" ? end : "refused");
  };
  BOOST_TEST(asked([](const FaultServer&) { return ""; }) == "mirror ok");
  BOOST_TEST(asked([](const FaultServer& of) { return of.Url() + "/v1/"; }) == "upstream ok");
  BOOST_TEST(asked([](const FaultServer&) { return "https://evil.example"; }) == "refused");
  // It is no URL, so that it names no host.
  BOOST_TEST(asked([](const FaultServer& of) { return of.Url().substr(7); }) == "refused");
}

BOOST_AUTO_TEST_CASE(RealmElsewhere_GetsNothing) {
  const FaultServer server([](Exchange& e) {
    e.Reply(401, "", "WWW-Authenticate: Bearer realm=\"https://evil.example/token\"\r\n");
  });
  Node node(Only(server));
  node.credentials = Password("p");
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "credentials-refused"));
}

BOOST_AUTO_TEST_CASE(Refusal_IsKeptForTheseCredentialsAndThisRepositoryAlone) {
  const FaultServer server([](Exchange& e) {
    const bool good = e.request().Header("authorization") == "Basic dTpnb29k";  // u:good
    good ? e.Reply(200, kBytes) : e.Reply(401, "", "WWW-Authenticate: Basic realm=\"r\"\r\n");
  });
  Node node(Only(server));
  node.credentials = Password("bad");
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "credentials-refused"));
  const std::size_t asked = server.requests().size();
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "credentials-refused"));
  BOOST_TEST(server.requests().size() == asked);
  node.credentials = Password("good");
  BOOST_TEST(End(node.Fetch(What::kBlob)) == "ok");
  node.credentials = Password("bad");
  FileRequest other = Asking(What::kBlob);
  other.registry->repository = kRegistry + "/shop/other";
  BOOST_TEST(Has(End(node.Fetch(other)), "credentials-refused"));
  BOOST_TEST(server.requests().size() > asked + 2U);
}

BOOST_AUTO_TEST_CASE(TooManyRequests_IsTold_AndThePauseKept) {
  const FaultServer server([](Exchange& e) { e.Reply(429, "", "Retry-After: 120\r\n"); });
  Node node(Only(server));
  const std::string end = End(node.Fetch(What::kResolve));
  BOOST_TEST(Has(end, "status 429, too many requests"), end);
  BOOST_TEST(Has(end, "a pause of 120 s"), end);
  BOOST_TEST(End(node.Fetch(What::kBlob)) == end);
  BOOST_TEST(server.requests().size() == 1U);
  node.credentials = Password("p");
  node.Fetch(What::kBlob);
  BOOST_TEST(server.requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(RefusalOfReferrersAlone_KeepsNobodyFromTheOtherPlaces) {
  const FaultServer server([](Exchange& e) {
    Has(e.request().target, "/referrers/") ? e.Reply(403, "") : e.Reply(200, kBytes);
  });
  Node node(Only(server));
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "credentials-refused"));
  BOOST_TEST(End(node.Fetch(What::kManifest)) == "ok");
  BOOST_TEST(End(node.Fetch(What::kBlob)) == "ok");
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "credentials-refused"));
  BOOST_TEST(server.requests().size() == 3U);
}

BOOST_AUTO_TEST_CASE(RefusalOfThePull_IsKeptForReferrersToo) {
  const FaultServer server([](Exchange& e) { e.Reply(403, ""); });
  Node node(Only(server));
  BOOST_TEST(Has(End(node.Fetch(What::kManifest)), "credentials-refused"));
  BOOST_TEST(Has(End(node.Fetch(What::kReferrers)), "credentials-refused"));
  BOOST_TEST(server.requests().size() == 1U);
}

BOOST_AUTO_TEST_CASE(RetryAfterZero_IsNoPause) {
  const FaultServer server([](Exchange& e) { e.Reply(429, "", "Retry-After: 0\r\n"); });
  Node node(Only(server));
  node.Fetch(What::kBlob);
  node.Fetch(What::kBlob);
  BOOST_TEST(server.requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(SilentMirror_LeavesTimeForTheUpstream) {
  const FaultServer mirror([](Exchange& e) { e.UntilClientGoes(); });
  const FaultServer upstream([](Exchange& e) { e.Reply(200, kBytes); });
  Node node(Only(upstream) + Mirror(mirror));
  node.patience = 400ms;
  const Fetched fetched = node.Fetch(What::kBlob);
  BOOST_REQUIRE_MESSAGE(fetched, End(fetched));
  // One name alone silences nobody; a second one does.
  FileRequest other = Asking(What::kBlob);
  other.registry->repository = kRegistry + "/shop/other";
  BOOST_TEST(node.Fetch(other).has_value());
  BOOST_TEST(node.Fetch(other).has_value());
  BOOST_TEST(mirror.requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(HostThatCannotBeConnectedTo_IsNotWaitedForAgainSoSoon) {
  Node node("server = \"http://127.0.0.1:1\"\n");
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "unreachable"));
  BOOST_TEST(Has(End(node.Fetch(What::kBlob)), "it did not answer a moment ago"));
}

BOOST_AUTO_TEST_CASE(RegistriesThatPodsMakeUp_AreForgottenBeforeTheyTakeMemory) {
  const FaultServer server([](Exchange& e) { e.Reply(403, ""); });
  Node node(Only(server));
  const auto ask = [&](const std::string& registry) {
    FileRequest request = Asking(What::kBlob);
    request.registry->repository = registry + "/shop/web";
    node.Fetch(request);
    return server.requests().size();
  };
  BOOST_TEST(ask(kRegistry) == 1U);
  BOOST_TEST(ask(kRegistry) == 1U);
  for (std::size_t i = 0; i < 48; ++i) {
    const std::string name = "r" + std::to_string(i) + ".example";
    node.ConfigureFor(name, Only(server));
    BOOST_TEST(ask(name) == i + 2);
  }
  BOOST_TEST(ask(kRegistry) == 50U);
}

BOOST_AUTO_TEST_CASE(NoTimeLeft_IsNotNone) {
  const FaultServer server([](Exchange& e) { e.Reply(404, ""); });
  Node node(Only(server));
  node.budget = 0ms;
  BOOST_TEST(!Has(End(node.Fetch(What::kReferrers)), "not-found"));
}

BOOST_AUTO_TEST_CASE(RequestThatIsForNoRegistry_Fails) {
  Node node("");
  BOOST_TEST(Has(End(node.Fetch(FileRequest{})), "unreachable"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
