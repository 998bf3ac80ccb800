// SPDX-License-Identifier: Apache-2.0

// What a registry answers, an answer's headers before an empty line and its body after it: a next
// page is at the same address, a redirect leads where its text says, and no descriptor is half
// read.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/io/http/answer_headers.h"
#include "trust/io/http/http_url.h"
#include "trust/io/registry/next_page.h"
#include "trust/oci/manifest.h"

using namespace crivet::trust;

namespace {

const HttpUrl& Asked() {
  static const HttpUrl asked =
      HttpUrl::Parse("https://registry.example/v2/shop/web/referrers/sha256:00").value();
  return asked;
}

void CheckHeaders(std::string_view head) {
  AnswerHeaders headers;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    ReadHeaderLine(head.substr(0, end), headers);
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  Require(headers.links.size() <= AnswerHeaders::kMaxLinks, "links have a cap");
  Require(!headers.retry_after || headers.retry_after->count() >= 0, "a pause is no time gone by");
  if (const auto page = NextPage(headers.links, Asked()); page && *page) {
    const auto next = HttpUrl::Parse(Asked().text + '?' + **page);
    Require(next && next->host == Asked().host && next->port == Asked().port && next->https,
            "the next page is at the same host");
    Require(next->text.starts_with(Asked().text + '?'), "the next page is at the same path");
  }
  if (const auto target = Asked().Resolve(headers.location)) {
    const auto again = HttpUrl::Parse(target->text);
    Require(again && again->host == target->host && again->port == target->port,
            "where it leads is read the same twice");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t blank = std::min(text.find("\n\n"), text.size());
  CheckHeaders(text.substr(0, blank));
  const std::string_view body = text.substr(std::min(blank + 2, text.size()));
  if (const auto index = oci::Index::Parse(body)) {
    Require(index->manifests.size() <= oci::Index::kMaxManifests, "an index has a cap");
  }
  if (const auto manifest = oci::Manifest::Parse(body)) {
    Require(manifest->layers.size() <= oci::Manifest::kMaxLayers, "a manifest has a cap");
  }
  return 0;
}
