// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config_error.h"
#include "proxy/config/config_reader.h"

namespace crivet::proxy {

/// ConfigText is a file of the configuration as it was read.
struct ConfigText {
  std::string file;
  std::string text;
};

/// What is read as one configuration: the file itself, then those of its `conf.d`, by name. Never
/// empty.
using ConfigTexts = std::vector<ConfigText>;

/// Caps on `conf.d`. What a file may be is ParseToml's.
inline constexpr std::size_t kMostConfigTexts = 256;
inline constexpr std::size_t kMostConfigBytes = 4 * 1024 * 1024;

/// ReadConfigTexts reads `file` and every `conf.d/*.toml` beside it, sorted by name; a folder that
/// is not there is an empty one. Nobody but root and the owner of `file` may have written the
/// folder and what is in it: anything there that is another's, that others may write, or that is no
/// regular file is an error (proxy/RULES.md#configuration). Names that begin with a dot are passed
/// over, as a shell does. `root` is the folder with the files of the machine that is meant; empty:
/// this machine.
tl::expected<ConfigTexts, std::vector<ConfigError>> ReadConfigTexts(const std::string& file,
                                                                    const std::string& root);

/// JoinDocuments adds the trusts and rules of later documents to the first, each with its place.
/// Anything else that a later one says, and a trust that two have, goes to `findings`. Pure.
TomlTable JoinDocuments(std::vector<TomlTable> documents, ConfigFindings& findings);

}  // namespace crivet::proxy
