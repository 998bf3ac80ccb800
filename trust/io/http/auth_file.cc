// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/auth_file.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "trust/base/quoted.h"
#include "trust/io/http/secret.h"
#include "trust/signed/json.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;
constexpr std::size_t kMaxDoubts = 8;
constexpr std::string_view kNoHelpers = " is not supported, crivet runs no credential helpers";

Result<std::string> ReadWhole(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return Fail(Reason::kState, "cannot read " + path + " as user " + std::to_string(geteuid()) +
                                    ": " + std::generic_category().message(errno));
  }
  std::string content(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < content.size()) {
    got = read(file, content.data() + size, content.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  close(file);
  if (got < 0 || size > kMaxFileBytes) {
    Wipe(content);
    return Fail(Reason::kMalformed, path + " cannot be read, or is too large");
  }
  content.resize(size);
  return content;
}

Result<JsonDocument> Parse(std::string_view text) {
  return JsonDocument::Parse(text, JsonLimits{.max_bytes = kMaxFileBytes});
}

std::string TextAt(JsonValue entry, std::string_view name) {
  const std::optional<JsonValue> value = entry.Find(name);
  return std::string(value ? value->AsString().value_or("") : "");
}

template <typename Use>
void ForEachMember(const JsonDocument& document, std::string_view name, Use use) {
  const std::optional<JsonValue> value = document.root().Find(name);
  const std::optional<JsonMembers> members = value ? value->AsObject() : std::nullopt;
  if (!members) return;
  for (const JsonMember& member : *members) use(member);
}

// Null where the entry holds nothing.
SharedCredentials CredentialsIn(JsonValue entry) {
  auto found = std::make_shared<RegistryCredentials>();
  found->username = TextAt(entry, "username");
  found->password = TextAt(entry, "password");
  found->identity_token = TextAt(entry, "identitytoken");
  found->registry_token = TextAt(entry, "registrytoken");
  std::string encoded = TextAt(entry, "auth");
  if (std::optional<std::string> pair = FromBase64(encoded)) {
    if (const auto colon = pair->find(':'); colon != std::string::npos) {
      found->username = pair->substr(0, colon);
      // Docker's own reader drops zero bytes that old writers padded with.
      found->password = pair->substr(colon + 1, pair->find('\0', colon) - colon - 1);
    }
    Wipe(*pair);
  }
  Wipe(encoded);
  const bool usable = (!found->username.empty() && !found->password.empty()) ||
                      !found->identity_token.empty() || !found->registry_token.empty();
  return usable ? found : nullptr;
}

/// Where an entry, or a collection, is: `host:port` and a path without its first and last slash.
struct Location {
  std::string host;
  std::string port;
  std::string path;
};

Location LocationOf(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view path = text.substr(slash);
  // Docker and kubelet take the registry's API, as old logins wrote it, for the host alone.
  for (const std::string_view api : {"/v1", "/v2"}) {
    const bool whole = path.size() == api.size() || (path.size() > api.size() && path[3] == '/');
    if (path.starts_with(api) && whole) path.remove_prefix(api.size());
  }
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);

  Location location;
  location.path = path;
  std::string_view host = text.substr(0, slash);
  const std::size_t colon = host.rfind(':');
  const bool in_brackets = host.ends_with(']');
  if (colon != std::string_view::npos && !in_brackets) {
    location.port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  location.host = host;
  std::transform(location.host.begin(), location.host.end(), location.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (location.host == "index.docker.io") location.host = "docker.io";
  return location;
}

bool HasWildcard(const Location& entry) {
  const bool is_ipv6 = entry.host.starts_with('[') && entry.host.find(':') != std::string::npos;
  return entry.host.find_first_of("*?[") != std::string::npos && !is_ipv6;
}

// As kubelet: name by name, so that no wildcard crosses a dot.
bool HostMatches(std::string_view pattern, std::string_view host) {
  while (true) {
    const std::size_t pattern_end = std::min(pattern.find('.'), pattern.size());
    const std::size_t host_end = std::min(host.find('.'), host.size());
    const std::string glob(pattern.substr(0, pattern_end));
    const std::string name(host.substr(0, host_end));
    if (fnmatch(glob.c_str(), name.c_str(), 0) != 0) return false;
    const bool last = pattern_end == pattern.size();
    if (last || host_end == host.size()) return last && host_end == host.size();
    pattern.remove_prefix(pattern_end + 1);
    host.remove_prefix(host_end + 1);
  }
}

bool LiesUnder(std::string_view path, std::string_view above) {
  return above.empty() ||
         (path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/'));
}

/// How well an entry fits a question; more is better. The parts are compared in this order.
using Fit = std::tuple<int, std::size_t, bool, std::string>;

// Whether it is the registry of the collection itself that is asked.
bool IsRegistryOf(const Location& server, const Location& wanted) {
  return server.host == wanted.host && server.port == (wanted.port.empty() ? "443" : wanted.port);
}

std::optional<Fit> FitOf(const Location& entry, const Location& server, const Location& wanted) {
  if (IsRegistryOf(server, wanted)) {
    const bool literal = entry.host == wanted.host;
    const bool host = literal || (HasWildcard(entry) && HostMatches(entry.host, wanted.host));
    const bool port = entry.port == wanted.port || entry.port == server.port;
    if (!host || !port || !LiesUnder(wanted.path, entry.path)) return std::nullopt;
    return Fit{1, entry.path.size(), literal, entry.host};
  }
  const bool server_itself = entry.host == server.host && entry.path.empty();
  if (server_itself && entry.port == server.port) return Fit{3, 0, true, entry.host};
  // Where server and registry are one host, the paths of its entries are told apart below.
  const bool own_host = server_itself && entry.port.empty();
  if (own_host && server.host != wanted.host) return Fit{2, 0, true, entry.host};
  const bool literal = entry.host == wanted.host;
  const bool matches = literal || (HasWildcard(entry) && HostMatches(entry.host, wanted.host));
  if (matches && entry.port == wanted.port && LiesUnder(wanted.path, entry.path)) {
    return Fit{1, entry.path.size(), literal, entry.host};
  }
  if (own_host) return Fit{0, 1, true, entry.host};
  const bool by_wildcard = HasWildcard(entry) && HostMatches(entry.host, server.host) &&
                           entry.path.empty() && (entry.port.empty() || entry.port == server.port);
  return by_wildcard ? std::optional(Fit{0, 0, false, entry.host}) : std::nullopt;
}

// What is there for such a question that cannot be used.
std::string LackOf(const JsonDocument& document, const std::vector<std::string>& empty_entries,
                   const Location& server, const Location& wanted) {
  std::string lack;
  for (const std::string& entry : empty_entries) lack += "; its entry " + entry + " is empty";
  ForEachMember(document, "credHelpers", [&](const JsonMember& helper) {
    const Location of = LocationOf(helper.name);
    if (of.host != server.host && of.host != wanted.host) return;
    lack += "; its credHelpers for " + Quoted(helper.name) + std::string(kNoHelpers);
  });
  const std::string store = TextAt(document.root(), "credsStore");
  if (!store.empty()) lack += "; its credsStore " + Quoted(store) + std::string(kNoHelpers);
  return lack;
}

}  // namespace

Result<AuthFileAnswer> CredentialsInAuthFile(const std::string& path, const HttpUrl& server,
                                             const std::string& collection) {
  Result<std::string> content = ReadWhole(path);
  if (!content) return tl::unexpected(std::move(content.error()));
  const Result<JsonDocument> document = Parse(*content);
  Wipe(*content);
  if (!document) return Fail(Reason::kMalformed, path + " is not a Docker config.json");

  const Location wanted = LocationOf(collection);
  const Location asked{server.host, std::to_string(server.port), ""};
  AuthFileAnswer answer;
  std::optional<Fit> best;
  std::vector<std::string> empty_entries;
  ForEachMember(*document, "auths", [&](const JsonMember& member) {
    const std::optional<Fit> fit = FitOf(LocationOf(member.name), asked, wanted);
    if (!fit || (best && *fit <= *best)) return;
    SharedCredentials credentials = CredentialsIn(member.value);
    if (!credentials) {
      if (empty_entries.size() < kMaxDoubts) empty_entries.push_back(Quoted(member.name));
      return;
    }
    best = fit;
    answer.credentials = std::move(credentials);
    answer.explanation = "with the entry " + Quoted(member.name) + " of " + path;
  });
  if (!best) {
    answer.explanation = "without credentials: " + path + " has none for " + server.host + " or " +
                         collection + LackOf(*document, empty_entries, asked, wanted);
  }
  return answer;
}

Result<std::vector<std::string>> DoubtsOfAuthFile(std::string_view text) {
  const Result<JsonDocument> document = Parse(text);
  if (!document || !document->root().AsObject()) {
    return Fail(Reason::kMalformed, "is not a Docker config.json");
  }
  std::vector<std::string> doubts;
  std::size_t usable = 0;
  const auto doubt = [&doubts](std::string what) {
    if (doubts.size() < kMaxDoubts) doubts.push_back(std::move(what));
  };
  ForEachMember(*document, "auths", [&](const JsonMember& member) {
    if (CredentialsIn(member.value)) {
      ++usable;
    } else {
      doubt("has an empty entry for " + Quoted(member.name));
    }
  });
  ForEachMember(*document, "credHelpers", [&](const JsonMember& helper) {
    doubt("names a credential helper for " + Quoted(helper.name) + ": credHelpers" +
          std::string(kNoHelpers));
  });
  const std::string store = TextAt(document->root(), "credsStore");
  if (!store.empty()) {
    doubt("names a credential store, " + Quoted(store) + ": credsStore" + std::string(kNoHelpers));
  }
  if (usable == 0) {
    doubts.insert(doubts.begin(),
                  "has no credentials that can be used: the server is asked "
                  "anonymously");
  }
  return doubts;
}

}  // namespace crivet::trust
