// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/delegations.h"

#include <algorithm>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/signed/json_member.h"
#include "trust/tuf1/metadata.h"

namespace crivet::trust::tuf1 {
namespace {

constexpr unsigned kMaxBitLength = 32;

tl::unexpected<Error> TooLong() { return Fail(Reason::kTooMany, "paths take too long to compare"); }

tl::unexpected<Error> Odd() {
  return MalformedMember("paths", "hold a pattern that clients read differently");
}

// How many hex digits the number of a bin has.
std::size_t DigitsOf(unsigned bit_length) { return (bit_length + 3) / 4; }

// `left` is how many there may be yet.
Result<std::vector<std::string>> ReadStrings(JsonValue object, std::string_view name,
                                             std::size_t& left) {
  const auto array = ReadMember(object, name, JsonType::kArray);
  if (!array) return tl::unexpected(array.error());
  std::vector<std::string> strings;
  const auto elements = array->AsArray();
  if (elements->size() > left) return MalformedMember(name, "are too many");
  left -= elements->size();
  for (const JsonValue element : *elements) {
    const auto text = element.AsString();
    if (!text) return MalformedMember(name, "holds something that is not a string");
    strings.emplace_back(*text);
  }
  return strings;
}

}  // namespace

std::string Bins::RoleOf(std::string_view target) const {
  const Sha256 hash = Sha256Of(target);
  std::uint64_t bin = 0;
  for (std::size_t i = 0; i < 4; ++i) bin = bin << 8 | hash[i];
  bin >>= kMaxBitLength - bit_length;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string number(DigitsOf(bit_length), '0');
  for (auto digit = number.rbegin(); digit != number.rend(); ++digit, bin >>= 4) {
    *digit = kDigits[bin & 15];
  }
  return prefix + "-" + number;
}

bool Bins::Has(std::string_view role) const {
  if (!role.starts_with(prefix)) return false;
  role.remove_prefix(prefix.size());
  if (!role.starts_with('-') || role.size() != 1 + DigitsOf(bit_length)) return false;
  role.remove_prefix(1);
  std::uint64_t number = 0;
  for (const char c : role) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return false;
    number = number * 16 + static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return number >> bit_length == 0;
}

bool MatchHashPrefix(const std::vector<std::string>& prefixes, std::string_view sha256_hex,
                     MatchWork& work) {
  work.Spend(prefixes.size());
  if (work.IsSpent()) return false;
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return sha256_hex.starts_with(prefix); });
}

const std::string& TargetToMatch::Sha256Hex() {
  if (sha256_hex_.empty()) sha256_hex_ = ToHex(Sha256Of(name_));
  return sha256_hex_;
}

PathMatch DelegatedRole::Matches(TargetToMatch& target, MatchWork& work) const {
  if (hash_prefixes) {
    return MatchHashPrefix(*hash_prefixes, target.Sha256Hex(), work) ? PathMatch::kYes
                                                                     : PathMatch::kNo;
  }
  if (!paths) return PathMatch::kNo;
  PathMatch any = PathMatch::kNo;
  for (const std::string& pattern : *paths) {
    const PathMatch match = MatchPath(pattern, target.name(), work);
    if (match == PathMatch::kYes) return match;
    if (match == PathMatch::kOdd) any = match;
  }
  return any;
}

TagsMatch DelegatedRole::MatchesTags(std::string_view prefix, MatchWork& work) const {
  TagsMatch best = TagsMatch::kNone;
  for (const std::string& pattern : *paths) {
    const TagsMatch match = MatchTags(pattern, prefix, work);
    if (match == TagsMatch::kEvery) return match;
    if (match == TagsMatch::kSome || best == TagsMatch::kNone) best = match;
  }
  return best;
}

Result<DelegatedRole> Delegations::ReadRole(JsonValue object, KeyTable& keys,
                                            std::size_t& patterns_left) {
  const auto name = ReadString(object, "name");
  if (!name) return tl::unexpected(name.error());
  if (name->empty() || IsTopLevel(*name))
    return MalformedMember("name", "cannot be a delegated role's");
  const auto terminating = ReadMember(object, "terminating", JsonType::kBool);
  if (!terminating) return tl::unexpected(terminating.error());
  auto authorized = keys.ReadRole(object);
  if (!authorized) return tl::unexpected(authorized.error());
  const auto exact =
      RefuseCaseVariants(object, {"name", "terminating", "paths", "path_hash_prefixes"});
  if (!exact) return tl::unexpected(exact.error());
  DelegatedRole role;
  role.name = *name;
  role.keys = *std::move(authorized);
  using Terminating = DelegatedRole::Terminating;
  role.terminating = *terminating->AsBool() ? Terminating::kYes : Terminating::kNo;
  const bool by_path = object.Find("paths").has_value();
  if (by_path == object.Find("path_hash_prefixes").has_value()) {
    return MalformedMember("paths", "or path_hash_prefixes: one of the two");
  }
  auto strings = ReadStrings(object, by_path ? "paths" : "path_hash_prefixes", patterns_left);
  if (!strings) return tl::unexpected(strings.error());
  (by_path ? role.paths : role.hash_prefixes) = *std::move(strings);
  return role;
}

