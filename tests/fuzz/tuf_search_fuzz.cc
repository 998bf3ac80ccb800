// SPDX-License-Identifier: Apache-2.0

// Searches along delegations that somebody else wrote. Each line is what one targets role says; the
// first is `targets`, and each other has the name with which it begins. Whatever they say, a search
// ends, asks each role once and no more of them than it may, and what it finds has a way that the
// roles themselves delegate along.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/require.h"
#include "trust/tuf1/search.h"
#include "trust/tuf1/tag_roles.h"

using namespace crivet::trust;

namespace {

constexpr std::string_view kRootContent =
    R"({"_type":"root","spec_version":"1.0","version":1,"expires":"2040-01-01T00:00:00Z",)"
    R"("keys":{},"roles":{"root":{"keyids":[],"threshold":1},"timestamp":{"keyids":[],)"
    R"("threshold":1},"snapshot":{"keyids":[],"threshold":1},"targets":{"keyids":[],)"
    R"("threshold":1}}})";

JsonDocument Parsed(std::string_view text) { return JsonDocument::Parse(text, {}).value(); }

template <typename T>
tuf1::Verified<T> Kept(T content, std::string_view bytes) {
  tuf1::Verified<T> kept;
  kept.content = std::make_shared<const T>(std::move(content));
  kept.bytes = std::make_shared<const std::string>(bytes);
  kept.sha256 = Sha256Of(bytes);
  return kept;
}

// All of them as if they had been fetched and verified.
tuf1::Trusted SetOf(std::string_view text) {
  tuf1::Trusted set;
  set.roots = {Kept(tuf1::Root::Parse(Parsed(kRootContent).root()).value(), kRootContent)};
  std::string listed;
  while (!text.empty() && set.roles.size() < 64) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string role(tuf1::kTargets);
    if (!set.roles.empty()) {
      const std::size_t brace = std::min(line.find('{'), line.size());
      role = line.substr(0, brace);
      line.remove_prefix(brace);
    }
    const auto document = JsonDocument::Parse(line, {});
    if (!document) continue;
    auto content = tuf1::Targets::Parse(document->root());
    // A name that needs escapes would have to be listed with them.
    const bool plain = std::none_of(role.begin(), role.end(), [](char c) {
      return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c < 0;
    });
    if (!content || !plain) continue;
    listed += (listed.empty() ? "\"" : ",\"") + role +
              ".json\":{\"version\":" + std::to_string(content->version()) + "}";
    set.roles.insert_or_assign(role, Kept(*std::move(content), role + std::string(line)));
  }
  const std::string snapshot =
      R"({"_type":"snapshot","spec_version":"1.0","version":1,"expires":"2040-01-01T00:00:00Z",)"
      R"("meta":{)" +
      listed + "}}";
  // Two lines of one role: the snapshot would list it twice.
  const auto document = JsonDocument::Parse(snapshot, {});
  if (!document) return set;
  set.snapshot = Kept(tuf1::Snapshot::Parse(document->root()).value(), snapshot);
  const auto accept = [&](const Sha256& delegator, const std::string& role) {
    const auto file = set.roles.find(role);
    if (file != set.roles.end()) set.accepted[{delegator, role}] = {file->second.sha256, {}};
  };
  accept(set.roots.back().sha256, std::string(tuf1::kTargets));
  for (const auto& [from, file] : set.roles) {
    for (const auto& [to, unused] : set.roles) {
      const auto& delegations = file.content->delegations();
      if (delegations && delegations->KeysOf(to) != nullptr) accept(file.sha256, to);
    }
  }
  return set;
}

void CheckFound(const tuf1::Trusted& set, const tuf1::Search::Found& found) {
  Require(!found.hits.empty(), "what was found is there");
  for (const tuf1::Hit& hit : found.hits) {
    Require(hit.entry != nullptr, "a hit has an entry");
    Require(!hit.chain.empty() && hit.chain.back().role == hit.role, "the way ends in the role");
    std::string at(tuf1::kRoot);
    for (const tuf1::Link& link : hit.chain) {
      Require(link.delegator == at, "the way has no gap");
      if (at != tuf1::kRoot) {
        const auto& delegations = set.roles.at(at).content->delegations();
        Require(delegations && delegations->KeysOf(link.role) != nullptr, "somebody delegates");
      }
      at = link.role;
    }
  }
}

void CheckAsked(std::vector<std::string> asked, std::size_t most) {
  Require(asked.size() <= most + 1, "no more roles than it may");
  std::sort(asked.begin(), asked.end());
  Require(std::adjacent_find(asked.begin(), asked.end()) == asked.end(), "each role once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const tuf1::Trusted set = SetOf(text);
  if (!set.snapshot || set.roles.empty()) return 0;
  tuf1::Caps caps;
  caps.delegations = 8;
  for (const char* name : {"web:1", "shop/web:1", "a/b/c:1"}) {
    const auto outcome = tuf1::Find(set, {.name = name, .now = {}}, caps);
    if (const auto* found = std::get_if<tuf1::Search::Found>(&outcome)) {
      CheckFound(set, *found);
      CheckAsked(found->asked, caps.delegations);
    } else if (const auto* nobody = std::get_if<tuf1::Search::NotFound>(&outcome)) {
      CheckAsked(nobody->asked, caps.delegations);
      // Of all roles that may list some tag of the image, none has this one then.
      const std::string_view prefix(name, std::string_view(name).size() - 1);
      const auto roles = tuf1::FindTagRoles(set, prefix, tuf1::Expiry::kEnforced, {}, caps);
      if (!roles.failed && !roles.missing && roles.in_bins.empty()) {
        for (const std::string& role : nobody->asked) {
          Require(std::find(roles.here.begin(), roles.here.end(), role) != roles.here.end(),
                  "who is asked for a tag may list a tag");
        }
      }
    }
  }
  return 0;
}
