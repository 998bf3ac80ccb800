// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/notary_refresh.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include "trust/base/percent_encoding.h"
#include "trust/notary/notary_demand.h"

namespace crivet::trust {
namespace {

constexpr std::string_view kEnding = ".json";

MetadataUpdate::Start StartOf(RefreshStart start) {
  MetadataUpdate::Start begun{.id = std::move(start.id), .source = start.source};
  begun.previous = std::static_pointer_cast<const Repository>(std::move(start.previous));
  begun.floors = std::move(start.floors);
  if (start.anchors) begun.chain = static_cast<const RootChain&>(*start.anchors).links;
  std::set<RoleName> roles{RoleName::Targets()};
  for (const SharedDemand& shared : start.demands) {
    const NotaryDemand& demand = AsNotary(*shared);
    if (std::find(begun.pins.begin(), begun.pins.end(), demand.root) == begun.pins.end()) {
      begun.pins.push_back(demand.root);
    }
    for (RoleName& role : demand.RolesRead()) roles.insert(std::move(role));
    begun.grace = std::max(begun.grace, demand.grace);
  }
  begun.roles.assign(roles.begin(), roles.end());
  begun.now = start.now;
  begun.verified_at = start.verified_at;
  begun.limits = start.limits;
  return begun;
}

// Roots are stored under their numbers; the highest is the newest.
std::string NewestRootOf(const std::vector<std::string>& stored) {
  std::pair<std::int64_t, std::string> newest{0, "root"};
  for (const std::string& name : stored) {
    std::int64_t version = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), version);
    const bool is_root = parsed.ec == std::errc() && std::string_view(parsed.ptr) == ".root";
    if (is_root && version > newest.first) newest = {version, name};
  }
  return newest.second;
}

}  // namespace

FileRequest RequestFor(const std::string& collection, const MetadataRequest& wanted,
                       const std::vector<std::string>& stored) {
  FileRequest request;
  request.path =
      "/v2/" + PercentEncoded(collection, "/:") + "/_trust/tuf/" + PercentEncoded(wanted.file, "/");
  request.scope = collection;
  request.max_bytes = wanted.max_bytes;
  request.sha256 = wanted.sha256;
  std::string plain = wanted.file;
  if (wanted.sha256) {
    const std::string hashed = "." + ToHex(*wanted.sha256) + std::string(kEnding);
    if (plain.ends_with(hashed))
      plain.replace(plain.size() - hashed.size(), hashed.size(), kEnding);
  }
  request.file_names = {wanted.file};
  if (plain != wanted.file) request.file_names.push_back(plain);
  request.stored_as = plain.substr(0, plain.size() - kEnding.size());
  if (request.stored_as == RoleName::Root().text()) request.stored_as = NewestRootOf(stored);
  return request;
}

NotaryRefresh::NotaryRefresh(RefreshStart start)
    : stored_(start.stored), start_(StartOf(std::move(start))), update_(std::in_place, start_) {
  if (!update_->Wanted()) EndOrBeginAnew();
}

std::optional<FileRequest> NotaryRefresh::Wanted() const {
  const std::optional<MetadataRequest> wanted = update_->Wanted();
  if (!wanted) return std::nullopt;
  return RequestFor(start_.id.name, *wanted, stored_);
}

void NotaryRefresh::Supply(Fetched answer) {
  update_->Supply(std::move(answer));
  if (!update_->Wanted()) EndOrBeginAnew();
}

RefreshOutcome NotaryRefresh::Finish() { return *std::move(outcome_); }

void NotaryRefresh::EndOrBeginAnew() {
  while (!update_->Wanted()) {
    outcome_ = update_->Finish();
    if (*outcome_ || !LeaveOutNewRole(outcome_->error())) break;
    update_.emplace(start_);
  }
  if (update_->Wanted() || !*outcome_) return;
  const auto& repository = static_cast<const Repository&>(*(*outcome_)->set);
  (*outcome_)->on_first_use =
      std::none_of(start_.pins.begin(), start_.pins.end(), [&](const RootPin& pin) {
        return !pin.tofu && repository.Match(pin, repository.verified_at());
      });
}

// Whether a load failed at a role that was not read when the set was stored. Such roles, and those
// below, are left out then.
bool NotaryRefresh::LeaveOutNewRole(const RefreshFailure& failure) {
  if (start_.source != MetadataUpdate::Source::kStore) return false;
  const Result<RoleName> missing = RoleName::Parse(failure.at);
  if (failure.error.reason != Reason::kNoTrustData || !missing || !missing->IsDelegation() ||
      std::find(stored_.begin(), stored_.end(), failure.at) != stored_.end()) {
    return false;
  }
  return std::erase_if(start_.roles, [&](const RoleName& role) {
           return role == *missing || role.text().starts_with(failure.at + '/');
         }) > 0;
}

}  // namespace crivet::trust
