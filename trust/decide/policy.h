// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/demand.h"
#include "trust/decide/image_pattern.h"

namespace crivet::trust {

class Kind;

enum class Action : std::uint8_t { kVerify, kAllow, kDeny };
enum class Mode : std::uint8_t { kEnforce, kAudit };

constexpr std::string_view WordOf(Action action) {
  switch (action) {
    case Action::kVerify:
      return "verify";
    case Action::kAllow:
      return "allow";
    case Action::kDeny:
      return "deny";
  }
  return "deny";
}

constexpr std::string_view WordOf(Mode mode) {
  return mode == Mode::kEnforce ? "enforce" : "audit";
}

enum class Present : std::uint8_t { kVerified, kCurrent };

/// Member is one trust that a rule names, with what the rule wants of it.
struct Member {
  std::string trust;  ///< label of `[trust.*]`
  std::string url;    ///< canonical URL of that server; empty where images' registries are asked
  const Kind* kind = nullptr;
  SharedDemand demand;
  /// The name under which the images are signed, where it is not their own.
  std::optional<ImagePattern> signed_as = std::nullopt;
  /// Why nothing can be judged by it: a file that it names, or its trust does, cannot be used. Then
  /// it has no collections, and `demand` says nothing. Empty: it can.
  std::string unusable = {};
};

/// How the members of a rule decide together (trust/RULES.md#several-trusts).
enum class Combine : std::uint8_t {
  kAnyOf,  ///< in their order, the first that allows
  kAllOf,  ///< all allow, for one digest
};

/// Rule is one `[[rule]]`, or `[default]`, as the configuration gives it. Immutable once in a
/// Policy.
struct Rule {
  /// What errors call it: `name`, else the first pattern as written; "default" for the default.
  std::string name;
  bool is_default = false;
  std::vector<ImagePattern> images;
  /// Globs (`*` any run of characters) on the pod's namespace; empty: every pod.
  std::vector<std::string> namespaces;
  Action action = Action::kDeny;
  Mode mode = Mode::kEnforce;

  // Only for kVerify:
  std::vector<Member> members;  ///< one, or those of `any_of` or `all_of`
  Combine combine = Combine::kAnyOf;
  Present present = Present::kVerified;
  std::chrono::seconds present_max_age{std::chrono::hours{24 * 30}};  ///< zero: for ever
  /// For how long what is kept of signatures in a registry counts after that last confirmed them
  /// (trust/registry_bound/RULES.md#confirmed); zero: for ever.
  std::chrono::seconds confirmed_max_age{0};

  // Only for kAllow:
  std::optional<TimePoint> until;
  std::string reason;
};

/// Rule::confirmed_max_age, or what is asked for instead, where that is not zero.
inline std::chrono::seconds ConfirmedWithin(const Rule& rule, std::chrono::seconds instead) {
  return instead.count() > 0 ? instead : rule.confirmed_max_age;
}

/// FileReader is one `[trust.*]` that reads a file out of another's collection
/// (trust/RULES.md#files-of-another-trust).
struct FileReader {
  std::string trust;  ///< its label
  const Kind* kind = nullptr;
  SharedDemand own;      ///< what Kind::ReadTrust gave for it, without the file
  std::string supplier;  ///< the label of the other
  CollectionId from;     ///< the other's
  std::string name;      ///< of the file
  SharedDemand demand;   ///< on `from`: Kind::DemandOfFile
};

/// The names under which a member's images are signed: the rule's patterns, or what it maps them
/// to.
std::vector<ImagePattern> NamesAsSigned(const Rule& rule, const Member& member);

/// A pod's namespace as far as a call knows it. PullImage without a sandbox config has none;
/// ImageStatus cannot know it, so every rule that could apply is asked (trust/RULES.md#namespaces).
struct NoNamespace {};
struct AnyNamespace {};
using PodNamespace = std::variant<NoNamespace, AnyNamespace, std::string>;

/// A rule with the collections that it reads for one name.
struct AppliedRule {
  std::shared_ptr<const Rule> rule;
  /// One a member, in their order; nullopt where the member's kind has no collection of that name,
  /// or the member is unusable.
  std::vector<std::optional<CollectionId>> collections;
  /// The name as each member knows it, where the rule maps names (trust/RULES.md#mirrors): set for
  /// every member that maps it and has a collection. Empty where none does.
  std::vector<std::optional<ImageReference>> signed_as = {};

  /// What that member is asked for: `reference`, or the name that it is mapped to.
  const ImageReference& NameFor(std::size_t member, const ImageReference& reference) const {
    return member < signed_as.size() && signed_as[member] ? *signed_as[member] : reference;
  }
};

/// Policy is the whole set of rules. Immutable; safe to share between threads.
class Policy {
 public:
  /// Fails (kMalformed, detail for people) where two rules could tie for a name, a mapping does not
  /// fit a pattern, or a rule lacks what its action needs. `fallback` is `[default]`.
  static Result<Policy> Create(std::vector<Rule> rules, Rule fallback,
                               std::vector<FileReader> files = {});

  /// The same, where a trust with that label is `own` (Kind::Under). Precondition: some rule could
  /// have been read under it.
  Policy WithTrust(const std::string& label, const SharedDemand& own) const;
  const std::vector<FileReader>& files() const { return files_; }

  /// The one rule for a name in a namespace; break-glass rules past `until` no longer exist. For
  /// AnyNamespace ask RulesFor; here it is answered as NoNamespace. Costs a comparison a pattern.
  AppliedRule RuleFor(const ImageReference& reference, const PodNamespace& pod_namespace,
                      TimePoint now) const;

  /// Every rule that could apply under some namespace, most specific first, never empty.
  std::vector<AppliedRule> RulesFor(const ImageReference& reference, TimePoint now) const;

  /// Every rule in the order of the configuration, the default last.
  const std::vector<std::shared_ptr<const Rule>>& rules() const { return rules_; }

  /// What all rules, and who reads files, together want of a collection; empty where none reads
  /// it. Names that a more specific rule takes away are not considered.
  Demands DemandsOn(const CollectionId& collection) const;

  /// Every member that reads the collection for some name, with its rule, in the order of the
  /// configuration.
  struct Reader {
    std::shared_ptr<const Rule> rule;
    const Member* member;
  };
  std::vector<Reader> ReadersOf(const CollectionId& collection) const;

  /// Rules that can never be chosen because more specific ones cover all of their names: for
  /// `crivet check`.
  std::vector<std::shared_ptr<const Rule>> Unreachable() const;

 private:
  /// One pattern of a rule, in the order of choice.
  struct Entry {
    std::shared_ptr<const Rule> rule;
    std::size_t pattern = 0;
    const ImagePattern& images() const { return rule->images[pattern]; }
  };
  /// How two entries that match the same name compete: less is chosen first.
  static std::weak_ordering Precedence(const Entry& a, const Entry& b);
  static Result<void> CheckTies(const std::vector<Entry>& entries);

  Policy(std::vector<std::shared_ptr<const Rule>> rules, std::vector<Entry> entries,
         std::vector<FileReader> files)
      : rules_(std::move(rules)), entries_(std::move(entries)), files_(std::move(files)) {}

  std::vector<std::shared_ptr<const Rule>> rules_;
  std::vector<Entry> entries_;
  std::vector<FileReader> files_;
};

}  // namespace crivet::trust
