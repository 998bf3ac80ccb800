// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trust/decide/kind.h"

namespace crivet::trust {

/// WordKind is a kind of trust that lives in the tests alone, to show what the seam asks of one: a
/// collection is a single file that begins with a word which the rule wants (`word = "..."`), then
/// has a line `tag digest` for each tag. It needs no file outside its own but the list of kinds.
const Kind& WordKind();

/// The demand of a rule that wants this word.
SharedDemand WordDemandOf(std::string word);

/// What a server answers for a collection, on the path that WordPath gives.
std::string WordPath(const std::string& collection);

}  // namespace crivet::trust
