// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/notary_kind.h"

#include <utility>

#include "trust/notary/gun.h"
#include "trust/notary/notary_refresh.h"
#include "trust/notary/read_demand.h"
#include "trust/notary/root_text.h"
#include "trust/tuf/read_gun.h"

namespace crivet::trust {
namespace {

bool IsDelegated(const SignedPart& part) { return part.threshold > 0; }

// Roles of the demand that nobody delegates to. Many publishers have no targets/releases, which is
// read unless the rule says otherwise: it counts only where no other role could list the tag.
std::string UndelegatedRoles(const Evidence& judged) {
  bool some_can_list = false;
  for (std::size_t i = judged.asked_begin; i < judged.asked_end; ++i) {
    some_can_list = some_can_list || IsDelegated(*judged.parts[i]);
  }
  std::string names;
  for (const auto& part : judged.parts) {
    if (IsDelegated(*part) || (part->name == "targets/releases" && some_can_list)) continue;
    names += (names.empty() ? "" : ", ") + part->name;
  }
  return names;
}

class Notary final : public Kind {
 public:
  std::string_view name() const override { return "notary"; }

  const std::vector<std::string>& rule_keys() const override { return NotaryRuleKeys(); }
  std::string_view signed_as_key() const override { return kGunKey; }
  RuleDemand ReadDemand(KeyReader& keys) const override { return ReadNotaryDemand(keys); }

  std::optional<std::string> CollectionFor(std::string_view signed_as) const override {
    return ParseName(signed_as);
  }
  bool MayHold(const std::string& name, const ImagePattern& images) const override {
    return images.Matches(name);
  }
  std::optional<std::string> ParseName(std::string_view text) const override {
    const Result<Gun> gun = Gun::Parse(text);
    if (!gun) return std::nullopt;
    return gun->text();
  }

  std::unique_ptr<Refresh> Begin(RefreshStart start) const override {
    return std::make_unique<NotaryRefresh>(std::move(start));
  }
  bool IsAnchorFile(std::string_view stored_as) const override {
    return stored_as == "root" || stored_as.ends_with(".root");
  }
  FileRequest AnchorRequest(const CollectionId& id, const Limits& limits) const override {
    return RequestFor(id.name, {"root.json", limits.root_bytes, std::nullopt}, {});
  }

  Result<AnchorText> DescribeAnchor(std::string file, const CollectionId& id,
                                    const std::string& image, const std::string& trust,
                                    TimePoint now) const override {
    return DescribeRoot(file, id, image, trust, now);
  }
  std::string NobodySigns(const Evidence& judged) const override {
    return UndelegatedRoles(judged);
  }
  std::string HowToSign(std::string_view image) const override {
    return "docker trust sign " + std::string(image);
  }
};

}  // namespace

const Kind& NotaryKind() {
  static const Notary kind;
  return kind;
}

}  // namespace crivet::trust
