// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/registry_bound_kind.h"

#include <utility>

#include "trust/registry_bound/signature_search.h"
#include "trust/registry_bound/signature_set.h"

namespace crivet::trust::registry_bound {

std::optional<std::string> RegistryBoundKind::ParseName(std::string_view text) const {
  const Result<ImageReference> reference = ImageReference::Parse(text);
  if (!reference || reference->tag() || reference->digest() || reference->NamesOtherDigest() ||
      reference->domain().empty() || reference->repository() != text) {
    return std::nullopt;
  }
  return reference->repository();
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
