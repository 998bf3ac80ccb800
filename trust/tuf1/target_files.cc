// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/target_files.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "trust/tuf/root_walk.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr std::string_view kStoredPrefix = "file:";
// Then the root's version, `until`, and the name.
constexpr std::string_view kEarlierPrefix = "earlier file:";
constexpr std::size_t kTimeLength = std::string_view("2026-11-24T09:12:00Z").size();
constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";

// What vouches for a target lives no longer than any file on the way to it.
TimePoint ExpiryOf(const Trusted& trusted, const std::vector<std::string>& roles) {
  TimePoint earliest = std::min({trusted.root().expires(), trusted.timestamp->content->expires(),
                                 trusted.snapshot->content->expires()});
  for (const std::string& role : roles) {
    const auto file = trusted.roles.find(role);
    if (file != trusted.roles.end()) {
      earliest = std::min(earliest, file->second.content->expires());
    }
  }
  return earliest;
}

std::string HashOf(const Digests& hashes) {
  return hashes.sha256 ? ToHex(*hashes.sha256) : ToHex(*hashes.sha512);
}

}  // namespace

std::string TargetFile::WrongName(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return "has 1 to 64 letters";
  if (name.find_first_not_of(kLetters) != std::string_view::npos) {
    return "has letters, digits, \"-\", \".\", \"_\" and \"/\" alone";
  }
  if (name.front() == '/' || name.back() == '/' || name.find("//") != std::string_view::npos ||
      name.find("..") != std::string_view::npos) {
    return "is a path below targets_url";
  }
  return "";
}

std::string PathOfTarget(std::string_view name, const Root& root, const Digests& hashes) {
  std::string path = "/" + std::string(name);
  if (root.consistent_snapshot()) path.insert(path.rfind('/') + 1, HashOf(hashes) + ".");
  return path;
}

std::string StoredTarget(std::string_view name) {
  return std::string(kStoredPrefix) + std::string(name);
}

std::optional<std::string> TargetStoredAs(std::string_view stored_as) {
  if (!stored_as.starts_with(kStoredPrefix)) return std::nullopt;
  stored_as.remove_prefix(kStoredPrefix.size());
  return std::string(stored_as);
}

std::string StoredEarlierTarget(std::string_view name, const EarlierFile& earlier) {
  return std::string(kEarlierPrefix) + std::to_string(earlier.root) + ":" +
         FormatRfc3339(earlier.file.until) + ":" + std::string(name);
}

std::optional<EarlierTarget> EarlierTargetStoredAs(std::string_view stored_as) {
  if (!stored_as.starts_with(kEarlierPrefix)) return std::nullopt;
  stored_as.remove_prefix(kEarlierPrefix.size());
  EarlierTarget earlier;
  const char* const end = stored_as.data() + stored_as.size();
  const auto parsed = std::from_chars(stored_as.data(), end, earlier.root);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ':') return std::nullopt;
  stored_as.remove_prefix(static_cast<std::size_t>(parsed.ptr - stored_as.data()) + 1);
  const Result<TimePoint> until = ParseRfc3339(stored_as.substr(0, kTimeLength));
  if (!until || stored_as.size() <= kTimeLength || stored_as[kTimeLength] != ':') {
    return std::nullopt;
  }
  earlier.until = *until;
  earlier.name = stored_as.substr(kTimeLength + 1);
  return TargetFile::WrongName(earlier.name).empty() ? std::optional(earlier) : std::nullopt;
}

TargetFiles::TargetFiles(Start start) : start_(std::move(start)), trusted_(start_.trusted) {
  Next();
}

std::optional<FileRequest> TargetFiles::Wanted() const {
  if (!search_ && !listed_) return std::nullopt;
  FileRequest request;
  if (!listed_) {
    const MetadataRequest& role = *search_->Wanted();
    request.path = "/" + role.file;
    request.file_names = {role.file};
    request.max_bytes = role.max_bytes;
    request.sha256 = role.sha256;
    return request;
  }
  request.below = FileRequest::Below::kFilesUrl;
  request.path = PathOfTarget(current().name, trusted_.root(), listed_->hashes);
  // In a copy of the metadata's folder they lie in it, or beside it as they did on the server.
  for (const std::string& name : {request.path.substr(1), current().name}) {
    for (const char* place : {"", "targets/", "../targets/"}) {
      request.file_names.push_back(place + name);
    }
  }
  request.stored_as = StoredTarget(current().name);
  request.max_bytes = listed_->length;
  request.sha256 = listed_->hashes.sha256;
  return request;
}

