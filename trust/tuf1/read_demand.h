// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/decide/kind.h"

namespace crivet::trust::tuf1 {

/// The key of `[trust.*]` that says where files of targets lie.
inline constexpr char kTargetsUrl[] = "targets_url";

const std::vector<std::string>& TufRuleKeys();
const std::vector<std::string>& TufTrustKeys();

/// Reads `target`, `digest_target`, `roles`, `signers` and `grace` of a rule, as Kind::ReadDemand
/// says.
RuleDemand ReadTufDemand(KeyReader& keys);

/// Reads `root` and `max_delegations` of a `[trust.*]`, as Kind::ReadTrust says. Null where the
/// root cannot be read.
SharedDemand ReadTufTrust(KeyReader& keys);

/// Kind::WrongFor.
std::string WrongForImages(const Demand& demand, const std::vector<ImagePattern>& images);

}  // namespace crivet::trust::tuf1
