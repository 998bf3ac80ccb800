// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/sigstore_demand.h"

namespace crivet::trust::sigstore {

bool SigstoreDemand::Equals(const Demand& other) const {
  return fingerprint == AsSigstore(other).fingerprint;
}

ImageDemand SigstoreDemand::For(const std::optional<std::string>& tag) const {
  ImageDemand demand = image;
  for (const std::string& name : tag_annotations) demand.annotations.push_back({name, tag});
  return demand;
}

const SigstoreDemand& AsSigstore(const Demand& demand) {
  return static_cast<const SigstoreDemand&>(demand);
}

}  // namespace crivet::trust::sigstore
