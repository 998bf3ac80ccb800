// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/policy.h"

#include <algorithm>
#include <string_view>

#include "trust/decide/kind.h"

namespace crivet::trust {
namespace {

constexpr std::string_view kDockerHub = "docker.io/";
constexpr std::string_view kOfficialPrefix = "library/";

bool IsOver(const Rule& rule, TimePoint now) { return rule.until && now >= *rule.until; }

bool AppliesTo(const Rule& rule, const PodNamespace& pod_namespace) {
  if (rule.namespaces.empty()) return true;
  const auto* name = std::get_if<std::string>(&pod_namespace);
  if (name == nullptr) return false;
  return std::any_of(rule.namespaces.begin(), rule.namespaces.end(),
                     [name](const std::string& glob) { return GlobMatches(glob, *name); });
}

bool CoversEveryNamespace(const Rule& rule) {
  return rule.namespaces.empty() ||
         std::any_of(rule.namespaces.begin(), rule.namespaces.end(), [](const std::string& glob) {
           return glob.find_first_not_of('*') == std::string::npos;
         });
}

bool NamespacesMeet(const Rule& a, const Rule& b) {
  for (const std::string& glob_a : a.namespaces) {
    for (const std::string& glob_b : b.namespaces) {
      if (CanMeet(GlobSteps(glob_a), GlobSteps(glob_b))) return true;
    }
  }
  return a.namespaces.empty() && b.namespaces.empty();
}

// The name under which an image is signed; nullopt where the pattern does not match it, or what
// comes out is no repository's name.
std::optional<ImageReference> SignedAs(const ImagePattern& mapping, const ImagePattern& images,
                                       const ImageReference& reference) {
  const auto captures = images.Match(reference.repository());
  if (!captures) return std::nullopt;
  std::string text = mapping.Expand(*captures);
  // trust/RULES.md#mirrors: an official image is signed under its long name.
  if (text.starts_with(kDockerHub) && text.find('/', kDockerHub.size()) == std::string::npos) {
    text.insert(kDockerHub.size(), kOfficialPrefix);
  }
  auto named = reference.InRepository(text);
  if (!named) return std::nullopt;
  return *std::move(named);
}

AppliedRule Apply(const std::shared_ptr<const Rule>& rule, const ImagePattern* images,
                  const ImageReference& reference) {
  AppliedRule applied{rule, {}};
  applied.collections.reserve(rule->members.size());
  for (const Member& member : rule->members) {
    std::optional<ImageReference> mapped;
    const bool maps = member.signed_as && images != nullptr;
    if (maps) mapped = SignedAs(*member.signed_as, *images, reference);
    auto& collection = applied.collections.emplace_back();
    if ((maps && !mapped) || !member.unusable.empty()) continue;
    const bool elsewhere = mapped && member.kind->IsFoundAsSigned();
    auto name = member.kind->CollectionUnder(*member.demand,
                                             (elsewhere ? *mapped : reference).repository());
    if (name) collection = member.kind->IdOf(member.url, *std::move(name));
    if (!mapped) continue;
    applied.signed_as.resize(rule->members.size());
    applied.signed_as[applied.collections.size() - 1] = std::move(mapped);
  }
  return applied;
}

bool MapsNames(const Rule& rule) {
  return std::any_of(rule.members.begin(), rule.members.end(),
                     [](const Member& member) { return member.signed_as.has_value(); });
}

// Whether a member reads the collection for some name that its rule matches.
bool MayRead(const Rule& rule, const Member& member, const CollectionId& collection) {
  const std::string& name = collection.name;
  if (!member.unusable.empty()) return false;
  if (member.kind->IdOf(member.url, name) != collection) return false;
  if (!member.kind->IsUnder(*member.demand, name)) return false;
  if (rule.is_default) return true;
  if (!member.signed_as || !member.kind->IsFoundAsSigned()) {
    return std::any_of(rule.images.begin(), rule.images.end(), [&](const ImagePattern& images) {
      return member.kind->MayHold(name, images);
    });
  }
  if (member.kind->MayHold(name, *member.signed_as)) return true;
  // What `docker.io/*` gives is written out before it is used, so it is matched in both spellings.
  constexpr std::size_t kPrefix = kDockerHub.size();
  if (!name.starts_with(kDockerHub) ||
      name.compare(kPrefix, kOfficialPrefix.size(), kOfficialPrefix) != 0) {
    return false;
  }
  std::string familiar = name;
  familiar.erase(kPrefix, kOfficialPrefix.size());
  return familiar.find('/', kPrefix) == std::string::npos &&
         member.kind->MayHold(familiar, *member.signed_as);
}

Result<void> CheckMember(const Rule& rule, const Member& member) {
  const auto fail = [&rule](const std::string& what) {
    return Fail(Reason::kMalformed, "rule \"" + rule.name + "\": " + what);
  };
  if (member.kind == nullptr || member.demand == nullptr) return fail("a trust without a demand");
  if (member.unusable.empty()) {
    const std::string wrong = member.kind->WrongFor(*member.demand, NamesAsSigned(rule, member));
    if (!wrong.empty()) return fail(wrong);
  }
  if (!member.signed_as) return {};
  const std::string key(member.kind->signed_as_key());
  if (rule.is_default) return fail("`" + key + "` is for verify rules with images");
  for (const ImagePattern& images : rule.images) {
    if (!member.signed_as->SameWildcards(images)) {
      return fail(key + " \"" + member.signed_as->text() + "\" needs the wildcards of \"" +
                  images.text() + "\" in the same order");
    }
  }
  return {};
}

Result<void> CheckRule(const Rule& rule) {
  const auto fail = [&rule](const std::string& what) {
    return Fail(Reason::kMalformed, "rule \"" + rule.name + "\": " + what);
  };
  if (!rule.is_default && rule.images.empty()) return fail("no images");
  if (rule.is_default && (!rule.images.empty() || !rule.namespaces.empty())) {
    return fail("the default takes neither images nor namespaces");
  }
  if (std::any_of(rule.namespaces.begin(), rule.namespaces.end(),
                  [](const std::string& glob) { return glob.empty(); })) {
    return fail("an empty namespace");
  }
  if (rule.until && rule.action != Action::kAllow) return fail("`until` is for allow rules");
  if ((rule.action == Action::kVerify) == rule.members.empty()) {
    return fail("verify needs a trust, and nothing else has one");
  }
  for (const Member& member : rule.members) {
    if (auto checked = CheckMember(rule, member); !checked) return checked;
  }
  return {};
}

}  // namespace

std::vector<ImagePattern> NamesAsSigned(const Rule& rule, const Member& member) {
  return member.signed_as ? std::vector{*member.signed_as} : rule.images;
}

std::weak_ordering Policy::Precedence(const Entry& a, const Entry& b) {
  const auto order = Specificity(a.images(), b.images());
  if (order != 0) return order;
  return a.rule->namespaces.empty() <=> b.rule->namespaces.empty();
}

Result<void> Policy::CheckTies(const std::vector<Entry>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // Entries are sorted, so those that could tie with this one follow it directly.
    for (std::size_t j = i + 1; j < entries.size(); ++j) {
      const Entry& a = entries[i];
      const Entry& b = entries[j];
      if (Precedence(a, b) != 0) break;
      // Two patterns of one rule differ only in what another name takes from them.
      if (a.rule == b.rule && !MapsNames(*a.rule)) continue;
      if (!a.images().Overlaps(b.images()) || !NamespacesMeet(*a.rule, *b.rule)) continue;
      return Fail(Reason::kMalformed, "rules \"" + a.rule->name + "\" and \"" + b.rule->name +
                                          "\" are equally specific for images that match both \"" +
                                          a.images().text() + "\" and \"" + b.images().text() +
                                          "\"");
    }
  }
  return {};
}

