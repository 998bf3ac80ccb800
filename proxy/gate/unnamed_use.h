// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "proxy/gate/gate_call.h"
#include "proxy/runtime/call_task.h"

namespace crivet::proxy {

/// Needs says whether one accepted manifest of an ID speaks for all of them: equal configuration
/// means equal layers, and containerd checks that when it unpacks. A remote snapshotter does not
/// unpack.
enum class Needs { kOneManifest, kEveryManifest };

/// WithOtherManifests refuses where kEveryManifest is needed and one is not vouched for.
Judgement WithOtherManifests(GateCall& call, Judgement judgement);

/// JudgeUnnamed judges a container for which nobody says under which name its image is trusted, as
/// kubelet before 1.28 asks: some name of it must satisfy its rule, and none may fall under `deny`.
/// Every name is looked at, however many there are; what memory does not know is asked for side by
/// side, so that names whose servers are slow do not hold up the one that counts.
Task<Judgement> JudgeUnnamed(GateCall& call, const std::string& written, const LocalImage& image,
                             Needs needs);

}  // namespace crivet::proxy
