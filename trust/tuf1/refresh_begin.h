// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "trust/decide/refresh.h"
#include "trust/tuf1/holding.h"
#include "trust/tuf1/metadata.h"
#include "trust/tuf1/root_pin.h"
#include "trust/tuf1/target_files.h"
#include "trust/tuf1/trusted.h"

namespace crivet::trust::tuf1 {

// What a refresh from the server and one from the store have alike.

/// The caps that the start and its demands set.
Caps CapsFor(const RefreshStart& start);

/// What the demands pin; empty without demands.
RootPins PinsOf(const Demands& demands);

/// The files that some of them want.
std::vector<TargetFile> FilesOf(const Demands& demands);

/// Why there is nothing to begin with: no rule reads the repository any more.
RefreshFailure NobodyReads();

/// Notes in `holding` what the store has of it once `files` are committed.
void NoteStored(Holding& holding, const std::vector<StoredFile>& files);

}  // namespace crivet::trust::tuf1
