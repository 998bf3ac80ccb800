// SPDX-License-Identifier: Apache-2.0

// One rule: `[default]` or a `[[rule]]`.
// Over 400 lines: what one key of it means depends on most of the others.
#include <fmt/format.h>

#include <algorithm>

#include "proxy/config/config_files.h"
#include "proxy/config/config_sections.h"
#include "proxy/config/rule_keys.h"
#include "trust/decide/kind.h"
#include "trust/decide/policy.h"
#include "trust/io/http/pull_secret.h"

namespace crivet::proxy {
namespace {

using trust::Rule;

constexpr char kAnyOf[] = "any_of";
constexpr char kAllOf[] = "all_of";

/// Reads one `[[rule]]`, or `[default]`.
class RuleReader {
 public:
  RuleReader(TableReader& table, const RuleContext& context, ConfigFindings& findings)
      : table_(table), context_(context), findings_(findings) {
    rule_.mode = context.mode;
  }

  Rule ReadDefault() {
    rule_.name = "default";
    rule_.is_default = true;
    std::vector<std::string> meaningless = {"name", "images", "namespaces", "until", "reason"};
    for (const trust::Kind* kind : context_.kinds) {
      const std::string key(kind->signed_as_key());
      const bool known =
          std::find(meaningless.begin(), meaningless.end(), key) != meaningless.end();
      if (!key.empty() && !known) meaningless.push_back(key);
    }
    for (const std::string& key : meaningless) {
      table_.Refuse(key, "has no meaning: the default is for every name that no rule matches");
    }
    ReadActionAndMode();
    ReadForAction();
    if (rule_.action == trust::Action::kAllow) {
      findings_.Warn(table_.at(), "[default] allows: a name that no rule matches runs unverified");
    }
    table_.Finish();
    return std::move(rule_);
  }

  Rule ReadRule() {
    ReadImages();
    ReadName();
    for (auto& glob : table_.EachChecked("namespaces", CheckNamespaceGlob)) {
      rule_.namespaces.push_back(std::move(glob.value));
    }
    // Without this, `namespaces = []` would make a rule for some pods one for all.
    if (table_.HasEmptyArray("namespaces")) {
      findings_.Wrong(table_.PositionOf("namespaces"),
                      "\"namespaces\" must not be empty: leave it out for a rule for all pods");
    }
    ReadActionAndMode();
    ReadForAction();
    WarnOfAllowedRegistries();
    table_.Finish();
    return std::move(rule_);
  }

 private:
  void WarnOfAllowedRegistries() {
    if (rule_.action != trust::Action::kAllow || !action_known_) return;
    for (const trust::ImagePattern& pattern : rule_.images) {
      if (!pattern.text().starts_with('*')) continue;
      findings_.Warn(table_.PositionOf("images"),
                     fmt::format("\"{}\" allows images of every registry, unverified: name the "
                                 "registries that are meant",
                                 pattern.text()));
    }
  }

  void ReadImages() {
    if (!table_.Has("images")) table_.Missing("images", "the names that the rule is for");
    const auto images = table_.Strings("images");
    if (!images) return;
    if (images->value.empty()) findings_.Wrong(images->at, "\"images\" must not be empty");
    for (const auto& text : images->value) {
      if (auto pattern = trust::ImagePattern::Parse(text.value)) {
        rule_.images.push_back(std::move(*pattern));
        image_positions_.push_back(text.at);
      } else {
        findings_.Wrong(text.at, fmt::format("\"images\": {}", pattern.error().detail));
      }
    }
  }

  void ReadName() {
    const auto is_good = [](const std::string& text) -> Valued<std::string> {
      const auto is_letter = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
      if (text.empty() || text.size() > 128 || text == "default" ||
          !std::all_of(text.begin(), text.end(), is_letter)) {
        return tl::unexpected<std::string>(
            "must be 1 to 128 plain ASCII characters, without quotes, and not \"default\"");
      }
      return text;
    };
    if (auto name = table_.Checked("name", is_good)) {
      rule_.name = std::move(name->value);
    } else if (!rule_.images.empty()) {
      rule_.name = rule_.images.front().text();
    }
  }

