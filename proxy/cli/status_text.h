#pragma once

#include <string>
#include <vector>

#include "trust/core/time.h"

namespace crivet::admin::v1 {
class JudgedImage;
class StatusResponse;
}  // namespace crivet::admin::v1

namespace crivet::proxy::cli {

/// What `crivet status` prints, one string a line; anything degraded is in the first. Pure.
std::vector<std::string> StatusForPeople(const admin::v1::StatusResponse& status,
                                         trust::TimePoint now);
/// The same as one line of JSON; members are only ever added. Pure.
std::string StatusAsJson(const admin::v1::StatusResponse& status);

/// One line of `crivet status --would-refuse`. Pure.
std::string RefusedForPeople(const admin::v1::JudgedImage& image);
std::string RefusedAsJson(const admin::v1::JudgedImage& image);

}  // namespace crivet::proxy::cli