void TargetFiles::Next() {
  search_.reset();
  listed_.reset();
  while (next_ < start_.wanted.size()) {
    search_.emplace(
        trusted_,
        Search::Question{.name = current().name, .now = start_.now, .expiry = start_.expiry},
        start_.caps);
    if (search_->Wanted()) return;
    EndSearch();
    if (listed_) return;
  }
}

// Either the file is here, or it is asked for, or it is left out.
void TargetFiles::EndSearch() {
  trusted_ = search_->trusted();
  const Search::Outcome outcome = search_->outcome();
  const std::optional<RefreshFailure> failure = search_->failure();
  search_.reset();
  if (failure) {
    LeaveOut(*failure);
  } else if (const auto* found = std::get_if<Search::Found>(&outcome)) {
    Take(*found->hits.front().entry, found->asked);
  } else if (const auto* failed = std::get_if<Search::Failed>(&outcome)) {
    Fail(failed->error);
  } else {
    Fail({Reason::kNoTrustData, "nobody lists it"});
  }
}

void TargetFiles::Take(const TargetEntry& entry, const std::vector<std::string>& asked) {
  if (entry.fault || !entry.hashes.HasKnown() || entry.length <= 0) {
    return Fail({Reason::kMalformed, "its entry cannot be used"});
  }
  const auto length = static_cast<std::size_t>(entry.length);
  if (length > TargetFile::kMaxBytes) {
    return Fail({Reason::kMalformed, "its entry says more than 4 MiB"});
  }
  const TimePoint until = ExpiryOf(trusted_, asked);
  const auto held = start_.held.find(current().name);
  if (held != start_.held.end() && held->second.bytes->size() == length &&
      entry.hashes.Fit(*held->second.bytes)) {
    if (auto kept = Keep({held->second.bytes, held->second.sha256, until}); !kept) {
      Fail(kept.error());
    }
    return;
  }
  listed_ = Listed{entry.hashes, length, until};
}

void TargetFiles::Supply(Fetched answer) {
  if (search_) {
    search_->Supply(std::move(answer));
    if (search_->Wanted()) return;
    EndSearch();
    if (!listed_) Next();
    return;
  }
  if (!listed_) return;
  const Listed listed = *std::exchange(listed_, std::nullopt);
  if (!answer) {
    MetadataRequest request;
    request.sha256 = listed.hashes.sha256;
    LeaveOut(FailureOf(answer.error(), request, "the target " + current().name));
  } else if (answer->bytes.size() != listed.length || !listed.hashes.Fit(answer->bytes)) {
    Fail({Reason::kHash, "its bytes are not the listed ones"});
  } else {
    const Sha256 sha256 = Sha256Of(answer->bytes);
    auto bytes = std::make_shared<const std::string>(std::move(answer->bytes));
    if (auto kept = Keep({std::move(bytes), sha256, listed.until}); !kept) Fail(kept.error());
  }
  Next();
}

Result<void> TargetFiles::Keep(PublishedFile file) {
  if (current().check) {
    if (auto checked = current().check(*file.bytes); !checked) {
      return trust::Fail(Reason::kMalformed, "it is nothing for kind = \"" + current().reader +
                                                 "\": " + checked.error().detail);
    }
  }
  files_.insert_or_assign(current().name, std::move(file));
  ++next_;
  return {};
}

void TargetFiles::Fail(const Error& error) {
  RefreshFailure failure;
  failure.at = "the target " + current().name;
  failure.error = {error.reason, failure.at + ": " + error.detail};
  LeaveOut(std::move(failure));
}

void TargetFiles::LeaveOut(RefreshFailure failure) {
  if (!failure_) failure_ = std::move(failure);
  ++next_;
}

}  // namespace crivet::trust::tuf1