  void ReadActionAndMode() {
    if (!table_.Has("action")) table_.Missing("action", "\"verify\", \"allow\" or \"deny\"");
    if (const auto word = table_.Word("action", {"verify", "allow", "deny"})) {
      constexpr trust::Action kActions[] = {trust::Action::kVerify, trust::Action::kAllow,
                                            trust::Action::kDeny};
      rule_.action = kActions[word->value];
      action_known_ = true;
    }
    if (const auto word = table_.Word("mode", {"enforce", "audit"})) {
      rule_.mode = word->value == 0 ? trust::Mode::kEnforce : trust::Mode::kAudit;
    }
  }

  void ReadForAction() {
    if (action_known_ && rule_.action != trust::Action::kVerify) {
      for (const std::string& key :
           WithKeysOfKinds({"trust", kAnyOf, kAllOf, "present", "present_max_age"})) {
        table_.Refuse(key, "has no meaning unless action = \"verify\"");
      }
    } else {
      ReadMembers();
      ReadPresence();
      WarnOfPullSecrets();
    }
    if (rule_.is_default) return;
    if (action_known_ && rule_.action != trust::Action::kAllow) {
      for (const char* key : {"until", "reason"}) {
        table_.Refuse(key, "has no meaning unless action = \"allow\"");
      }
    } else {
      ReadBreakGlass();
    }
  }

  // Kinds may have keys of one name.
  std::vector<std::string> WithKeysOfKinds(std::vector<std::string> keys) const {
    for (const trust::Kind* kind : context_.kinds) {
      for (const std::string& key : kind->rule_keys()) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
      }
    }
    return keys;
  }

  bool verifies() const { return action_known_ && rule_.action == trust::Action::kVerify; }

  // trust/RULES.md#several-trusts: `any_of` or `all_of`, or one trust with its keys in the rule.
  void ReadMembers() {
    for (const char* key : {kAnyOf, kAllOf}) {
      const auto members = table_.Tables(key);
      if (!table_.Has(key)) continue;
      if (several_) {
        findings_.Wrong(table_.PositionOf(key), "a rule has any_of or all_of, and not both");
        return;
      }
      several_ = true;
      ReadSeveral(key, members);
    }
    if (!several_) ReadMember(table_);
  }

  void ReadSeveral(const std::string& key, const std::vector<Placed<const TomlTable*>>& members) {
    rule_.combine = key == kAnyOf ? trust::Combine::kAnyOf : trust::Combine::kAllOf;
    for (const std::string& own : WithKeysOfKinds({"trust"})) {
      table_.Refuse(own, fmt::format("belongs into each member of {}", key));
    }
    if (members.size() < 2) {
      findings_.Wrong(
          table_.PositionOf(key),
          fmt::format("\"{}\" must hold at least two of {{ trust = \"...\", ... }}", key));
    }
    for (const auto& member : members) {
      TableReader table(*member.value, member.at, "this member of " + key, findings_);
      ReadMember(table);
      table.Finish();
    }
    if (rule_.combine == trust::Combine::kAnyOf && !rule_.members.empty()) {
      findings_.Warn(table_.PositionOf(key),
                     "any_of is as strong as its weakest member: whatever one of them allows runs");
    }
  }

  void ReadMember(TableReader& table) {
    if (!table.Has("trust") && verifies()) {
      table.Missing("trust", "the [trust.*] that action = \"verify\" asks");
    }
    const trust::TrustServer* const server = ServerOf(table);
    trust::Member member;
    member.kind = context_.kinds.front();
    if (server != nullptr) {
      member.trust = server->label;
      member.url = server->url;
      if (const auto* kind = trust::FindKind(context_.kinds, server->kind)) member.kind = kind;
    }
    RefuseKeysOfOtherKinds(table, member);
    RuleKeys keys(table, findings_,
                  verifies() ? RuleKeys::Verifies::kYes : RuleKeys::Verifies::kNo);
    const std::size_t before = findings_.set_aside();
    trust::RuleDemand demand = member.kind->ReadDemand(keys);
    member.unusable = findings_.SetAsideSince(before);
    member.demand = std::move(demand.demand);
    const auto own = context_.own.find(member.trust);
    if (own != context_.own.end()) {
      if (member.unusable.empty()) member.unusable = own->second.unusable;
      if (own->second.demand && member.unusable.empty()) {
        member.demand = member.kind->Under(own->second.demand, std::move(member.demand));
      }
    }
    if (!rule_.is_default) member.signed_as = std::move(demand.signed_as);
    CheckDemand(table, member);
    CheckWildcards(table, member);
    // Without an action nobody knows what the rule is.
    if (verifies()) rule_.members.push_back(std::move(member));
  }