Result<Bins> Delegations::ReadBins(JsonValue object) {
  const auto bit_length = ReadInteger(object, "bit_length");
  if (!bit_length) return tl::unexpected(bit_length.error());
  if (*bit_length < 1 || *bit_length > kMaxBitLength) {
    return MalformedMember("bit_length", "is not from 1 to 32");
  }
  const auto prefix = ReadString(object, "name_prefix");
  if (!prefix) return tl::unexpected(prefix.error());
  const auto exact = RefuseCaseVariants(object, {"bit_length", "name_prefix"});
  if (!exact) return tl::unexpected(exact.error());
  return Bins{static_cast<unsigned>(*bit_length), std::string(*prefix)};
}

Result<Delegations> Delegations::Parse(JsonValue object) {
  auto keys = KeyTable::Read(object);
  if (!keys) return tl::unexpected(keys.error());
  const auto exact = RefuseCaseVariants(object, {"keys", "roles", "succinct_roles"});
  if (!exact) return tl::unexpected(exact.error());
  Delegations read;
  const auto succinct = object.Find("succinct_roles");
  if (succinct.has_value() == object.Find("roles").has_value()) {
    return MalformedMember("roles", "or succinct_roles: one of the two");
  }
  if (succinct) {
    auto bins = ReadBins(*succinct);
    if (!bins) return tl::unexpected(bins.error());
    auto authorized = keys->ReadRole(*succinct);
    if (!authorized) return tl::unexpected(authorized.error());
    read.bins_ = *std::move(bins);
    read.bin_keys_ = *std::move(authorized);
    return read;
  }
  const auto roles = ReadMember(object, "roles", JsonType::kArray);
  if (!roles) return tl::unexpected(roles.error());
  const auto elements = roles->AsArray();
  if (elements->size() > kMaxRoles) return MalformedMember("roles", "are too many");
  std::size_t patterns_left = kMaxPatterns;
  for (const JsonValue element : *elements) {
    auto role = ReadRole(element, *keys, patterns_left);
    if (!role) return tl::unexpected(role.error());
    if (!read.by_name_.emplace(role->name, read.roles_.size()).second) {
      return MalformedMember("roles", "names one twice");
    }
    read.roles_.push_back(*std::move(role));
  }
  return read;
}

Result<std::vector<Delegations::Next>> Delegations::For(std::string_view name,
                                                        MatchWork& work) const {
  using Terminating = DelegatedRole::Terminating;
  std::vector<Next> next;
  if (bins_) {
    next.push_back({bins_->RoleOf(name), Terminating::kYes});
    return next;
  }
  TargetToMatch target(name);
  for (const DelegatedRole& role : roles_) {
    const PathMatch match = role.Matches(target, work);
    if (work.IsSpent()) return TooLong();
    if (match == PathMatch::kOdd) return Odd();
    if (match == PathMatch::kNo) continue;
    next.push_back({role.name, role.terminating});
    if (role.terminating == Terminating::kYes) break;
  }
  return next;
}

Result<Delegations::NextForTags> Delegations::ForTagsOf(std::string_view prefix,
                                                        MatchWork& work) const {
  NextForTags next;
  next.by_hash = bins_.has_value();
  for (const DelegatedRole& role : roles_) {
    if (role.hash_prefixes) {
      next.by_hash = next.by_hash || !role.hash_prefixes->empty();
      continue;
    }
    const TagsMatch match = role.MatchesTags(prefix, work);
    if (work.IsSpent()) return TooLong();
    if (match == TagsMatch::kOdd) return Odd();
    if (match == TagsMatch::kNone) continue;
    next.roles.push_back({role.name, match == TagsMatch::kEvery});
    next.ends = match == TagsMatch::kEvery && role.terminating == DelegatedRole::Terminating::kYes;
    if (next.ends) break;
  }
  return next;
}

const RoleKeys* Delegations::KeysOf(std::string_view role) const {
  if (bins_) return bins_->Has(role) ? &bin_keys_ : nullptr;
  const auto at = by_name_.find(role);
  return at == by_name_.end() ? nullptr : &roles_[at->second].keys;
}

std::size_t Delegations::resident_bytes() const {
  constexpr std::size_t kPerRole = 512;
  constexpr std::size_t kPerKey = 192;
  const auto of_keys = [](const RoleKeys& keys) {
    return kPerKey * (keys.keys.size() + keys.unusable.size());
  };
  std::size_t bytes = kPerRole + of_keys(bin_keys_);
  for (const DelegatedRole& role : roles_) {
    bytes += kPerRole + of_keys(role.keys);
    for (const auto* strings : {&role.paths, &role.hash_prefixes}) {
      if (!*strings) continue;
      for (const std::string& text : **strings) bytes += sizeof(std::string) + text.capacity();
    }
  }
  return bytes;
}

}  // namespace crivet::trust::tuf1
