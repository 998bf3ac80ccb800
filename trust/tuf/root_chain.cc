// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/root_chain.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "trust/signed/signature_threshold.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

std::string NameOf(std::int64_t version) { return "root version " + std::to_string(version); }

tl::unexpected<Error> Prefixed(const std::string& prefix, const Error& error) {
  return Fail(error.reason, prefix + ": " + error.detail);
}

// The keys of a root role that may count: those whose certificates fit. Fails with what is wrong
// with a certificate where none does.
Result<AuthorizedKeys> UsableRootKeys(const Root& root, std::string_view name, TimePoint now,
                                      ExpiryCheck expiry) {
  AuthorizedKeys usable;
  usable.threshold = root.KeysOf(RoleName::Root()).threshold;
  usable.unusable = root.KeysOf(RoleName::Root()).unusable;
  std::optional<Error> wrong;
  for (const auto& [id, key] : root.KeysOf(RoleName::Root()).keys) {
    const auto checked = CheckRootCertificate(key, name, now, expiry);
    if (checked) {
      usable.keys.emplace(id, key);
    } else if (!wrong || checked.error().reason == Reason::kExpired) {
      wrong = checked.error();
    }
  }
  if (usable.keys.empty() && wrong) return tl::unexpected(*wrong);
  return usable;
}

// Which of a root's own signers the pin names.
bool NamesKey(const RootPin& pin, const PublicKey& key, TimePoint now) {
  const auto& ids = pin.key_ids;
  if (std::find(ids.begin(), ids.end(), key.id()) != ids.end() ||
      std::find(ids.begin(), ids.end(), key.canonical_id()) != ids.end()) {
    return true;
  }
  if (key.certificates().empty()) return false;
  const Certificate& leaf = key.certificates().front();
  if (pin.certificates.Contains(leaf)) return true;
  if (pin.authorities.empty()) return false;
  return ChainsTo(key, pin.authorities,
                  std::max(leaf.not_before(), std::min(now, leaf.not_after())));
}

bool IsRootFile(const std::string& root_file, const RootLink& link) {
  if (root_file.empty()) return false;
  if (Sha256Of(root_file) == link.sha256) return true;
  const auto envelope = Envelope::Parse(root_file, Limits{}.root_bytes, Limits{});
  return envelope && envelope->signed_bytes().sha256() == link.signed_sha256;
}

}  // namespace

RootFile::RootFile(std::string bytes, Envelope envelope, RootLink link)
    : bytes_(std::move(bytes)), envelope_(std::move(envelope)), link_(std::move(link)) {}

std::int64_t RootFile::version() const { return link_.root->version(); }

Result<RootFile> RootFile::Read(std::string bytes, std::string_view name, const Limits& limits) {
  auto envelope = Envelope::Parse(bytes, limits.root_bytes, limits);
  if (!envelope) return Prefixed("root", envelope.error());
  auto root = Root::Parse(envelope->content(), limits);
  if (!root) return Prefixed("root", root.error());
  const auto usable = UsableRootKeys(*root, name, TimePoint{}, ExpiryCheck::kIgnore);
  if (!usable) return Prefixed(NameOf(root->version()), usable.error());
  auto signers = VerifySignatures(*envelope, *usable);
  if (!signers) return Prefixed(NameOf(root->version()), signers.error());

  RootLink link;
  link.sha256 = Sha256Of(bytes);
  link.signed_sha256 = envelope->signed_bytes().sha256();
  link.signers = *std::move(signers);
  link.root = std::make_shared<const Root>(*std::move(root));
  return RootFile(std::move(bytes), *std::move(envelope), std::move(link));
}

Result<void> RootFile::CheckFollows(const RootLink& predecessor, std::string_view name) const {
  const std::int64_t before = predecessor.root->version();
  // Exactly the next number: a gap could hide a root that took keys away (CVE-2025-2885).
  if (version() != before + 1) {
    return Fail(Reason::kUntrustedRoot, NameOf(version()) + " does not follow " + NameOf(before));
  }
  const auto usable = UsableRootKeys(*predecessor.root, name, TimePoint{}, ExpiryCheck::kIgnore);
  if (!usable) return Prefixed(NameOf(before), usable.error());
  const auto signers = VerifySignatures(envelope_, *usable);
  if (!signers) {
    return Prefixed(NameOf(version()) + " under the keys of " + NameOf(before), signers.error());
  }
  return {};
}

