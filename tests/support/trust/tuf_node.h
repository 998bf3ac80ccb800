// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/tuf_publisher.h"
#include "trust/tuf1/role_search.h"
#include "trust/tuf1/update.h"

namespace crivet::trust {

/// TufNode is a client with what it trusts, starting from the publisher's first root. What it asked
/// for is in the publisher's `asked`.
struct TufNode {
  explicit TufNode(const TufPublisher& publisher)
      : trusted{.roots = {tuf1::ReadFirstRoot(publisher.files.at("1.root.json"), {}).value()}} {}

  /// Why it failed; nullopt where it did not.
  std::optional<Reason> Refresh(TufPublisher& server, TimePoint now = TufPublisher::kNow) {
    tuf1::Update update({.trusted = trusted, .now = now, .caps = caps});
    server.asked.clear();
    while (update.Wanted()) {
      const MetadataRequest wanted = *update.Wanted();
      update.Supply(server.Serve(wanted.file, wanted.max_bytes));
    }
    trusted = update.trusted();
    at = update.failure() ? update.failure()->at : "";
    if (!update.failure()) return std::nullopt;
    return update.failure()->error.reason;
  }

  /// The role that names it, `none`, or the code of why the search failed.
  std::string Find(TufPublisher& server, const std::string& name,
                   std::vector<std::string> signers = {}) {
    tuf1::Search::Question question{.name = name, .now = searched_at};
    question.signers = std::move(signers);
    search = std::make_unique<tuf1::RoleSearch>(trusted, question, caps);
    server.asked.clear();
    while (search->Wanted()) {
      const MetadataRequest wanted = *search->Wanted();
      search->Supply(server.Serve(wanted.file, wanted.max_bytes));
    }
    trusted = search->trusted();
    const tuf1::Search::Outcome& outcome = search->outcome();
    if (const auto* failed = std::get_if<tuf1::Search::Failed>(&outcome)) {
      return std::string(CodeOf(failed->error.reason));
    }
    const auto* found = std::get_if<tuf1::Search::Found>(&outcome);
    return found ? found->hits.front().role : "none";
  }

  /// Versions of root, timestamp, snapshot, targets; 0: none.
  std::vector<std::int64_t> Versions() const {
    const auto targets = trusted.roles.find("targets");
    return {trusted.root().version(), trusted.timestamp ? trusted.timestamp->content->version() : 0,
            trusted.snapshot ? trusted.snapshot->content->version() : 0,
            targets == trusted.roles.end() ? 0 : targets->second.content->version()};
  }

  tuf1::Trusted trusted;
  tuf1::Caps caps = {};
  TimePoint searched_at = TufPublisher::kNow;
  std::string at;  ///< the role at which the latest refresh failed
  std::unique_ptr<tuf1::RoleSearch> search;
};

}  // namespace crivet::trust
