// SPDX-License-Identifier: Apache-2.0

// A hosts.toml: reading ends, every mistake has a place in the text, and a host that is taken can
// be asked at an address that means what it says, with headers that end where they end.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/io/http/http_url.h"
#include "trust/io/registry/hosts_toml.h"

using namespace crivet::trust;

namespace {

void CheckHost(const RegistryHost& host) {
  Require(host.path.empty() || (host.path.front() == '/' && host.path.back() != '/'),
          "a path begins with a slash and ends without one");
  Require(host.path.find("/../") == std::string::npos && !host.path.ends_with("/.."),
          "a path leads nowhere else");
  if (!host.authority.empty()) {
    Require(host.scheme == "https" || host.scheme == "http", "a host has a scheme");
    const std::string text = host.scheme + "://" + host.authority;
    const auto url = HttpUrl::Parse(text);
    Require(url.has_value(), "a host can be asked");
    const auto below = HttpUrl::Parse(text + host.path + "/a/manifests/b");
    Require(below && below->host == url->host && below->port == url->port,
            "its path does not change whom is asked");
  }
  for (const RegistryHost::Header& header : host.headers) {
    for (const std::string& value : header.values) {
      Require((header.name + value).find_first_of("\r\n") == std::string::npos,
              "a header is one line");
    }
  }
  for (const std::string& path : host.ca_files) Require(path.front() == '/', "paths are absolute");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto hosts = ParseHostsToml(text, "/certs.d/registry.example");
  if (hosts) {
    Require(!hosts->empty(), "the upstream is always there");
    for (const RegistryHost& host : *hosts) CheckHost(host);
    return 0;
  }
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  Require(hosts.error().at.line <= lines, "the line is in the text");
  Require(!hosts.error().what.empty(), "a mistake has words");
  return 0;
}