  void CheckDemand(TableReader& table, const trust::Member& member) {
    const bool known = !member.trust.empty() && member.unusable.empty();
    if (!verifies() || !known || findings_.any_wrong()) return;
    const std::string wrong =
        member.kind->WrongFor(*member.demand, trust::NamesAsSigned(rule_, member));
    if (!wrong.empty()) findings_.Wrong(table.at(), wrong);
  }

  const trust::TrustServer* ServerOf(TableReader& table) {
    const auto label = table.String("trust");
    if (!label) return nullptr;
    const auto server =
        std::find_if(context_.servers.begin(), context_.servers.end(),
                     [&](const trust::TrustServer& s) { return s.label == label->value; });
    if (server != context_.servers.end()) return &*server;
    std::vector<std::string> labels;
    for (const auto& s : context_.servers) labels.push_back(s.label);
    findings_.Wrong(label->at,
                    fmt::format("there is no [trust.{}]{}", label->value,
                                labels.empty() ? ": \"crivet pin --url URL IMAGE\" prints one"
                                               : Suggestion(label->value, labels)));
    return nullptr;
  }

  void RefuseKeysOfOtherKinds(TableReader& table, const trust::Member& member) {
    const auto& own = member.kind->rule_keys();
    for (const std::string& key : WithKeysOfKinds({})) {
      if (!table.Has(key) || std::find(own.begin(), own.end(), key) != own.end()) continue;
      std::string kinds;
      for (const trust::Kind* kind : context_.kinds) {
        const auto& theirs = kind->rule_keys();
        if (std::find(theirs.begin(), theirs.end(), key) == theirs.end()) continue;
        kinds += fmt::format("{}kind = \"{}\"", kinds.empty() ? "" : " or ", kind->name());
      }
      table.Refuse(key, fmt::format("is of {}, and this trust is of kind = \"{}\"", kinds,
                                    member.kind->name()));
    }
  }

  void CheckWildcards(TableReader& table, const trust::Member& member) {
    if (!member.signed_as) return;
    const std::string key(member.kind->signed_as_key());
    const auto text = table.String(key);
    for (const trust::ImagePattern& pattern : rule_.images) {
      if (member.signed_as->SameWildcards(pattern)) continue;
      findings_.Wrong(text ? text->at : table.at(),
                      fmt::format("\"{}\" must have the same wildcards in the same order as \"{}\"",
                                  key, pattern.text()));
    }
  }

  void ReadPresence() {
    using std::chrono::duration_cast;
    using std::chrono::hours;
    using std::chrono::seconds;
    if (const auto word = table_.Word("present", {"verified", "current"})) {
      rule_.present = word->value == 0 ? trust::Present::kVerified : trust::Present::kCurrent;
    }
    if (rule_.present == trust::Present::kCurrent) {
      table_.Refuse("present_max_age", "has no meaning with present = \"current\"");
    } else if (const auto d =
                   table_.Duration("present_max_age", seconds{0}, hours{24 * 365 * 100})) {
      rule_.present_max_age = duration_cast<seconds>(d->value);
      // Where nothing is said, what a registry once had counts on
      // (trust/registry_bound/RULES.md#confirmed).
      if (RegistryBound() != nullptr) rule_.confirmed_max_age = rule_.present_max_age;
    }
    RefuseCurrentOfSignatures();
  }

  // The first member whose signatures lie beside images; null: none.
  const trust::Member* RegistryBound() const {
    const auto found =
        std::find_if(rule_.members.begin(), rule_.members.end(), [](const trust::Member& member) {
          return member.kind->server() == trust::Kind::Server::kImageRegistry;
        });
    return found == rule_.members.end() ? nullptr : &*found;
  }