Result<void> CheckCurrent(const RootLink& link, std::string_view name, TimePoint now) {
  const Root& root = *link.root;
  if (now >= root.expires()) {
    return Fail(Reason::kExpired,
                NameOf(root.version()) + " expired at " + FormatRfc3339(root.expires()));
  }
  const auto usable = UsableRootKeys(root, name, now, ExpiryCheck::kEnforce);
  if (!usable) return Prefixed(NameOf(root.version()), usable.error());
  if (!usable->Covers(link.signers)) {
    return Fail(
        Reason::kExpired,
        NameOf(root.version()) + ": too few of its signers have a certificate that is in date");
  }
  return {};
}

Validity CertificateValidity(const RootLink& link) {
  const AuthorizedKeys& keys = link.root->KeysOf(RoleName::Root());
  // Go's slack for clocks that run behind the one that made the certificate
  // (trust/notary/FORMAT.md#root-certificates).
  constexpr std::chrono::hours kSlack{24};
  std::map<Sha256, Validity> by_public_key;
  for (const KeyId& id : link.signers) {
    const auto key = keys.keys.find(id);
    if (key == keys.keys.end() || key->second.certificates().empty()) continue;
    // An intermediate that has run out changes the key's ID, so it counts like the leaf.
    Validity own{TimePoint::min(), TimePoint::max()};
    for (const Certificate& certificate : key->second.certificates()) {
      own.from = std::max(own.from, certificate.not_before() - kSlack);
      own.until = std::min(own.until, certificate.not_after() + std::chrono::seconds{1});
    }
    const auto [at, added] = by_public_key.emplace(key->second.spki_sha256(), own);
    if (!added && at->second.until < own.until) at->second = own;
  }
  if (by_public_key.size() < keys.threshold) return {TimePoint::max(), TimePoint::min()};
  std::vector<Validity> longest;
  longest.reserve(by_public_key.size());
  for (const auto& [public_key, own] : by_public_key) longest.push_back(own);
  std::sort(longest.begin(), longest.end(),
            [](const Validity& a, const Validity& b) { return a.until > b.until; });
  Validity all{TimePoint::min(), TimePoint::max()};
  for (std::size_t i = 0; i < keys.threshold; ++i) {
    all.from = std::max(all.from, longest[i].from);
    all.until = std::min(all.until, longest[i].until);
  }
  return all;
}

bool Matches(const RootPin& pin, const RootLink& link, TimePoint now) {
  const AuthorizedKeys& keys = link.root->KeysOf(RoleName::Root());
  // Being listed is not enough: whoever makes a root may list any key (trust/RULES.md#roots).
  for (const KeyId& id : link.signers) {
    const auto key = keys.keys.find(id);
    if (key != keys.keys.end() && NamesKey(pin, key->second, now)) return true;
  }
  return IsRootFile(pin.root_file, link);
}

std::optional<PinMatch> MatchChain(const RootPin& pin, const std::vector<RootLink>& chain,
                                   TimePoint now) {
  if (chain.empty()) return std::nullopt;
  const bool newest = pin.tofu || Matches(pin, chain.back(), now);
  if (pin.tofu) return PinMatch{0, newest};
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (Matches(pin, chain[i], now)) return PinMatch{i, newest};
  }
  return std::nullopt;
}

std::vector<RootLink> Anchored(std::vector<RootLink> chain, const std::vector<RootPin>& pins,
                               TimePoint now) {
  std::size_t first = chain.size();
  for (const RootPin& pin : pins) {
    const auto match = MatchChain(pin, chain, now);
    if (match) first = std::min(first, match->link);
  }
  chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(first));
  return chain;
}

}  // namespace crivet::trust
