// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace crivet::trust::registry_bound {

// How texts are kept together under names: `name size LF value LF` each, so that no value has to be
// escaped and none can end early.

using NamedFields = std::map<std::string, std::string, std::less<>>;

/// Appends one. Precondition: the name has neither a space nor a line's end.
void PutField(std::string& out, std::string_view name, std::string_view value);

/// ReadFields reads what PutField wrote; nullopt for anything else, a name twice included.
std::optional<NamedFields> ReadFields(std::string_view text);

}  // namespace crivet::trust::registry_bound
