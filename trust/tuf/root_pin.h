// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trust/signed/public_key.h"

namespace crivet::trust {

/// RootPin is what a rule accepts as the beginning of a chain of roots (trust/RULES.md#roots). One
/// match among all members suffices. At least one member is set (config checks it).
struct RootPin {
  /// Of the leaf's public key (what `notary key list` prints) or of the key in root.json.
  std::vector<KeyId> key_ids;
  CertificateSet certificates;
  CertificateSet authorities;
  /// The bytes of a root.json that is the first link; empty when not given.
  std::string root_file;
  /// Trust on first use: the first root that verifies itself becomes the anchor.
  bool tofu = false;

  friend bool operator==(const RootPin&, const RootPin&) = default;
};

}  // namespace crivet::trust
