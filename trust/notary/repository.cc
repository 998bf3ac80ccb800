// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/repository.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "trust/notary/repository_parts.h"
#include "trust/signed/authorized_keys.h"
#include "trust/tuf/age.h"
#include "trust/tuf/root_chain.h"

namespace crivet::trust {

/// PartsAsEvidence is the base roles and those of the set as evidence. Made when the first decision
/// asks, so that no later one makes it anew, and a repository that nobody asks about has none.
class Repository::PartsAsEvidence {
 public:
  /// Null for a role of which nothing was read.
  std::shared_ptr<const SignedPart> Find(const RepositoryParts& parts, const RoleName& role) {
    std::call_once(made_, [&] { Make(parts); });
    const auto known = by_role_.find(role);
    return known == by_role_.end() ? nullptr : known->second;
  }

 private:
  void Make(const RepositoryParts& parts) {
    Add(parts, RoleName::Root(), parts.chain.back().root.get(), parts.chain.back().signers);
    Add(parts, RoleName::Timestamp(), parts.timestamp.metadata.get(), parts.timestamp.signers);
    Add(parts, RoleName::Snapshot(), parts.snapshot.metadata.get(), parts.snapshot.signers);
    for (const auto& [role, file] : parts.roles) {
      Add(parts, role, file.metadata.get(), file.signers);
    }
  }

  // `signers` are those that had signed; keys that the role has lost since do not count.
  template <typename T>
  void Add(const RepositoryParts& parts, const RoleName& role, const T* metadata,
           const std::set<KeyId>& signers) {
    SignedPart part;
    part.name = role.text();
    if (metadata != nullptr) {
      part.version = metadata->version();
      part.expires = metadata->expires();
    }
    if (const AuthorizedKeys* keys = parts.AuthorizedFor(role)) {
      part.threshold = keys->threshold;
      part.signed_by = TextsOf(trust::SignersOf(*keys, signers));
    }
    by_role_.emplace(role, std::make_shared<const SignedPart>(std::move(part)));
  }

  std::once_flag made_;
  std::map<RoleName, std::shared_ptr<const SignedPart>> by_role_;
};

/// Derived is what follows from the parts and is asked for on every decision.
struct Repository::Derived {
  /// When the newest root's certificates suffice.
  Validity certificates;
  /// Roles whose signers, and those of every role above, suffice for what the parents say now.
  std::set<RoleName> covered;
  /// The first of timestamp, snapshot and targets that is not.
  std::optional<RoleName> uncovered;
  /// Prefixes of the tags that a role may list.
  std::map<RoleName, std::vector<std::string>> paths;

  explicit Derived(const RepositoryParts& parts)
      : certificates(CertificateValidity(parts.chain.back())) {
    const Root& root = *parts.chain.back().root;
    if (root.KeysOf(RoleName::Timestamp()).Covers(parts.timestamp.signers)) {
      covered.insert(RoleName::Timestamp());
    }
    if (root.KeysOf(RoleName::Snapshot()).Covers(parts.snapshot.signers)) {
      covered.insert(RoleName::Snapshot());
    }
    // A map is in the order of names, in which a parent stands before its children.
    for (const auto& [role, file] : parts.roles) {
      const AuthorizedKeys* authorized = parts.AuthorizedFor(role);
      const auto parent = role.parent();
      if (authorized != nullptr && authorized->Covers(file.signers) &&
          (!parent || covered.contains(*parent))) {
        covered.insert(role);
      }
      paths.emplace(role, PathsOf(parts, role));
    }
    for (const RoleName& role :
         {RoleName::Targets(), RoleName::Snapshot(), RoleName::Timestamp()}) {
      if (!covered.contains(role)) uncovered = role;
    }
  }

