// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "trust/signed/signature_error.h"

namespace crivet::trust {

/// FirstGood is the verdict over all signatures of an image: the first good one, whatever stands
/// beside it; else the refusal of the one that got furthest, by `stage_of` its reason, so that what
/// strangers add does not change the reason; kUnsigned where there was none.
template <typename T, typename StageOf>
SignatureResult<T> FirstGood(std::vector<SignatureResult<T>> signatures, StageOf stage_of) {
  const auto good = std::find_if(signatures.begin(), signatures.end(),
                                 [](const auto& it) { return it.has_value(); });
  if (good != signatures.end()) return std::move(*good);
  const auto furthest =
      std::max_element(signatures.begin(), signatures.end(), [&](const auto& a, const auto& b) {
        return stage_of(a.error().reason) < stage_of(b.error().reason);
      });
  if (furthest != signatures.end()) return std::move(*furthest);
  return RefuseSignature(SignatureReason::kUnsigned, "no signature of this image");
}

}  // namespace crivet::trust