  // What would ask a registry at every start of a container must not look as if it did.
  void RefuseCurrentOfSignatures() {
    const trust::Member* const member = RegistryBound();
    if (member == nullptr || rule_.present != trust::Present::kCurrent) return;
    table_.Refuse(
        "present",
        fmt::format("has no meaning with [trust.{}]: its signatures are kept and judged by "
                    "the rule each time; present_max_age says for how long without "
                    "having been confirmed",
                    member->trust));
  }

  /// Says which names' pull secrets stay here although a server takes them from pulls.
  void WarnOfPullSecrets() {
    for (const trust::Member& member : rule_.members) {
      const auto server =
          std::find_if(context_.servers.begin(), context_.servers.end(),
                       [&](const trust::TrustServer& s) { return s.label == member.trust; });
      if (server == context_.servers.end() || server->auth != trust::TrustServer::Auth::kFromPull) {
        continue;
      }
      const bool own = member.kind->server() == trust::Kind::Server::kOwn;
      own ? WarnOfPullSecrets(member) : WarnOfOtherRegistry(member);
    }
  }

  void WarnOfPullSecrets(const trust::Member& member) {
    const std::string unsent =
        fmt::format("pull secrets are not sent to [trust.{}] for ", member.trust);
    const std::string_view remedy =
        "; where it wants credentials for them, set its auth to the path of a Docker config.json";
    if (rule_.is_default) {
      findings_.Warn(table_.at(), fmt::format("{}what no rule names{}", unsent, remedy));
    } else if (member.signed_as) {
      const std::string key(member.kind->signed_as_key());
      findings_.Warn(
          table_.PositionOf(key),
          fmt::format("{}images that another name was signed for ({}){}", unsent, key, remedy));
    } else {
      for (std::size_t i = 0; i < rule_.images.size(); ++i) {
        if (trust::RegistryNamedBy(rule_.images[i])) continue;
        findings_.Warn(image_positions_[i], fmt::format("{}\"{}\", which names no registry{}",
                                                        unsent, rule_.images[i].text(), remedy));
      }
    }
  }

  // A pod's own is for its image's registry (trust/RULES.md#credentials).
  void WarnOfOtherRegistry(const trust::Member& member) {
    if (member.demand == nullptr) return;
    for (std::size_t i = 0; i < rule_.images.size(); ++i) {
      std::string image(trust::RegistryNamedBy(rule_.images[i]).value_or("any.invalid"));
      image += "/any";
      const auto name = member.kind->CollectionUnder(*member.demand, image);
      const std::string other = name ? member.kind->OtherRegistryOf(*name) : "";
      if (other.empty()) continue;
      findings_.Warn(
          image_positions_[i],
          fmt::format("signatures for \"{}\" are looked for on {}, which is another registry: no "
                      "pull secret is sent there. Where it wants credentials, set auth of "
                      "[trust.{}] to the path of a Docker config.json with an entry for it",
                      rule_.images[i].text(), other, member.trust));
    }
  }

  void ReadBreakGlass() {
    const auto is_good = [](const std::string& text) -> Valued<std::string> {
      if (text.size() > 256) return tl::unexpected<std::string>("is longer than 256 bytes");
      return text;
    };
    if (auto reason = table_.Checked("reason", is_good)) rule_.reason = std::move(reason->value);
    const auto until = table_.Time("until");
    if (!until) return;
    rule_.until = until->value;
    const std::string when = trust::FormatRfc3339(until->value);
    findings_.Warn(until->at, until->value <= context_.now
                                  ? fmt::format("until = {} is past: the rule does nothing", when)
                                  : fmt::format("a break-glass rule allows until {}", when));
  }

  TableReader& table_;
  const RuleContext& context_;
  ConfigFindings& findings_;
  Rule rule_;
  std::vector<TextPosition> image_positions_;
  bool action_known_ = false;
  bool several_ = false;
};

}  // namespace

trust::Rule ReadDefaultRule(TableReader& table, const RuleContext& context,
                            ConfigFindings& findings) {
  return RuleReader(table, context, findings).ReadDefault();
}

trust::Rule ReadRule(TableReader& table, const RuleContext& context, ConfigFindings& findings) {
  return RuleReader(table, context, findings).ReadRule();
}

}  // namespace crivet::proxy