  std::vector<std::string> PathsOf(const RepositoryParts& parts, const RoleName& role) const {
    const auto parent = role.parent();
    if (!parent) return {""};
    const auto above = paths.find(*parent);
    const auto delegator = parts.roles.find(*parent);
    if (above == paths.end() || delegator == parts.roles.end()) return {};
    const Delegation* delegation = delegator->second.metadata->FindDelegation(role);
    std::vector<std::string> within;
    if (delegation == nullptr) return within;
    // A child reaches no further than its parent (trust/notary/FORMAT.md#looking-a-tag-up).
    for (const std::string& path : delegation->paths) {
      const bool inside =
          std::any_of(above->second.begin(), above->second.end(),
                      [&](const std::string& outer) { return path.starts_with(outer); });
      if (inside) within.push_back(path);
    }
    return within;
  }
};

Repository::Repository(RepositoryParts parts)
    : parts_(std::make_unique<const RepositoryParts>(std::move(parts))),
      derived_(std::make_unique<const Derived>(*parts_)),
      evidence_(std::make_unique<PartsAsEvidence>()) {}
Repository::~Repository() = default;

const CollectionId& Repository::id() const { return parts_->id; }
const std::vector<RootLink>& Repository::chain() const { return parts_->chain; }
const Root& Repository::root() const { return *parts_->chain.back().root; }
const Timestamp& Repository::timestamp() const { return *parts_->timestamp.metadata; }
const Snapshot& Repository::snapshot() const { return *parts_->snapshot.metadata; }
Floors Repository::floors() const { return parts_->floors(); }
TimePoint Repository::verified_at() const { return parts_->verified_at; }
const std::set<RoleName>& Repository::roles_read() const { return parts_->roles_read; }

const Targets* Repository::Find(const RoleName& role) const {
  const auto file = parts_->roles.find(role);
  return file == parts_->roles.end() ? nullptr : file->second.metadata.get();
}

bool Repository::MayList(const RoleName& role, std::string_view tag) const {
  const auto paths = derived_->paths.find(role);
  return paths != derived_->paths.end() &&
         std::any_of(paths->second.begin(), paths->second.end(),
                     [&](const std::string& path) { return tag.starts_with(path); });
}

std::optional<Sha256Digest> Repository::Lookup(const RoleName& role, std::string_view tag) const {
  const Targets* const targets = Find(role);
  if (targets == nullptr || !MayList(role, tag)) return std::nullopt;
  return targets->Find(tag);
}

std::optional<EntryFault> Repository::FaultOf(const RoleName& role, std::string_view tag) const {
  const Targets* const targets = Find(role);
  if (targets == nullptr || !MayList(role, tag)) return std::nullopt;
  return targets->FaultOf(tag);
}

bool Repository::Lists(const RoleName& role, std::string_view tag) const {
  return Lookup(role, tag).has_value() || FaultOf(role, tag).has_value();
}

std::shared_ptr<const SignedPart> Repository::PartOf(const RoleName& role) const {
  if (auto known = evidence_->Find(*parts_, role)) return known;
  SignedPart part;
  part.name = role.text();
  if (const AuthorizedKeys* keys = parts_->AuthorizedFor(role)) part.threshold = keys->threshold;
  return std::make_shared<const SignedPart>(std::move(part));
}

std::shared_ptr<const Anchors> Repository::anchors() const {
  return std::make_shared<const RootChain>(parts_->chain);
}

const AuthorizedKeys* Repository::KeysOf(const RoleName& role) const {
  const auto parent = role.parent();
  if (parent && !derived_->covered.contains(*parent)) return nullptr;
  return parts_->AuthorizedFor(role);
}

std::set<KeyId> Repository::SignersOf(const RoleName& role) const {
  const AuthorizedKeys* const authorized = parts_->AuthorizedFor(role);
  if (authorized == nullptr) return {};
  if (role == RoleName::Root()) return parts_->chain.back().signers;
  const auto signers = [&]() -> const std::set<KeyId>* {
    if (role == RoleName::Timestamp()) return &parts_->timestamp.signers;
    if (role == RoleName::Snapshot()) return &parts_->snapshot.signers;
    const auto file = parts_->roles.find(role);
    return file == parts_->roles.end() ? nullptr : &file->second.signers;
  }();
  return signers == nullptr ? std::set<KeyId>{} : trust::SignersOf(*authorized, *signers);
}

std::optional<PinMatch> Repository::Match(const RootPin& pin, TimePoint now) const {
  for (const MatchedPin& known : parts_->pins) {
    if (known.from <= now && now < known.until && known.pin == pin) return known.match;
  }
  return MatchChain(pin, parts_->chain, now);
}

Result<void> Repository::CheckFresh(const std::vector<RoleName>& roles, TimePoint now,
                                    std::chrono::seconds grace) const {
  constexpr std::chrono::seconds kNone{0};
  const Root& newest = root();
  auto fresh = CheckTime(RoleName::Root(), newest.version(), newest.expires(), now, kNone);
  if (!fresh) return fresh;
  if (now < derived_->certificates.from || now >= derived_->certificates.until) {
    return Fail(Reason::kExpired, "the certificates of " +
                                      VersionOf(RoleName::Root(), newest.version()) +
                                      " are not in date");
  }
  if (derived_->uncovered) {
    return Fail(Reason::kNoTrustData,
                "the " + derived_->uncovered->text() + " at hand is signed by keys that " +
                    VersionOf(RoleName::Root(), newest.version()) + " took away");
  }
  fresh =
      CheckTime(RoleName::Timestamp(), timestamp().version(), timestamp().expires(), now, grace);
  if (!fresh) return fresh;
  fresh = CheckTime(RoleName::Snapshot(), snapshot().version(), snapshot().expires(), now, grace);
  if (!fresh) return fresh;
  const auto check_role = [&](const RoleName& role) -> Result<void> {
    const Targets* const targets = Find(role);
    if (targets == nullptr) return {};
    return CheckTime(role, targets->version(), targets->expires(), now, kNone);
  };
  fresh = check_role(RoleName::Targets());
  for (std::size_t i = 0; fresh && i < roles.size(); ++i) fresh = check_role(roles[i]);
  return fresh;
}

TimePoint Repository::ExpiresWith(const std::vector<RoleName>& roles) const {
  TimePoint earliest = std::min({root().expires(), derived_->certificates.until,
                                 timestamp().expires(), snapshot().expires()});
  const auto include = [&](const RoleName& role) {
    const Targets* const targets = Find(role);
    if (targets != nullptr) earliest = std::min(earliest, targets->expires());
  };
  include(RoleName::Targets());
  for (const RoleName& role : roles) include(role);
  return earliest;
}

std::size_t Repository::resident_bytes() const {
  // A root with its keys and certificates, and the small change of everything else.
  constexpr std::size_t kLinkBytes = 16 * 1024;
  std::size_t bytes = sizeof(RepositoryParts) + parts_->chain.size() * kLinkBytes;
  for (const auto& [role, file] : parts_->roles) bytes += file.metadata->resident_bytes();
  return bytes;
}

}  // namespace crivet::trust
