// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/signature_demand.h"

#include <utility>

namespace crivet::trust::registry_bound {

SignatureResult<VerifiedSignature> WithinMaxAge(VerifiedSignature verified,
                                                std::chrono::seconds max_age, TimePoint at) {
  if (max_age.count() == 0) return verified;
  if (verified.times.empty()) {
    return RefuseSignature(SignatureReason::kTimestamp,
                           "nothing proves when it was made, which max_age wants to know");
  }
  const TimePoint newest = verified.times.back();
  Ageing too_old{newest + max_age,
                 {SignatureReason::kTooOld,
                  "signed at " + FormatRfc3339(newest) + ", longer ago than max_age"}};
  if (too_old.until < at) return tl::unexpected(std::move(too_old.then));
  if (!verified.ageing || too_old.until < verified.ageing->until) {
    verified.ageing = std::move(too_old);
  }
  return verified;
}

bool IsBehind(std::optional<TimePoint> now, TimePoint before, const SignatureDemand& demand) {
  if (now) return *now < before;
  return demand.tag_order == TagOrder::kRefuse && demand.ProvesTimes();
}

}  // namespace crivet::trust::registry_bound
