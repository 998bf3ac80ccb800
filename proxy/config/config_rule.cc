// SPDX-License-Identifier: Apache-2.0

// One rule: `[default]` or a `[[rule]]`.
#include <fmt/format.h>

#include <algorithm>

#include "proxy/config/config_files.h"
#include "proxy/config/config_sections.h"
#include "trust/decide/policy.h"
#include "trust/io/http/pull_secret.h"

namespace crivet::proxy {
namespace {

using trust::Rule;

Valued<std::string> CheckKeyId(const std::string& text) {
  if (trust::KeyId::Parse(text)) return text;
  constexpr std::size_t kDigits = 64;
  const bool hex = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (text.starts_with("sha256:")) {
    return tl::unexpected<std::string>("a key ID is written without \"sha256:\"");
  }
  if (hex && text.size() == kDigits) {
    return tl::unexpected<std::string>("a key ID is written in lower case");
  }
  if (hex) {
    return tl::unexpected<std::string>(
        fmt::format("a key ID has 64 digits, and not {}: \"crivet pin IMAGE\" and \"notary key "
                    "list\" print all of them",
                    text.size()));
  }
  return tl::unexpected<std::string>(
      "a key ID is 64 lower-case hex digits, as \"crivet pin IMAGE\" prints it");
}

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
    for (const char* key : {"name", "images", "gun", "namespaces", "until", "reason"}) {
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
    constexpr const char* kVerifyKeys[] = {
        "trust", "root", "roles", "signers", "present", "present_max_age", "grace", "gun"};
    if (action_known_ && rule_.action != trust::Action::kVerify) {
      for (const char* key : kVerifyKeys) {
        table_.Refuse(key, "has no meaning unless action = \"verify\"");
      }
    } else {
      ReadTrust();
      ReadRoot();
      ReadRoles();
      ReadPresence();
      if (!rule_.is_default) ReadGun();
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

  bool verifies() const { return action_known_ && rule_.action == trust::Action::kVerify; }

  void ReadTrust() {
    if (!table_.Has("trust") && verifies()) {
      table_.Missing("trust", "the [trust.*] that action = \"verify\" asks");
    }
    const auto label = table_.String("trust");
    if (!label) return;
    const auto server =
        std::find_if(context_.servers.begin(), context_.servers.end(),
                     [&](const trust::TrustServer& s) { return s.label == label->value; });
    if (server == context_.servers.end()) {
      std::vector<std::string> labels;
      for (const auto& s : context_.servers) labels.push_back(s.label);
      findings_.Wrong(label->at,
                      fmt::format("there is no [trust.{}]{}", label->value,
                                  labels.empty() ? ": \"crivet pin --url URL IMAGE\" prints one"
                                                 : Suggestion(label->value, labels)));
      return;
    }
    from_pull_ = server->auth == trust::TrustServer::Auth::kFromPull;
    rule_.trust = server->label;
    rule_.url = server->url;
  }

  void ReadRoot() {
    if (!table_.Has("root") && verifies()) {
      table_.Missing("root", "whom to believe; \"crivet pin IMAGE\" prints the line");
    }
    const auto section = table_.Table("root");
    if (!section) return;
    TableReader root(*section->value, section->at, "root", findings_);
    for (const auto& id : root.EachChecked("key_ids", CheckKeyId)) {
      rule_.root.key_ids.push_back(*trust::KeyId::Parse(id.value));
    }
    ReadCertificates(root, "cert_file", rule_.root.certificates);
    ReadCertificates(root, "ca_file", rule_.root.authorities);
    if (auto file = File(root, "root_file")) rule_.root.root_file = std::move(file->second);
    if (const auto tofu = root.Bool("tofu")) rule_.root.tofu = tofu->value;
    if (rule_.root.tofu) {
      findings_.Warn(
          root.PositionOf("tofu"),
          "tofu = true: the first root that this node meets is trusted, whoever made it");
    }
    // What could not be read has its own error, so presence of the key counts here.
    const bool names_one = (root.Has("key_ids") && !root.HasEmptyArray("key_ids")) ||
                           root.Has("cert_file") || root.Has("ca_file") || root.Has("root_file") ||
                           rule_.root.tofu;
    if (!names_one) {
      findings_.Wrong(section->at,
                      "\"root\" must name whom to believe: at least one of key_ids, cert_file, "
                      "ca_file, root_file, or tofu = true");
    }
    root.Finish();
  }

  std::optional<std::pair<Placed<std::string>, std::string>> File(TableReader& table,
                                                                  const std::string& key) {
    auto path = table.Checked(
        key, [](const std::string& text) { return CheckAbsolutePath(text, PathUse::kFile); });
    if (!path) return std::nullopt;
    auto content = ReadFileUnder(findings_.root(), path->value, Secrecy::kPublic);
    if (!content) {
      findings_.Wrong(path->at, fmt::format("\"{}\": {} {}", key, path->value, content.error()));
      return std::nullopt;
    }
    return std::pair{std::move(*path), std::move(*content)};
  }

  void ReadCertificates(TableReader& table, const std::string& key, trust::CertificateSet& out) {
    const auto file = File(table, key);
    if (!file) return;
    if (auto certificates = trust::CertificateSet::Parse(file->second)) {
      out = std::move(*certificates);
    } else {
      findings_.Wrong(file->first.at, fmt::format("\"{}\": {} holds no certificate: {}", key,
                                                  file->first.value, certificates.error().detail));
    }
  }

  void ReadRoles() {
    rule_.roles = RoleNames("roles", "");
    if (table_.HasEmptyArray("roles")) {
      findings_.Wrong(table_.PositionOf("roles"), "\"roles\" must not be empty");
    } else if (!table_.Has("roles")) {
      rule_.roles = {*trust::RoleName::Parse("targets/releases"), trust::RoleName::Targets()};
    }
    rule_.signers = RoleNames("signers", "targets/");
  }

  /// Names of roles that list tags. `prefix` is put before names that are no full role name.
  std::vector<trust::RoleName> RoleNames(const std::string& key, std::string_view prefix) {
    std::vector<trust::RoleName> names;
    const auto strings = table_.Strings(key);
    if (!strings) return names;
    for (const auto& text : strings->value) {
      const bool whole = prefix.empty() || text.value.starts_with("targets/");
      const auto name =
          trust::RoleName::Parse(whole ? text.value : std::string(prefix) + text.value);
      if (!name || !(name->IsDelegation() || *name == trust::RoleName::Targets())) {
        findings_.Wrong(text.at,
                        fmt::format("\"{}\" must hold {}", key,
                                    prefix.empty() ? "\"targets\" or roles below it, such as "
                                                     "\"targets/releases\""
                                                   : "names of signers, such as \"alice\""));
      } else if (std::find(names.begin(), names.end(), *name) != names.end()) {
        findings_.Wrong(text.at, fmt::format("\"{}\" names a role twice", key));
      } else {
        names.push_back(*name);
      }
    }
    return names;
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
    }
    if (const auto d = table_.Duration("grace", seconds{0}, hours{24 * 365})) {
      rule_.grace = duration_cast<seconds>(d->value);
      if (d->value > hours{24}) {
        findings_.Warn(d->at, fmt::format("grace = \"{}\": a server that is held back can hide a "
                                          "withdrawn tag for that long",
                                          FormatDuration(d->value)));
      }
    }
  }

  void ReadGun() {
    const auto text = table_.String("gun");
    if (!text) return;
    auto gun = trust::ImagePattern::ParseGun(text->value);
    if (!gun) {
      findings_.Wrong(text->at, fmt::format("\"gun\": {}", gun.error().detail));
      return;
    }
    for (const trust::ImagePattern& pattern : rule_.images) {
      if (!gun->SameWildcards(pattern)) {
        findings_.Wrong(text->at, fmt::format("\"gun\" must have the same wildcards in the same "
                                              "order as \"{}\"",
                                              pattern.text()));
      }
    }
    rule_.gun = std::move(*gun);
  }

  /// Says which names' pull secrets stay here although the server takes them from pulls.
  void WarnOfPullSecrets() {
    if (!verifies() || !from_pull_) return;
    const std::string unsent =
        fmt::format("pull secrets are not sent to [trust.{}] for ", rule_.trust);
    const std::string_view remedy =
        "; where it wants credentials for them, set its auth to the path of a Docker config.json";
    if (rule_.is_default) {
      findings_.Warn(table_.at(), fmt::format("{}what no rule names{}", unsent, remedy));
    } else if (rule_.gun) {
      findings_.Warn(
          table_.PositionOf("gun"),
          fmt::format("{}images that another name was signed for (gun){}", unsent, remedy));
    } else {
      for (std::size_t i = 0; i < rule_.images.size(); ++i) {
        if (trust::RegistryNamedBy(rule_.images[i])) continue;
        findings_.Warn(image_positions_[i], fmt::format("{}\"{}\", which names no registry{}",
                                                        unsent, rule_.images[i].text(), remedy));
      }
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
  bool from_pull_ = false;
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
