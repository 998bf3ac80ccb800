// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/read_gun.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace crivet::trust {

std::optional<ImagePattern> ReadGun(KeyReader& keys) {
  const std::string key(kGunKey);
  const auto text = keys.String(key);
  if (!text) return std::nullopt;
  auto gun = ImagePattern::ParseMapping(text->value);
  if (gun) return *std::move(gun);
  keys.Wrong(text->at, fmt::format("\"{}\": {}", key, gun.error().detail));
  return std::nullopt;
}

}  // namespace crivet::trust