Result<Policy> Policy::Create(std::vector<Rule> rules, Rule fallback,
                              std::vector<FileReader> files) {
  fallback.is_default = true;
  if (auto checked = CheckRule(fallback); !checked) return tl::unexpected(checked.error());
  std::vector<std::shared_ptr<const Rule>> shared;
  std::vector<Entry> entries;
  for (Rule& rule : rules) {
    rule.is_default = false;
    if (auto checked = CheckRule(rule); !checked) return tl::unexpected(checked.error());
    shared.push_back(std::make_shared<const Rule>(std::move(rule)));
    for (std::size_t i = 0; i < shared.back()->images.size(); ++i) {
      entries.push_back({shared.back(), i});
    }
  }
  shared.push_back(std::make_shared<const Rule>(std::move(fallback)));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return Precedence(a, b) < 0; });
  if (auto checked = CheckTies(entries); !checked) return tl::unexpected(checked.error());
  return Policy(std::move(shared), std::move(entries), std::move(files));
}

Policy Policy::WithTrust(const std::string& label, const SharedDemand& own) const {
  Policy changed = *this;
  for (std::shared_ptr<const Rule>& rule : changed.rules_) {
    const auto is_its = [&](const Member& member) {
      return member.trust == label && member.unusable.empty();
    };
    if (std::none_of(rule->members.begin(), rule->members.end(), is_its)) continue;
    Rule under = *rule;
    for (Member& member : under.members) {
      if (is_its(member)) member.demand = member.kind->Under(own, std::move(member.demand));
    }
    const auto taken = std::make_shared<const Rule>(std::move(under));
    for (Entry& entry : changed.entries_) {
      if (entry.rule == rule) entry.rule = taken;
    }
    rule = taken;
  }
  return changed;
}

