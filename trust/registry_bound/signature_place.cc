// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/signature_place.h"

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::trust::registry_bound {

bool IsRepository(std::string_view text) {
  const Result<ImageReference> reference = ImageReference::Parse(text);
  return reference && !reference->tag() && !reference->digest() && !reference->NamesOtherDigest() &&
         !reference->domain().empty() && reference->repository() == text;
}

std::optional<SignaturePlace> SignaturePlace::Parse(std::string_view text) {
  const std::size_t at = text.find('@');
  SignaturePlace place{std::string(text.substr(0, at)), {}};
  if (at != std::string_view::npos) place.source = text.substr(at + 1);
  const bool elsewhere = at != std::string_view::npos;
  if (!IsRepository(place.image) || (elsewhere && !IsRepository(place.source)) ||
      place.source == place.image) {
    return std::nullopt;
  }
  return place;
}

}  // namespace crivet::trust::registry_bound
