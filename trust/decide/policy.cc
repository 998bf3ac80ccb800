// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/policy.h"

#include <algorithm>
#include <string_view>

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

// The name under which an image is signed; nullopt where the mapped text is no GUN.
std::optional<Gun> GunFor(const Rule& rule, const ImagePattern& images,
                          const ImageReference& reference) {
  if (!rule.gun) return Gun::Of(reference);
  const auto captures = images.Match(reference.repository());
  if (!captures) return std::nullopt;
  std::string text = rule.gun->Expand(*captures);
  // trust/RULES.md#mirrors: an official image is signed under its long name.
  if (text.starts_with(kDockerHub) && text.find('/', kDockerHub.size()) == std::string::npos) {
    text.insert(kDockerHub.size(), kOfficialPrefix);
  }
  auto gun = Gun::Parse(text);
  if (!gun) return std::nullopt;
  return *std::move(gun);
}

AppliedRule Apply(const std::shared_ptr<const Rule>& rule, const ImagePattern* images,
                  const ImageReference& reference) {
  AppliedRule applied{rule, std::nullopt};
  if (rule->action != Action::kVerify) return applied;
  auto gun = images == nullptr ? Gun::Of(reference) : GunFor(*rule, *images, reference);
  if (gun) applied.repository = RepositoryId{rule->url, *std::move(gun)};
  return applied;
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
  if (rule.action == Action::kVerify && (rule.url.empty() || rule.roles.empty())) {
    return fail("verify needs a trust server and roles");
  }
  if (!rule.gun) return {};
  if (rule.action != Action::kVerify || rule.is_default) {
    return fail("`gun` is for verify rules with images");
  }
  for (const ImagePattern& images : rule.images) {
    if (!rule.gun->SameWildcards(images)) {
      return fail("gun \"" + rule.gun->text() + "\" needs the wildcards of \"" + images.text() +
                  "\" in the same order");
    }
  }
  return {};
}

}  // namespace

std::vector<RoleName> Rule::RolesRead() const {
  std::vector<RoleName> read = roles;
  for (const RoleName& signer : signers) {
    if (std::find(read.begin(), read.end(), signer) == read.end()) read.push_back(signer);
  }
  return read;
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
      // Two patterns of one rule differ only in what a `gun` takes from them.
      if (a.rule == b.rule && !a.rule->gun) continue;
      if (!a.images().Overlaps(b.images()) || !NamespacesMeet(*a.rule, *b.rule)) continue;
      return Fail(Reason::kMalformed, "rules \"" + a.rule->name + "\" and \"" + b.rule->name +
                                          "\" are equally specific for images that match both \"" +
                                          a.images().text() + "\" and \"" + b.images().text() +
                                          "\"");
    }
  }
  return {};
}

Result<Policy> Policy::Create(std::vector<Rule> rules, Rule fallback) {
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
  return Policy(std::move(shared), std::move(entries));
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

bool Policy::MayRead(const Rule& rule, const RepositoryId& repository) const {
  if (rule.action != Action::kVerify || rule.url != repository.url) return false;
  if (rule.is_default) return true;
  const std::string& gun = repository.gun.text();
  if (!rule.gun) {
    return std::any_of(rule.images.begin(), rule.images.end(),
                       [&gun](const ImagePattern& images) { return images.Matches(gun); });
  }
  if (rule.gun->Matches(gun)) return true;
  // What `docker.io/*` gives is written out before it is used, so it is matched in both spellings.
  constexpr std::size_t kPrefix = kDockerHub.size();
  if (!gun.starts_with(kDockerHub) ||
      gun.compare(kPrefix, kOfficialPrefix.size(), kOfficialPrefix) != 0) {
    return false;
  }
  std::string familiar = gun;
  familiar.erase(kPrefix, kOfficialPrefix.size());
  return familiar.find('/', kPrefix) == std::string::npos && rule.gun->Matches(familiar);
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
