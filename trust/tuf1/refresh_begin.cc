// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/refresh_begin.h"

#include <algorithm>

#include "trust/tuf1/tuf_demand.h"

namespace crivet::trust::tuf1 {

Caps CapsFor(const RefreshStart& start) {
  Caps caps;
  caps.targets_bytes = start.limits.targets_bytes;
  for (const SharedDemand& demand : start.demands) {
    caps.delegations = std::max(caps.delegations, AsTuf(*demand).trust->max_delegations);
  }
  return caps;
}

RootPins PinsOf(const Demands& demands) {
  RootPins pins;
  for (const SharedDemand& demand : demands) {
    const RootPin& pin = AsTuf(*demand).trust->pin;
    if (std::find(pins.begin(), pins.end(), pin) == pins.end()) pins.push_back(pin);
  }
  return pins;
}

std::vector<TargetFile> FilesOf(const Demands& demands) {
  std::vector<TargetFile> files;
  for (const SharedDemand& demand : demands) {
    if (AsTuf(*demand).file) files.push_back(*AsTuf(*demand).file);
  }
  return files;
}

RefreshFailure NobodyReads() {
  RefreshFailure failure;
  failure.error = {Reason::kNoTrustData, "no rule reads this repository any more"};
  return failure;
}

void NoteStored(Holding& holding, const std::vector<StoredFile>& files) {
  for (const StoredFile& file : files) holding.stored.insert_or_assign(file.name, file.sha256);
}

}  // namespace crivet::trust::tuf1
