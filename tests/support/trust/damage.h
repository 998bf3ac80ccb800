// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/signing_key.h"

namespace crivet::trust {

/// Damage is what goes wrong with one file while it is made. Whatever is set is applied in the
/// order of the members.
struct Damage {
  using Json = nlohmann::json;
  /// Changes what is signed; the signatures then cover it.
  std::function<void(Json& content)> content;
  /// Signs with these keys in place of the role's.
  std::optional<std::vector<SigningKey>> signers;
  /// Changes the whole file after it was signed: `signed` and `signatures`.
  std::function<void(Json& envelope)> envelope;
  /// Changes the bytes.
  std::function<void(std::string& bytes)> bytes;
};

// Damages of one kind.

inline Damage Content(std::function<void(Damage::Json&)> edit) {
  Damage damage;
  damage.content = std::move(edit);
  return damage;
}

inline Damage SignedBy(std::vector<SigningKey> keys) {
  Damage damage;
  damage.signers = std::move(keys);
  return damage;
}

inline Damage File(std::function<void(Damage::Json&)> edit) {
  Damage damage;
  damage.envelope = std::move(edit);
  return damage;
}

inline Damage Bytes(std::function<void(std::string&)> edit) {
  Damage damage;
  damage.bytes = std::move(edit);
  return damage;
}

}  // namespace crivet::trust
