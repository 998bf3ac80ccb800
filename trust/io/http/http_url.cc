// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/http_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>

namespace crivet::trust {
namespace {

struct UrlPart {
  UrlPart(CURLU* url, CURLUPart part, unsigned int flags) {
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) text = nullptr;
  }
  ~UrlPart() { curl_free(text); }
  UrlPart(const UrlPart&) = delete;
  UrlPart& operator=(const UrlPart&) = delete;
  char* text = nullptr;
};

// Whether a host stands right after the scheme and as it will be asked for. curl skips a third
// slash, and takes escapes out of a host after it has looked for an IPv4 address: read a second
// time the same text may lead elsewhere.
bool NamesHostPlainly(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = text.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  return !authority.empty() && authority.find('%') == std::string_view::npos;
}

// In lower case; curl has checked what is in brackets.
bool IsHost(std::string_view host) {
  constexpr std::string_view kInName = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  if (host.starts_with('[')) return true;
  return !host.empty() && host.find_first_not_of(kInName) == std::string_view::npos;
}

}  // namespace

Result<HttpUrl> HttpUrl::Parse(std::string_view text) {
  const auto refused = [] { return Fail(Reason::kMalformed, "not an http or https URL"); };
  // curl would take some of these for white space to skip.
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || text.size() > 4096 || !NamesHostPlainly(text)) return refused();
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (!url) return refused();
  if (curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_DISALLOW_USER) !=
      CURLUE_OK) {
    return refused();
  }
  const UrlPart scheme(url.get(), CURLUPART_SCHEME, 0);
  const UrlPart host(url.get(), CURLUPART_HOST, 0);
  const UrlPart port(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const UrlPart fragment(url.get(), CURLUPART_FRAGMENT, 0);
  if (scheme.text == nullptr || host.text == nullptr || port.text == nullptr) return refused();
  if (fragment.text != nullptr) return refused();

  HttpUrl parsed;
  const std::string_view scheme_name(scheme.text);
  if (scheme_name != "https" && scheme_name != "http") return refused();
  parsed.https = scheme_name == "https";
  for (char* c = host.text; *c != '\0'; ++c) {
    *c = static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  }
  parsed.host = host.text;
  if (!IsHost(parsed.host)) return refused();
  parsed.port = static_cast<std::uint16_t>(std::strtoul(port.text, nullptr, 10));
  curl_url_set(url.get(), CURLUPART_HOST, host.text, 0);
  const UrlPart whole(url.get(), CURLUPART_URL, 0);
  if (whole.text == nullptr) return refused();
  parsed.text = whole.text;
  return parsed;
}

Result<HttpUrl> HttpUrl::Resolve(std::string_view reference) const {
  const auto refused = [] { return Fail(Reason::kMalformed, "leads to no http or https URL"); };
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  const bool plain =
      std::all_of(reference.begin(), reference.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!url || !plain || reference.empty() || reference.size() > 4096) return refused();
  // What says where to go by itself is read as it stands: curl forgives more than Parse does.
  if (reference.find("://") < reference.find_first_of("/?#")) return Parse(reference);
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(reference).c_str(), CURLU_DISALLOW_USER) !=
          CURLUE_OK) {
    return refused();
  }
  const UrlPart whole(url.get(), CURLUPART_URL, 0);
  return whole.text == nullptr ? Result<HttpUrl>(refused()) : Parse(whole.text);
}

bool HttpUrl::IsLoopback() const {
  if (host == "localhost" || host == "[::1]") return true;
  // curl has already written every spelling of an IPv4 address as four decimal numbers.
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string::npos;
}

std::string HttpUrl::HostAndPort() const {
  const bool usual = port == (https ? 443 : 80);
  return usual ? host : host + ':' + std::to_string(port);
}

}  // namespace crivet::trust
