// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/tuf_demand.h"

#include <utility>

namespace crivet::trust::tuf1 {
namespace {

constexpr std::string_view kDefaultTag = "latest";

std::string TextOf(const std::optional<TargetName>& name) { return name ? name->text() : ""; }

}  // namespace

bool TufTrust::Equals(const Demand& other) const {
  const auto& b = static_cast<const TufTrust&>(other);
  return pin == b.pin && max_delegations == b.max_delegations;
}

bool TufDemand::Equals(const Demand& other) const {
  const TufDemand& b = AsTuf(other);
  return trust->Equals(*b.trust) && target.text() == b.target.text() &&
         TextOf(digest_target) == TextOf(b.digest_target) && roles == b.roles &&
         signers == b.signers && grace == b.grace && file == b.file;
}

std::optional<std::string> TufDemand::NameOf(const ImageReference& reference) const {
  if (!reference.digest() || reference.tag()) {
    return NameOfTag(reference, reference.tag() ? std::string_view(*reference.tag()) : kDefaultTag);
  }
  if (!digest_target) return std::nullopt;
  return digest_target->For(reference, reference.digest()->ToString());
}

SharedDemand DemandOfTarget(const SharedDemand& trust, TargetFile file) {
  auto demand =
      std::make_shared<TufDemand>(TargetName::Parse("{name}:{tag}", TargetName::Of::kTag).value());
  demand->trust = std::static_pointer_cast<const TufTrust>(trust);
  demand->file = std::move(file);
  return demand;
}

const TufDemand& AsTuf(const Demand& demand) { return static_cast<const TufDemand&>(demand); }

}  // namespace crivet::trust::tuf1
