// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/decide/key_reader.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::registry_bound {

/// Annotations are texts that the signer added, by their names.
using Annotations = std::map<std::string, std::string, std::less<>>;

/// AnnotationDemand is what a rule wants the signer to have added
/// (trust/registry_bound/RULES.md#annotations).
struct AnnotationDemand {
  struct Wanted {
    std::string name;
    std::optional<std::string> value;  ///< unset: the tag that was asked for
  };
  std::vector<Wanted> wanted;

  /// kIdentity where one is missing or another. Without a tag, what would have to be the tag may
  /// have any value.
  SignatureResult<void> Check(const Annotations& added,
                              const std::optional<std::string>& tag) const;
  /// All of it; no two demands are written alike.
  std::string Written() const;
};

/// The key of a rule, and its table: `annotations = { tag = "$tag" }`.
inline constexpr char kAnnotations[] = "annotations";
AnnotationDemand ReadAnnotations(KeyReader& keys);

}  // namespace crivet::trust::registry_bound
