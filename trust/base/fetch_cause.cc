// SPDX-License-Identifier: Apache-2.0
#include "trust/base/fetch_cause.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace crivet::trust {
namespace {

using Kind = FetchCause::Kind;
using Asked = FetchCause::Asked;

/// What follows from a status. The first row that holds it counts.
struct StatusRow {
  int first;
  int last;
  std::string_view meaning;
  std::string_view remedy;
};

constexpr StatusRow kStatusRows[] = {
    {401, 401, "it wants credentials",
     "see with which credentials it was asked: auth in [trust.*]"},
    {403, 403, "access is refused",
     "see with which credentials it was asked, and whether something before the server refuses"},
    {404, 404, "it knows nothing of this collection", "see that the collection has been signed"},
    {405, 405, "content trust is not enabled there",
     "enable content trust on that server, or set url to the trust server's own address"},
    {429, 429, "too many requests",
     "ask less often (refresh_interval, max_refresh_rate) or have the server's limit raised"},
    {300, 399, "a redirect, and these are never followed",
     "set url to the address that answers itself"},
    {500, 599, "the server itself fails", "see the log of the server"},
    {0, 999, "no answer of a trust server", "see that url is the address of the trust server"},
};

const StatusRow& RowOf(int status) {
  const auto* row = std::find_if(
      std::begin(kStatusRows), std::end(kStatusRows) - 1,
      [status](const StatusRow& each) { return each.first <= status && status <= each.last; });
  return *row;
}

std::string Who(const FetchCause& cause) {
  return cause.asked == Asked::kTokenServer ? "the token server " + cause.host : cause.host;
}

std::string WithWords(std::string text, const FetchCause& cause) {
  if (!cause.said.empty()) text += ", and says \"" + cause.said + '"';
  if (cause.retry_after) {
    text += "; it asks for a pause of " + std::to_string(cause.retry_after->count()) + " s";
  }
  return text;
}

std::string TextOf(const FetchCause& cause) {
  std::string words = cause.said.empty() ? "no connection" : cause.said;
  switch (cause.kind) {
    case Kind::kStatus:
      return WithWords(Who(cause) + " answers with status " + std::to_string(cause.status) + ", " +
                           std::string(RowOf(cause.status).meaning),
                       cause);
    case Kind::kTokenRefused:
      return WithWords(
          Who(cause) + " refuses the credentials with status " + std::to_string(cause.status),
          cause);
    case Kind::kTokenAnswer:
      return Who(cause) + " answers without a token";
    case Kind::kNoChallenge:
      return WithWords(Who(cause) + " refuses with status " + std::to_string(cause.status) +
                           " and names no way to send credentials that crivet knows",
                       cause);
    case Kind::kRealmNotUrl:
      return "what the server names as its token server is not a URL, so no token was asked for";
    case Kind::kRealmNotHttps:
      return "the server names http://" + cause.host +
             " as its token server, which is plain http: not asked for a token";
    case Kind::kRealmElsewhere:
      return "the server names " + cause.host +
             " as its token server, which is neither its own host nor one of auth_hosts: not asked "
             "for a token";
    case Kind::kAuthFile:
    case Kind::kHostsFile:
      return cause.said;
    case Kind::kRedirect:
      return Who(cause) + " is where the registry sends on to, which is not followed: " + words;
    case Kind::kWrongContent:
      return Who(cause) + " sends something else than was asked for: " + words;
    case Kind::kNotHttp:
      return Who(cause) + " does not answer as an HTTP server: " + words;
    case Kind::kNoAddress:
    case Kind::kNotListening:
    case Kind::kTls:
    case Kind::kTimeout:
    case Kind::kConnection:
      return Who(cause) + ": " + words;
  }
  return words;
}

}  // namespace

NetworkCause WordFor(const FetchCause& cause) {
  switch (cause.kind) {
    case Kind::kStatus:
      // A token server that refuses has a kind of its own.
      return cause.asked == Asked::kServer && (cause.status == 401 || cause.status == 403)
                 ? NetworkCause::kCredentialsRefused
                 : NetworkCause::kServerError;
    case Kind::kTokenRefused:
    case Kind::kNoChallenge:
    case Kind::kRealmNotUrl:
    case Kind::kRealmNotHttps:
    case Kind::kRealmElsewhere:
    case Kind::kAuthFile:
      return NetworkCause::kCredentialsRefused;
    case Kind::kTokenAnswer:
    case Kind::kNotHttp:
    case Kind::kRedirect:
    case Kind::kWrongContent:
      return NetworkCause::kServerError;
    case Kind::kTls:
      return NetworkCause::kTls;
    case Kind::kTimeout:
      return NetworkCause::kTimeout;
    case Kind::kHostsFile:
    case Kind::kNoAddress:
    case Kind::kNotListening:
    case Kind::kConnection:
      break;
  }
  return NetworkCause::kUnreachable;
}

bool LacksCredentials(const FetchCause& cause) {
  const bool never_sent = cause.kind == Kind::kRealmNotUrl || cause.kind == Kind::kRealmNotHttps ||
                          cause.kind == Kind::kRealmElsewhere;
  return WordFor(cause) == NetworkCause::kCredentialsRefused && !never_sent;
}

std::string Explained(const FetchCause& cause) {
  std::string text = TextOf(cause);
  const bool told = !cause.asked_as.empty() && cause.kind != Kind::kAuthFile;
  const bool for_credentials =
      WordFor(cause) == NetworkCause::kCredentialsRefused || cause.status == 404;
  if (told && for_credentials) text += "; asked " + cause.asked_as;
  return text;
}

std::string RemedyFor(const FetchCause& cause) {
  switch (cause.kind) {
    case Kind::kStatus:
      return std::string(RowOf(cause.status).remedy);
    case Kind::kTokenRefused:
      return "see with which credentials it was asked, and that they may pull this collection";
    case Kind::kTokenAnswer:
    case Kind::kNotHttp:
      return "see that this is the address of the trust server, and of its token server";
    case Kind::kNoChallenge:
    case Kind::kRealmNotUrl:
      return "see how the server is set up to ask for tokens: it must name Bearer or Basic";
    case Kind::kRealmNotHttps:
      return "have the server name its token server over https: behind something that ends TLS, "
             "its own external address must say https (Harbor: external_url)";
    case Kind::kRealmElsewhere:
      return "if " + cause.host + " may be given credentials, add it to auth_hosts";
    case Kind::kAuthFile:
      return "see that the user of the daemon may read that file";
    case Kind::kHostsFile:
      return "mend that file, and see that the user of the daemon may read it";
    case Kind::kRedirect:
      return "see where the registry sends its clients: https alone, and no address nearer to this "
             "node than the registry's own";
    case Kind::kWrongContent:
      return "see what stands between this node and the registry, and whether its storage is whole";
    case Kind::kNoAddress:
      return "see the name servers of this node, and how the host is spelt";
    case Kind::kNotListening:
      return "see that the server runs, and the port in url";
    case Kind::kTls:
      return "see the server's certificate, and ca_file in [trust.*]";
    case Kind::kTimeout:
      return "see that the server can be reached from this node, and how busy it is";
    case Kind::kConnection:
      break;
  }
  return "see that the server can be reached from this node";
}

bool SameToPeople(const FetchCause& a, const FetchCause& b) {
  return a.kind == b.kind && a.asked == b.asked && a.host == b.host && a.status == b.status;
}

}  // namespace crivet::trust
