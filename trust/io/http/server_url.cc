// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/server_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxUrlBytes = 2048;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// Part gives one part as curl sees it; empty where it has none.
std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '/' || c == ':' || c == '[' || c == ']' || c == '~' ||
         c == '+';
}

// A host's letters that no resolver and no library reads in two ways.
bool IsPlainHost(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    const std::string inside(host.substr(1, host.size() - 2));
    return inet_pton(AF_INET6, inside.c_str(), address.data()) == 1;
  }
  return !host.empty() && host.front() != '.' && host.front() != '-' &&
         host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

bool HasOddSegment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return true;
    path.remove_prefix(slash);
  }
  return false;
}

std::string NoUrl(std::string_view text) {
  std::string why = "is not a URL such as https://notary.example";
  if (text.find("://") == std::string_view::npos) why += ": it has no https:// before it";
  return why;
}

}  // namespace

Result<ServerUrl> ServerUrl::Parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxUrlBytes) {
    return Fail(Reason::kMalformed, "is empty or longer than 2048 bytes");
  }
  if (!std::all_of(text.begin(), text.end(), IsPlain)) {
    return Fail(Reason::kMalformed,
                "must be scheme, host, port and path alone: no user name, query, fragment, "
                "encoded or unusual character");
  }
  // curl forgives a third slash.
  if (const std::size_t slashes = text.find("://");
      slashes == std::string_view::npos || text.substr(slashes + 3).starts_with('/')) {
    return Fail(Reason::kMalformed, NoUrl(text));
  }
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const std::string given(text);
  if (url == nullptr ||
      curl_url_set(url.get(), CURLUPART_URL, given.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK) {
    return Fail(Reason::kMalformed, NoUrl(text));
  }
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http") {
    return Fail(Reason::kMalformed, "must begin with https://");
  }
  ServerUrl out;
  out.https_ = scheme == "https";
  out.host_ = Part(url.get(), CURLUPART_HOST);
  std::transform(out.host_.begin(), out.host_.end(), out.host_.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (!IsPlainHost(out.host_)) return Fail(Reason::kMalformed, "has no usable host name");
  std::string port = Part(url.get(), CURLUPART_PORT);
  if (port == "0") return Fail(Reason::kMalformed, "has no usable port");
  if (port == (out.https_ ? "443" : "80")) port.clear();
  std::string path = Part(url.get(), CURLUPART_PATH);
  while (!path.empty() && path.back() == '/') path.pop_back();
  if (HasOddSegment(path)) return Fail(Reason::kMalformed, "has an empty or dotted path segment");
  out.text_ = scheme + "://" + out.host_ + (port.empty() ? "" : ":" + port) + path;
  return out;
}

bool ServerUrl::IsLoopback() const {
  if (host_ == "localhost" || host_ == "[::1]") return true;
  in_addr address{};
  return host_.starts_with("127.") && inet_pton(AF_INET, host_.c_str(), &address) == 1;
}

}  // namespace crivet::trust
