// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trust/base/time.h"

namespace crivet::admin::v1 {
class StatusResponse;
}  // namespace crivet::admin::v1

namespace crivet::proxy::cli {

/// What `crivet status` prints, one string a line of at most `width`, where words allow it;
/// anything degraded comes first. Pure.
std::vector<std::string> StatusForPeople(const admin::v1::StatusResponse& status,
                                         trust::TimePoint now, std::size_t width);
/// The same as one line of JSON; members are only ever added. Pure.
std::string StatusAsJson(const admin::v1::StatusResponse& status);

/// RegistriesText is where a trust looks for hosts.toml files, and by whose word:
/// `registry_config`, a file of containerd's configuration, or nobody's. Pure.
std::string RegistriesText(const std::string& trust, const std::vector<std::string>& folders,
                           const std::string& said_by);

}  // namespace crivet::proxy::cli
