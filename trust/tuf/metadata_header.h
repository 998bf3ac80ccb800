// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trust/base/time.h"

namespace crivet::trust {

/// MetadataHeader is what a metadata file of any kind says of itself: which edition it is, at least
/// 1, and until when.
class MetadataHeader {
 public:
  MetadataHeader(std::int64_t version, TimePoint expires) : version_(version), expires_(expires) {}

  std::int64_t version() const { return version_; }
  TimePoint expires() const { return expires_; }

 private:
  std::int64_t version_;
  TimePoint expires_;
};

}  // namespace crivet::trust
