// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace crivet::proxy {

/// IsCheckpointMark is whether an annotation of this name makes an image a checkpoint, for
/// containerd, CRI-O or Podman.
bool IsCheckpointMark(std::string_view key);

/// MayBeCheckpoint is whether a runtime could take the manifest for a checkpoint's. containerd
/// reads it with Go's parser: names match in any case, objects of the same name merge, and texts
/// pass that ours refuses. So a mark counts wherever it is a name, and what does not parse here may
/// be a checkpoint there. Takes a time that grows with the text alone, and keeps nothing of it.
bool MayBeCheckpoint(std::string_view manifest);

}  // namespace crivet::proxy
