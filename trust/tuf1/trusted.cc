// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/trusted.h"

#include <algorithm>
#include <type_traits>

#include "trust/base/percent_encoding.h"
#include "trust/base/quoted.h"
#include "trust/tuf/expiry.h"

namespace crivet::trust::tuf1 {
namespace {

// Whether bytes that hash to `sha256` are those that are listed. The longer hash is checked when
// they are read.
bool IsListed(const MetaEntry& entry, std::int64_t version, const std::string& bytes) {
  return entry.version == version && entry.Check(bytes).has_value();
}

template <typename T>
Verified<T> Keep(T content, const SignedFile& file, std::string bytes, std::set<Sha256>&& signers) {
  Verified<T> kept;
  // Of a targets role nobody asks for it, and it has megabytes.
  if constexpr (!std::is_same_v<T, Targets>) kept.signed_sha256 = file.signed_sha256();
  kept.content = std::make_shared<const T>(std::move(content));
  kept.sha256 = Sha256Of(bytes);
  kept.bytes = std::make_shared<const std::string>(std::move(bytes));
  kept.signers = std::move(signers);
  return kept;
}

template <typename T>
Result<Verified<T>> ReadSigned(std::string bytes, std::string_view role, const Root& root,
                               std::size_t max_bytes, const Caps& caps) {
  const auto file = SignedFile::Parse(bytes, max_bytes, caps.files);
  if (!file) return tl::unexpected(file.error());
  auto signers = file->Verify(root.KeysOf(role));
  if (!signers) return tl::unexpected(signers.error());
  auto content = T::Parse(file->content());
  if (!content) return tl::unexpected(content.error());
  return Keep(*std::move(content), *file, std::move(bytes), *std::move(signers));
}

}  // namespace

bool Trusted::IsComplete() const {
  return timestamp && snapshot &&
         IsListed(timestamp->content->snapshot(), snapshot->content->version(), *snapshot->bytes) &&
         Find(kTargets, roots.back().sha256) != nullptr;
}

const Targets* Trusted::Find(std::string_view role, const Sha256& delegator) const {
  const auto file = roles.find(role);
  if (!snapshot || file == roles.end()) return nullptr;
  const MetaEntry* const entry = snapshot->content->Find(role);
  if (entry == nullptr || entry->version != file->second.content->version()) return nullptr;
  // Every hash was checked when the file was accepted; the entry may have changed since. What this
  // does not see HoldAgainstSnapshot has seen.
  if (entry->hashes && entry->hashes->sha256 && *entry->hashes->sha256 != file->second.sha256) {
    return nullptr;
  }
  const auto acceptance = accepted.find({delegator, std::string(role)});
  const bool holds = acceptance != accepted.end() && acceptance->second.file == file->second.sha256;
  return holds ? file->second.content.get() : nullptr;
}

void Trusted::HoldAgainstSnapshot() {
  for (const auto& [role, file] : roles) {
    const MetaEntry* const entry = snapshot->content->Find(role);
    if (entry == nullptr || (entry->hashes && entry->hashes->sha256)) continue;
    if (entry->version != file.content->version() || entry->Check(*file.bytes)) continue;
    std::erase_if(accepted,
                  [&gone = file.sha256](const auto& each) { return each.second.file == gone; });
  }
}

void Trusted::Prune() {
  std::erase_if(roles, [&](const auto& file) {
    return !snapshot || snapshot->content->Find(file.first) == nullptr;
  });
  std::set<Sha256> files{roots.back().sha256};
  for (const auto& [role, file] : roles) files.insert(file.sha256);
  std::erase_if(accepted, [&](const auto& entry) {
    return !files.contains(entry.first.first) || !files.contains(entry.second.file);
  });
}

Error Of(std::string_view role, Error error) {
  error.detail = Quoted(role) + ": " + error.detail;
  return error;
}

std::string FileNameOf(std::string_view role, std::optional<std::int64_t> version) {
  return (version ? std::to_string(*version) + "." : "") + PercentEncoded(role) + ".json";
}

Result<Verified<Root>> ReadFirstRoot(std::string bytes, const Caps& caps) {
  const auto file = SignedFile::Parse(bytes, caps.root_bytes, caps.files);
  if (!file) return tl::unexpected(Of(kRoot, file.error()));
  auto root = Root::Parse(file->content());
  if (!root) return tl::unexpected(Of(kRoot, root.error()));
  auto signers = file->Verify(root->KeysOf(kRoot));
  if (!signers) return tl::unexpected(Of(kRoot, signers.error()));
  return Keep(*std::move(root), *file, std::move(bytes), *std::move(signers));
}

Result<Verified<Root>> ReadNextRoot(std::string bytes, const Verified<Root>& before,
                                    const Caps& caps) {
  const auto file = SignedFile::Parse(bytes, caps.root_bytes, caps.files);
  if (!file) return tl::unexpected(Of(kRoot, file.error()));
  const auto by_old = file->Verify(before.content->KeysOf(kRoot));
  if (!by_old) return tl::unexpected(Of(kRoot, by_old.error()));
  auto root = Root::Parse(file->content());
  if (!root) return tl::unexpected(Of(kRoot, root.error()));
  auto signers = file->Verify(root->KeysOf(kRoot));
  if (!signers) return tl::unexpected(Of(kRoot, signers.error()));
  const std::int64_t next = before.content->version() + 1;
  if (root->version() != next) {
    return Fail(Reason::kRollback, "root: the file of version " + std::to_string(next) +
                                       " has version " + std::to_string(root->version()));
  }
  return Keep(*std::move(root), *file, std::move(bytes), *std::move(signers));
}

Result<Verified<Timestamp>> ReadTimestamp(std::string bytes, const Root& root, const Caps& caps) {
  return ReadSigned<Timestamp>(std::move(bytes), kTimestamp, root, caps.timestamp_bytes, caps);
}

Result<Verified<Snapshot>> ReadSnapshot(std::string bytes, const Root& root, const Caps& caps) {
  return ReadSigned<Snapshot>(std::move(bytes), kSnapshot, root, caps.snapshot_bytes, caps);
}

Result<Verified<Targets>> ReadUnverified(std::string bytes, const Caps& caps) {
  const auto file = SignedFile::Parse(bytes, caps.targets_bytes, caps.files);
  if (!file) return tl::unexpected(file.error());
  auto content = Targets::Parse(file->content());
  if (!content) return tl::unexpected(content.error());
  return Keep(*std::move(content), *file, std::move(bytes), {});
}

Result<MetadataRequest> RequestFor(const Trusted& trusted, const std::string& role,
                                   const Caps& caps) {
  const MetaEntry* const entry = trusted.snapshot->content->Find(role);
  if (entry == nullptr) {
    return Fail(Reason::kNoTrustData,
                Quoted(role) + " is delegated, and the snapshot does not list it");
  }
  MetadataRequest request;
  const bool versioned = trusted.root().consistent_snapshot();
  request.file = FileNameOf(role, versioned ? std::optional(entry->version) : std::nullopt);
  request.max_bytes = std::min(caps.targets_bytes, entry->length.value_or(caps.targets_bytes));
  return request;
}

Result<void> Accept(Trusted& trusted, const RoleFile& role, std::string bytes, Expiry expiry,
                    TimePoint now, const Caps& caps) {
  const auto fail = [&](Error error) { return tl::unexpected(Of(role.role, std::move(error))); };
  const MetaEntry* const entry = trusted.snapshot->content->Find(role.role);
  if (entry == nullptr) return fail({Reason::kNoTrustData, "the snapshot does not list it"});
  if (const auto listed = entry->Check(bytes); !listed) return fail(listed.error());
  const auto file = SignedFile::Parse(bytes, caps.targets_bytes, caps.files);
  if (!file) return fail(file.error());
  auto signers = file->Verify(*role.keys);
  if (!signers) return fail(signers.error());
  auto targets = Targets::Parse(file->content());
  if (!targets) return fail(targets.error());
  if (targets->version() != entry->version) {
    return fail({Reason::kRollback, "the snapshot lists version " + std::to_string(entry->version) +
                                        ", and the file has " +
                                        std::to_string(targets->version())});
  }
  if (expiry == Expiry::kEnforced) {
    const auto time = CheckTime(role.role, targets->version(), targets->expires(), now);
    if (!time) return tl::unexpected(time.error());
  }
  Verified<Targets> kept = Keep(*std::move(targets), *file, std::move(bytes), *std::move(signers));
  trusted.accepted[{role.delegator, role.role}] = {kept.sha256, kept.signers};
  trusted.roles.insert_or_assign(role.role, std::move(kept));
  return {};
}

bool AcceptKnown(Trusted& trusted, const RoleFile& role, const Caps& caps) {
  const auto known = trusted.roles.find(role.role);
  const MetaEntry* const entry = trusted.snapshot->content->Find(role.role);
  if (known == trusted.roles.end() || entry == nullptr) return false;
  const Verified<Targets>& file = known->second;
  if (!IsListed(*entry, file.content->version(), *file.bytes)) return false;
  const auto parsed = SignedFile::Parse(*file.bytes, caps.targets_bytes, caps.files);
  if (!parsed) return false;
  auto signers = parsed->Verify(*role.keys);
  if (!signers) return false;
  known->second.signers = *signers;
  trusted.accepted[{role.delegator, role.role}] = {file.sha256, *std::move(signers)};
  return true;
}

}  // namespace crivet::trust::tuf1
