// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/gun.h"

namespace crivet::trust {

Result<Gun> Gun::Parse(std::string_view text) {
  const auto reference = ImageReference::Parse(text);
  if (!reference) return tl::unexpected(reference.error());
  // A short form, a tag or a digest would make the text differ from the repository.
  if (reference->repository() != text) {
    return Fail(Reason::kNotAReference, "not a repository's full name");
  }
  return Gun(std::string(text));
}

Gun Gun::Of(const ImageReference& reference) { return Gun(reference.repository()); }

}  // namespace crivet::trust
