// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/http_fetcher.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/trust_io/fault_server.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "trust/base/time.h"
#include "trust/notary/notary_refresh.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Exchange = FaultServer::Exchange;
using Steady = std::chrono::steady_clock;

// As a Notary's files are asked for.
FileRequest Asking(const std::string& file, std::size_t max_bytes) {
  return RequestFor("registry.example:5000/shop/web", {file, max_bytes, std::nullopt}, {});
}
const FileRequest kTimestamp = Asking("timestamp.json", 1000);
const std::string kHead = "HTTP/1.1 200 OK\r\n";

std::unique_ptr<HttpFetcher> FetcherFor(const TrustServer& server) {
  Result<std::unique_ptr<HttpFetcher>> fetcher = HttpFetcher::Create(server, {});
  BOOST_REQUIRE(fetcher);
  return *std::move(fetcher);
}

TrustServer At(const std::string& url) {
  TrustServer server;
  server.label = "acme";
  server.url = url;
  return server;
}

MetadataFetcher::Terms Within(std::chrono::milliseconds budget,
                              std::chrono::milliseconds patience = 10s) {
  MetadataFetcher::Terms terms;
  terms.deadline = Steady::now() + budget;
  terms.patience = patience;
  return terms;
}

Fetched FetchOnce(FaultServer::Answer answer, std::chrono::milliseconds budget = 20s,
                  std::chrono::milliseconds patience = 10s) {
  const FaultServer server(std::move(answer));
  return FetcherFor(At(server.Url()))->Fetch(kTimestamp, Within(budget, patience)).fetched;
}

// How it ended, in one word.
std::string Word(const Fetched& fetched) {
  if (fetched) return "bytes";
  switch (fetched.error().kind) {
    case FetchFailure::Kind::kNotFound:
      return "not-found";
    case FetchFailure::Kind::kTooLarge:
      return "too-large";
    case FetchFailure::Kind::kNetwork:
      break;
  }
  return std::string(WordOf(fetched.error().cause));
}

BOOST_AUTO_TEST_SUITE(HttpFetcherTest)

std::string Why(const Fetched& fetched) {
  return fetched || !fetched.error().why ? "" : Explained(*fetched.error().why);
}

