// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace crivet::trust::registry_bound {

/// SignaturePlace is where the signatures of one repository's images lie: beside them, or in
/// another repository (trust/registry_bound/RULES.md#another-repository). Its text is the name of a
/// collection. Both are canonical names of repositories.
struct SignaturePlace {
  std::string image;
  std::string source;  ///< empty: beside them

  /// nullopt where that is none.
  static std::optional<SignaturePlace> Parse(std::string_view text);
  std::string Text() const { return source.empty() ? image : image + '@' + source; }
  const std::string& signatures() const { return source.empty() ? image : source; }
};

/// Whether it is the full name of a repository, as ImageReference::repository gives it.
bool IsRepository(std::string_view text);

}  // namespace crivet::trust::registry_bound
