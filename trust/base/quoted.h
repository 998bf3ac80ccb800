// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace crivet::trust {

/// Quoted is a text from outside as it may stand in a line for people: printable ASCII without
/// double quotes, runs of white space as one space, 200 bytes at most. Pure.
std::string Quoted(std::string_view text);

}  // namespace crivet::trust