BOOST_AUTO_TEST_CASE(Refusal_IsToldWithItsStatusAndReason) {
  const std::string why = Why(FetchOnce([](Exchange& e) {
    e.Reply(429, R"({"errors":[{"code":"TOOMANYREQUESTS","message":"slow\ndown"}]})",
            "Retry-After: 120\r\n");
  }));
  BOOST_TEST(why.find("127.0.0.1:") == 0U);
  BOOST_TEST(why.find(" answers with status 429, too many requests, and says \"TOOMANYREQUESTS: "
                      "slow down\"; it asks for a pause of 120 s") != std::string::npos);
  const std::string denied =
      Why(FetchOnce([](Exchange& e) { e.Reply(403, "<title>Blocked</title>"); }));
  BOOST_TEST(denied.find("status 403, access is refused, and says \"Blocked\"; asked without "
                         "credentials") != std::string::npos);
  const std::string huge =
      Why(FetchOnce([](Exchange& e) { e.Reply(500, std::string(60'000, 'x')); }));
  BOOST_TEST(huge.size() < 400U);
}

BOOST_AUTO_TEST_CASE(RetryAfter_ThatIsNoNumber_IsLeftOut) {
  for (const char* value : {"Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1x", ""}) {
    const std::string why = Why(FetchOnce(
        [&](Exchange& e) { e.Reply(429, "", "Retry-After: " + std::string(value) + "\r\n"); }));
    BOOST_TEST(why.find("status 429") != std::string::npos);
    BOOST_TEST(why.find("pause") == std::string::npos, value);
  }
}

BOOST_AUTO_TEST_CASE(Request_NamesTheFileAsTheServerDoes) {
  const FaultServer server([](Exchange& exchange) { exchange.Reply(200, "x"); });
  const auto fetcher = FetcherFor(At(server.Url() + "/sub"));
  fetcher->Fetch(Asking("targets/releases.00ff.json", 10), Within(20s));
  const FaultServer::Request request = server.requests().front();
  BOOST_TEST(request.method == "GET");
  BOOST_TEST(request.target ==
             "/sub/v2/registry.example:5000/shop/web/_trust/tuf/targets/releases.00ff.json");
  BOOST_TEST(request.Header("authorization").empty());
  BOOST_TEST(request.Header("cache-control").empty());
  BOOST_TEST(request.Header("accept-encoding").empty());
}

BOOST_AUTO_TEST_CASE(Request_PastCaches_SaysSo) {
  const FaultServer server([](Exchange& exchange) { exchange.Reply(200, "x"); });
  MetadataFetcher::Terms terms = Within(20s);
  terms.caches = HttpRequest::Caches::kMustAskServer;
  FetcherFor(At(server.Url()))->Fetch(kTimestamp, terms);
  BOOST_TEST(server.requests().front().Header("cache-control") == "no-cache");
}

struct Status {
  int status;
  std::string expected;
};
std::ostream& operator<<(std::ostream& out, const Status& row) { return out << row.status; }

const std::vector<Status> kStatuses = {{200, "bytes"},
                                       {201, "server-error"},
                                       {202, "server-error"},
                                       {203, "server-error"},
                                       {206, "server-error"},
                                       {300, "server-error"},
                                       {301, "server-error"},
                                       {302, "server-error"},
                                       {307, "server-error"},
                                       {308, "server-error"},
                                       {400, "server-error"},
                                       {401, "credentials-refused"},
                                       {403, "credentials-refused"},
                                       {404, "not-found"},
                                       {405, "server-error"},
                                       {410, "server-error"},
                                       {418, "server-error"},
                                       {429, "server-error"},
                                       {500, "server-error"},
                                       {502, "server-error"},
                                       {503, "server-error"}};

BOOST_DATA_TEST_CASE(Status_HasOneMeaning, boost::unit_test::data::make(kStatuses), row) {
  BOOST_TEST(Word(FetchOnce([&](Exchange& exchange) {
               exchange.Reply(row.status, "body", "Location: http://127.0.0.1:1/\r\n");
             })) == row.expected);
}

BOOST_AUTO_TEST_CASE(Redirect_IsNeverFollowed) {
  const FaultServer elsewhere([](Exchange& exchange) { exchange.Reply(200, "evil"); });
  const std::string location = "Location: " + elsewhere.Url() + "/x\r\n";
  for (const int status : {301, 302, 303, 307, 308}) {
    BOOST_TEST(!FetchOnce([&](Exchange& exchange) { exchange.Reply(status, "", location); }));
  }
  BOOST_TEST(elsewhere.requests().empty());
}

struct Fault {
  std::string name;
  FaultServer::Answer answer;
  std::string expected;
};
std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

FaultServer::Answer Sends(const std::string& bytes) {
  return [bytes](Exchange& exchange) {
    exchange.Send(bytes);
    exchange.Close();
  };
}

const std::vector<Fault> kFaults = {
    {"exactly_the_limit", [](Exchange& e) { e.Reply(200, std::string(1000, 'x')); }, "bytes"},
    {"one_byte_more", [](Exchange& e) { e.Reply(200, std::string(1001, 'x')); }, "too-large"},
    {"length_beyond_the_limit_announced", Sends(kHead + "Content-Length: 1001\r\n\r\nx"),
     "too-large"},
    {"length_beyond_64_bits", Sends(kHead + "Content-Length: 99999999999999999999999\r\n\r\nx"),
     "too-large"},
    {"length_negative", Sends(kHead + "Content-Length: -5\r\n\r\nx"), "server-error"},
    {"chunked", Sends(kHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"),
     "bytes"},
    {"chunked_beyond_the_limit_by_white_space",
     Sends(kHead + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, ' ') +
           "\r\n0\r\n\r\n"),
     "too-large"},
    {"chunked_cut", Sends(kHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"),
     "unreachable"},
    {"chunked_cut_in_a_chunk", Sends(kHead + "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"),
     "unreachable"},
    {"chunk_size_is_garbage", Sends(kHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
     "unreachable"},
    {"shorter_than_announced", Sends(kHead + "Content-Length: 10\r\n\r\nabc"), "unreachable"},
    {"nothing_at_all", Sends(""), "unreachable"},
    {"half_a_status_line", Sends("HTTP/1."), "unreachable"},
    {"garbage", Sends("\x16\x03\x01garbage\r\n\r\n"), "server-error"},
    {"http_0_9", Sends("{\"signed\":{}}"), "server-error"},
    {"interim_answers_first",
     Sends("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n" + kHead +
           "Content-Length: 1\r\n\r\nx"),
     "bytes"},
    {"interim_404_before_200",
     Sends("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" + kHead +
           "Content-Length: 1\r\n\r\nx"),
     "not-found"},
    {"headers_without_end",
     [](Exchange& e) {
       e.Send(kHead);
       while (e.Send("X-Filler: " + std::string(1000, 'x') + "\r\n")) continue;
     },
     "server-error"},
    {"body_without_end",
     [](Exchange& e) {
       e.Send(kHead + "\r\n");
       while (e.Send(std::string(1000, ' '))) continue;
     },
     "too-large"},
    {"refusal_without_end",
     [](Exchange& e) {
       e.Send("HTTP/1.1 404 Not Found\r\n\r\n");
       while (e.Send(std::string(1000, ' '))) continue;
     },
     "not-found"},
    {"compressed_though_not_asked_for",
     Sends(kHead + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), "bytes"},
};

BOOST_DATA_TEST_CASE(Answer_ThatIsWrong_IsRefused, boost::unit_test::data::make(kFaults), fault) {
  BOOST_TEST(Word(FetchOnce(fault.answer)) == fault.expected);
}

BOOST_AUTO_TEST_CASE(Silence_EndsWithThePatience) {
  const auto before = Steady::now();
  BOOST_TEST(Word(FetchOnce([](Exchange& e) { e.UntilClientGoes(); }, 60s, 300ms)) == "timeout");
  BOOST_TEST((Steady::now() - before < 20s));
}

BOOST_AUTO_TEST_CASE(Silence_AfterHalfTheBody_EndsWithThePatience) {
  const auto answer = [](Exchange& e) {
    e.Send(kHead + "Content-Length: 10\r\n\r\nabc");
    e.UntilClientGoes();
  };
  BOOST_TEST(Word(FetchOnce(answer, 60s, 300ms)) == "timeout");
}

BOOST_AUTO_TEST_CASE(SlowDrip_EndsWithTheDeadline) {
  const auto answer = [](Exchange& e) {
    e.Send(kHead + "Content-Length: 1000\r\n\r\n");
    while (e.StaysFor(20ms) && e.Send("x")) continue;
  };
  BOOST_TEST(Word(FetchOnce(answer, 500ms, 10s)) == "timeout");
}

BOOST_AUTO_TEST_CASE(SlowDripOfHeaders_EndsWithTheDeadline) {
  const auto answer = [](Exchange& e) {
    e.Send(kHead);
    while (e.StaysFor(20ms) && e.Send("X: y\r\n")) continue;
  };
  BOOST_TEST(Word(FetchOnce(answer, 500ms, 10s)) == "timeout");
}

BOOST_AUTO_TEST_CASE(SlowDrip_EndsWithThePatience_BeforeTheDeadline) {
  const auto answer = [](Exchange& e) {
    e.Send(kHead + "Content-Length: 1000\r\n\r\n");
    while (e.StaysFor(20ms) && e.Send("x")) continue;
  };
  const auto before = Steady::now();
  const Fetched fetched = FetchOnce(answer, 60s, 300ms);
  BOOST_TEST(Word(fetched) == "timeout");
  BOOST_TEST((Steady::now() - before < 2s));
}

BOOST_AUTO_TEST_CASE(LargeBody_ThatFlows_GoesOnPastThePatience) {
  const FaultServer server([](Exchange& e) {
    e.Send(kHead + "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 10 && e.StaysFor(100ms); ++i) e.Send(std::string(10000, 'x'));
  });
  MetadataFetcher::Terms terms = Within(60s, 300ms);
  terms.arrival = std::make_shared<Arrival>();
  auto watched = std::async(std::launch::async, [arrival = terms.arrival] {
    const auto until = Steady::now() + 20s;
    while (!arrival->flows && Steady::now() < until) std::this_thread::sleep_for(1ms);
    return Steady::now() < until;
  });
  const auto fetcher = FetcherFor(At(server.Url()));
  const Fetched fetched = fetcher->Fetch(Asking("targets.json", 200000), terms).fetched;
  BOOST_TEST(Word(fetched) == "bytes");
  BOOST_TEST(watched.get());
  BOOST_TEST(terms.arrival->flows);  // it has yet to be read
  fetcher->Fetch(kTimestamp, terms);
  BOOST_TEST(!terms.arrival->flows);
}

// What tells the silence of a server from that of somebody else.
BOOST_AUTO_TEST_CASE(Failure_SaysWhatWasHeardOfTheServer) {
  const auto heard = [](const std::string& url) {
    MetadataFetcher::Terms terms = Within(60s, 300ms);
    terms.arrival = std::make_shared<Arrival>();
    FetcherFor(At(url))->Fetch(kTimestamp, terms);
    return terms.arrival->heard.load();
  };
  const auto heard_of = [&](FaultServer::Answer answer) {
    const FaultServer server(std::move(answer));
    return heard(server.Url());
  };
  BOOST_TEST((heard_of([](Exchange& e) { e.UntilClientGoes(); }) == Heard::kNoFirstByte));
  BOOST_TEST((heard_of([](Exchange& e) { e.Close(); }) == Heard::kNothingToTell));
  BOOST_TEST((heard_of([](Exchange& e) { e.Reply(503, "x"); }) == Heard::kAnswer));
  BOOST_TEST((heard_of([](Exchange& e) {
                e.Send(kHead + "Content-Length: 10\r\n\r\nabc");
                e.UntilClientGoes();
              }) == Heard::kAnswer));
  std::string gone;
  {
    const FaultServer server([](Exchange& e) { e.Reply(200, "x"); });
    gone = server.Url();
  }
  BOOST_TEST((heard(gone) == Heard::kNoConnection));
  // A token server that hangs is not the trust server.
  const FaultServer tokens([](Exchange& e) { e.UntilClientGoes(); });
  BOOST_TEST((heard_of([&](Exchange& e) {
                e.Reply(401, "",
                        "WWW-Authenticate: Bearer realm=\"" + tokens.Url() + "/token\"\r\n");
              }) == Heard::kNotAsked));
}

BOOST_AUTO_TEST_CASE(DeadlineThatIsOver_AsksNobody) {
  const FaultServer server([](Exchange& e) { e.Reply(200, "x"); });
  BOOST_TEST(Word(FetcherFor(At(server.Url()))->Fetch(kTimestamp, Within(-1ms)).fetched) ==
             "timeout");
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(Stop_BreaksARequestOff) {
  std::stop_source stop;
  const FaultServer server([&](Exchange& e) {
    stop.request_stop();
    e.UntilClientGoes();
  });
  MetadataFetcher::Terms terms = Within(60s, 60s);
  terms.stop = stop.get_token();
  const auto before = Steady::now();
  BOOST_TEST(!FetcherFor(At(server.Url()))->Fetch(kTimestamp, terms).fetched);
  BOOST_TEST((Steady::now() - before < 20s));
}

BOOST_AUTO_TEST_CASE(NobodyListens_IsUnreachable) {
  std::string url;
  {
    url = FaultServer([](Exchange&) {}).Url();
  }
  BOOST_TEST(Word(FetcherFor(At(url))->Fetch(kTimestamp, Within(20s)).fetched) == "unreachable");
}

BOOST_AUTO_TEST_CASE(ConnectionThatFails_IsToldInTheLibrarysWords) {
  TrustServer settings;
  {
    const FaultServer server([](Exchange& e) { e.Reply(200, "x"); });
    settings = At(server.Url());
  }
  const std::string refused = Why(FetcherFor(settings)->Fetch(kTimestamp, Within(20s)).fetched);
  BOOST_TEST(refused.find("Connection refused") != std::string::npos, refused);
}

BOOST_AUTO_TEST_CASE(Connections_AreUsedAgain_AlsoAfterARefusal) {
  const FaultServer server([](Exchange& e) {
    const bool known = e.request().target.ends_with("timestamp.json");
    e.Reply(known ? 200 : 404, "body");
  });
  const auto fetcher = FetcherFor(At(server.Url()));
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(Word(fetcher->Fetch(kTimestamp, Within(20s)).fetched) == "bytes");
    BOOST_TEST(Word(fetcher->Fetch(Asking("x.json", 10), Within(20s)).fetched) == "not-found");
  }
  BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(ConnectionThatTheServerClosedMeanwhile_CostsNoFailure) {
  const FaultServer server([](Exchange& e) {
    e.Reply(200, "x");
    e.Close();
  });
  const auto fetcher = FetcherFor(At(server.Url()));
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(Word(fetcher->Fetch(kTimestamp, Within(20s)).fetched) == "bytes");
  }
}

BOOST_AUTO_TEST_CASE(Proxy_OfTheEnvironment_IsNotUsed_TheConfiguredOneIs) {
  const FaultServer proxy([](Exchange& e) { e.Reply(200, "by proxy"); });
  const FaultServer server([](Exchange& e) { e.Reply(200, "direct"); });
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, proxy.Url().c_str(), 1);
  }
  setenv("no_proxy", "127.0.0.1", 1);
  TrustServer settings = At(server.Url());
  BOOST_TEST(FetcherFor(settings)->Fetch(kTimestamp, Within(20s)).fetched->bytes == "direct");
  settings.proxy = proxy.Url();
  BOOST_TEST(FetcherFor(settings)->Fetch(kTimestamp, Within(20s)).fetched->bytes == "by proxy");
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "no_proxy"}) {
    unsetenv(name);
  }
}

BOOST_AUTO_TEST_CASE(PlainHttp_BeyondLoopback_IsRefusedUnlessGranted) {
  for (const char* url :
       {"http://192.0.2.1", "http://notary.example", "http://127.0.0.1.example",
        "http://127.1.1.1.1", "ftp://127.0.0.1", "file:///etc/passwd", "nonsense"}) {
    BOOST_TEST(!HttpFetcher::Create(At(url), {}));
  }
  TrustServer granted = At("http://notary.example");
  granted.insecure_http = true;
  BOOST_TEST(HttpFetcher::Create(granted, {}).has_value());
  for (const char* url : {"http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"}) {
    BOOST_TEST(HttpFetcher::Create(At(url), {}).has_value());
  }
}

// TLS.

struct TlsSetup {
  TemporaryFolder folder;
  TlsIdentity authority = TlsIdentity::Authority();

  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(folder / name) << content;
    return folder / name;
  }
  TrustServer Trusting(const FaultServer& server) const {
    TrustServer settings = At(server.Url());
    settings.ca_file = Write("ca.pem", authority.certificate);
    return settings;
  }
};

Fetched FetchOverTls(const TlsSetup& setup, const TlsIdentity& identity) {
  const FaultServer server([](Exchange& e) { e.Reply(200, "x"); }, FaultServer::Tls{identity});
  return FetcherFor(setup.Trusting(server))->Fetch(kTimestamp, Within(20s)).fetched;
}

BOOST_AUTO_TEST_CASE(Tls_OfTheConfiguredCa_IsAccepted) {
  const TlsSetup setup;
  BOOST_TEST(Word(FetchOverTls(setup, setup.authority.Issue({}))) == "bytes");
}

BOOST_AUTO_TEST_CASE(Tls_ThatDoesNotVerify_IsTls) {
  const TlsSetup setup;
  const TlsIdentity somebody_else = TlsIdentity::Authority();
  BOOST_TEST(Word(FetchOverTls(setup, somebody_else.Issue({}))) == "tls");
  TlsIdentity::Request request;
  request.names = "DNS:notary.example,IP:127.0.0.2";
  const Fetched of_another_name = FetchOverTls(setup, setup.authority.Issue(request));
  BOOST_TEST(Word(of_another_name) == "tls");
  BOOST_TEST(Why(of_another_name).find("certificate") != std::string::npos, Why(of_another_name));
  request = {};
  request.not_before = -2h;
  request.not_after = -1h;
  BOOST_TEST(Word(FetchOverTls(setup, setup.authority.Issue(request))) == "tls");
  request = {};
  request.not_before = 1h;
  request.not_after = 2h;
  BOOST_TEST(Word(FetchOverTls(setup, setup.authority.Issue(request))) == "tls");
}

BOOST_AUTO_TEST_CASE(Tls_CaFileThatIsGone_IsTls_NotTheSystemsCas) {
  const TlsSetup setup;
  const FaultServer server([](Exchange& e) { e.Reply(200, "x"); },
                           FaultServer::Tls{setup.authority.Issue({})});
  TrustServer settings = setup.Trusting(server);
  settings.ca_file = setup.folder / "gone.pem";
  BOOST_TEST(Word(FetcherFor(settings)->Fetch(kTimestamp, Within(20s)).fetched) == "tls");
}

BOOST_AUTO_TEST_CASE(Tls_OlderThan1_2_IsRefused) {
  const TlsSetup setup;
  FaultServer::Tls old{setup.authority.Issue({})};
  old.at_most_tls_1_1 = true;
  const FaultServer server([](Exchange& e) { e.Reply(200, "x"); }, old);
  BOOST_TEST(Word(FetcherFor(setup.Trusting(server))->Fetch(kTimestamp, Within(20s)).fetched) ==
             "tls");
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(Tls_ClientCertificate_IsShownWhereConfigured) {
  const TlsSetup setup;
  FaultServer::Tls mutual{setup.authority.Issue({})};
  mutual.client_ca = setup.authority.certificate;
  const FaultServer server([](Exchange& e) { e.Reply(200, "x"); }, mutual);
  TrustServer settings = setup.Trusting(server);
  BOOST_TEST(!FetcherFor(settings)->Fetch(kTimestamp, Within(20s)).fetched);
  const TlsIdentity client = setup.authority.Issue({});
  settings.client_cert = setup.Write("client.pem", client.certificate);
  settings.client_key = setup.Write("client.key", client.key);
  BOOST_TEST(Word(FetcherFor(settings)->Fetch(kTimestamp, Within(20s)).fetched) == "bytes");
}

BOOST_AUTO_TEST_CASE(Date_CountsOnlyOverVerifiedTls) {
  const TlsSetup setup;
  const auto answer = [](Exchange& e) {
    e.Reply(200, "x", "Date: Tue, 24 Nov 2026 09:12:00 GMT\r\n");
  };
  const FaultServer plain(answer);
  BOOST_TEST(!FetcherFor(At(plain.Url()))->Fetch(kTimestamp, Within(20s)).server_date);
  const FaultServer server(answer, FaultServer::Tls{setup.authority.Issue({})});
  const auto dated = FetcherFor(setup.Trusting(server))->Fetch(kTimestamp, Within(20s));
  BOOST_REQUIRE(dated.server_date);
  BOOST_TEST(FormatRfc3339(*dated.server_date) == "2026-11-24T09:12:00Z");
}

BOOST_AUTO_TEST_CASE(Date_ThatIsNone_IsLeftOut) {
  const TlsSetup setup;
  const FaultServer server([](Exchange& e) { e.Reply(200, "x", "Date: yesterday-ish\r\n"); },
                           FaultServer::Tls{setup.authority.Issue({})});
  const auto answer = FetcherFor(setup.Trusting(server))->Fetch(kTimestamp, Within(20s));
  BOOST_TEST(answer.fetched.has_value());
  BOOST_TEST(!answer.server_date);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
