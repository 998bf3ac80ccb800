// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/registry_bound_kind.h"

#include <utility>

#include "trust/registry_bound/signature_demand.h"
#include "trust/registry_bound/signature_place.h"
#include "trust/registry_bound/signature_search.h"
#include "trust/registry_bound/signature_set.h"

namespace crivet::trust::registry_bound {

std::optional<std::string> RegistryBoundKind::ParseName(std::string_view text) const {
  const auto place = SignaturePlace::Parse(text);
  return place ? std::optional(place->Text()) : std::nullopt;
}

std::optional<std::string> RegistryBoundKind::CollectionUnder(const Demand& demand,
                                                              std::string_view image) const {
  const std::string& source = AsSignatureDemand(demand).source;
  std::string name(image);
  if (!source.empty() && source != image) name += '@' + source;
  return ParseName(name);
}

bool RegistryBoundKind::IsUnder(const Demand& demand, const std::string& name) const {
  const auto place = SignaturePlace::Parse(name);
  return place && CollectionUnder(demand, place->image) == name;
}

std::string RegistryBoundKind::OtherRegistryOf(const std::string& name) const {
  const auto registry_of = [](const std::string& repository) {
    return repository.substr(0, repository.find('/'));
  };
  const auto place = SignaturePlace::Parse(name);
  if (!place || registry_of(place->signatures()) == registry_of(place->image)) return "";
  return registry_of(place->signatures());
}

bool RegistryBoundKind::MayHold(const std::string& name, const ImagePattern& images) const {
  const auto place = SignaturePlace::Parse(name);
  return place && images.Matches(place->image);
}

std::unique_ptr<Refresh> RegistryBoundKind::Begin(RefreshStart start) const {
  if (start.source == RefreshStart::Source::kStore) {
    return std::make_unique<StoredSignatures>(std::move(start), dialect());
  }
  return std::make_unique<SignatureSearch>(std::move(start), dialect());
}

std::shared_ptr<const TrustedSet> RegistryBoundKind::Empty(const CollectionId& id) const {
  return std::make_shared<const SignatureSet>(id, dialect());
}

}  // namespace crivet::trust::registry_bound
