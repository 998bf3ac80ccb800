// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// StartConfig is what a daemon begins with.
struct StartConfig {
  Config config;
  ConfigTexts texts;
  /// Why these are the texts that a daemon took last, and not those that are there now; empty where
  /// they are.
  std::vector<ConfigError> instead_of;
};

/// LoadStartConfig reads `file` and its `conf.d`. Where anything of them is wrong it is the whole
/// set that a daemon took last for this file, if that still is right; else the one of both of which
/// nothing but files is wrong that it names, with those set aside (NamedFile); else what is wrong
/// with the new one (proxy/RULES.md#configuration).
tl::expected<StartConfig, std::vector<ConfigError>> LoadStartConfig(const std::string& file,
                                                                    const Place& place);

/// KeepTexts keeps what a daemon has taken in its state folder, for LoadStartConfig. kState where
/// it cannot be written.
trust::Result<void> KeepTexts(const std::string& state_dir, const ConfigTexts& texts);

}  // namespace crivet::proxy
