// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/decide/kind.h"
#include "trust/registry_bound/signature_dialect.h"

namespace crivet::trust::registry_bound {

/// RegistryBoundKind is what all kinds have in common whose signatures lie beside an image, in its
/// own repository, and name its digest alone (trust/RULES.md#the-registrys-word). Their demands are
/// SignatureDemands.
class RegistryBoundKind : public Kind {
 public:
  Server server() const final { return Server::kImageRegistry; }
  std::string_view signed_as_key() const override { return ""; }

  std::optional<std::string> CollectionFor(std::string_view signed_as) const final {
    return ParseName(signed_as);
  }
  std::optional<std::string> CollectionUnder(const Demand& demand,
                                             std::string_view image) const final;
  bool IsUnder(const Demand& demand, const std::string& name) const final;
  bool MayHold(const std::string& name, const ImagePattern& images) const final;
  bool IsFoundAsSigned() const final { return false; }
  std::optional<std::string> ParseName(std::string_view text) const final;
  std::string OtherRegistryOf(const std::string& name) const final;

  std::unique_ptr<Refresh> Begin(RefreshStart start) const final;
  Asks asks() const final { return Asks::kNames; }
  std::shared_ptr<const TrustedSet> Empty(const CollectionId& id) const final;
  bool IsAnchorFile(std::string_view /*stored_as*/) const final { return false; }
  FileRequest AnchorRequest(const CollectionId& /*id*/, const Limits& /*limits*/) const override {
    return {};
  }
  std::string NobodySigns(const Evidence& /*judged*/) const final { return ""; }

 protected:
  virtual const SignatureDialect& dialect() const = 0;
};

}  // namespace crivet::trust::registry_bound