AppliedRule Policy::RuleFor(const ImageReference& reference, const PodNamespace& pod_namespace,
                            TimePoint now) const {
  for (const Entry& entry : entries_) {
    if (!entry.images().Matches(reference.repository()) || IsOver(*entry.rule, now) ||
        !AppliesTo(*entry.rule, pod_namespace)) {
      continue;
    }
    return Apply(entry.rule, &entry.images(), reference);
  }
  return Apply(rules_.back(), nullptr, reference);
}

std::vector<AppliedRule> Policy::RulesFor(const ImageReference& reference, TimePoint now) const {
  std::vector<AppliedRule> applied;
  for (const Entry& entry : entries_) {
    if (!entry.images().Matches(reference.repository()) || IsOver(*entry.rule, now)) continue;
    // A rule matches once, by its most specific pattern.
    const bool known =
        std::any_of(applied.begin(), applied.end(),
                    [&entry](const AppliedRule& earlier) { return earlier.rule == entry.rule; });
    if (!known) applied.push_back(Apply(entry.rule, &entry.images(), reference));
    if (CoversEveryNamespace(*entry.rule)) return applied;
  }
  applied.push_back(Apply(rules_.back(), nullptr, reference));
  return applied;
}

std::vector<Policy::Reader> Policy::ReadersOf(const CollectionId& collection) const {
  std::vector<Reader> readers;
  for (const std::shared_ptr<const Rule>& rule : rules_) {
    for (const Member& member : rule->members) {
      if (MayRead(*rule, member, collection)) readers.push_back({rule, &member});
    }
  }
  return readers;
}

Demands Policy::DemandsOn(const CollectionId& collection) const {
  Demands demands;
  const auto add = [&demands](const SharedDemand& demand) {
    const bool known = std::any_of(demands.begin(), demands.end(), [&](const SharedDemand& other) {
      return other->Equals(*demand);
    });
    if (!known) demands.push_back(demand);
  };
  for (const Reader& reader : ReadersOf(collection)) add(reader.member->demand);
  for (const FileReader& reader : files_) {
    if (reader.from == collection) add(reader.demand);
  }
  return demands;
}

std::vector<std::shared_ptr<const Rule>> Policy::Unreachable() const {
  std::vector<std::shared_ptr<const Rule>> unreachable;
  for (const auto& rule : rules_) {
    const auto never_chosen = [this, &rule](const ImagePattern& images) {
      std::vector<const WildcardSteps*> before;
      for (const Entry& entry : entries_) {
        if (entry.rule == rule) {
          if (&entry.images() == &images) break;
          continue;
        }
        // A rule that ends, or that only some pods meet, leaves names to those after it.
        if (!entry.rule->until && entry.rule->namespaces.empty()) {
          before.push_back(&entry.images().steps());
        }
      }
      return CoveredBy(images.steps(), before);
    };
    if (!rule->is_default && std::all_of(rule->images.begin(), rule->images.end(), never_chosen)) {
      unreachable.push_back(rule);
    }
  }
  return unreachable;
}

}  // namespace crivet::trust
