// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/read_grace.h"

#include <fmt/format.h>

namespace crivet::trust {

std::chrono::seconds ReadGrace(KeyReader& keys) {
  using std::chrono::hours;
  const auto grace = keys.Duration("grace", std::chrono::seconds{0}, hours{24 * 365});
  if (!grace) return {};
  if (grace->value > hours{24}) {
    keys.Warn(grace->at, fmt::format("grace = \"{}\": a server that is held back can hide a "
                                     "withdrawn tag for that long",
                                     grace->shown));
  }
  return grace->value;
}

}  // namespace crivet::trust
