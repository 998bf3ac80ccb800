// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "proxy/takeover/containerd_config.h"
#include "proxy/takeover/containerd_unit.h"
#include "proxy/takeover/takeover_plan.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// What reads the node's own containerd: systemd, /proc, files, and `config dump` of the containerd
/// that is there, which runs inert (RunInert) and for 5 seconds at most. Nothing is changed, and
/// nothing but that is started. Blocks; for the command line.

/// ReadContainerdUnit asks systemd. Errors as ParseContainerdUnit.
trust::Result<ContainerdUnit> ReadContainerdUnit();

/// ReadContainerdProcess is what runs: by /proc where the unit's process is there, by the unit's
/// words where it is not and they have no variable. kMalformed, in one line, where it cannot be
/// told or is not containerd.
trust::Result<ContainerdProcess> ReadContainerdProcess(const ContainerdUnit& unit);

/// DumpContainerdConfig is the configuration that this containerd merges from `config_file`; its
/// defaults where that is empty.
trust::Result<ContainerdConfig> DumpContainerdConfig(const ContainerdProcess& process,
                                                     const std::string& config_file);

/// ReadContainerd is all of it: kMalformed in one line where something cannot be told.
trust::Result<ContainerdFacts> ReadContainerd();

/// ResetsOf are the drop-ins that set ExecStart.
std::vector<std::string> ResetsOf(const ContainerdUnit& unit);

/// ProvePlan tries the plan's configuration before anything is changed: a kMalformed error says
/// what the moved containerd would lose.
trust::Result<void> ProvePlan(const ContainerdFacts& facts, const TakeoverPlan& plan);

/// ProveInPlace repeats the proof where a takeover is in place: against the node's files as they
/// are now, some of which may be new. kMalformed says what is lost, or would be at the next
/// restart.
trust::Result<void> ProveInPlace(const ContainerdProcess& process);

}  // namespace crivet::proxy
