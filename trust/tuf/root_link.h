// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/decide/refresh.h"
#include "trust/signed/public_key.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {

/// RootLink is one verified root of a chain: itself signed at its threshold, and by its
/// predecessor's.
struct RootLink {
  std::shared_ptr<const Root> root;
  /// Of the file as it was served.
  Sha256 sha256{};
  /// Of what was signed: the same root in another layout (a `root_file`) has the same.
  Sha256 signed_sha256{};
  /// Keys of its own root role whose signatures verified: only these can match a pin.
  std::set<KeyId> signers;
};

/// RootChain is what stays trusted of a repository where its set is gone: links, oldest first.
struct RootChain final : Anchors {
  explicit RootChain(std::vector<RootLink> chain) : links(std::move(chain)) {}
  const std::vector<RootLink> links;
};

/// PinMatch is how a pin anchors a chain.
struct PinMatch {
  /// Index in the chain of the first link that matches.
  std::size_t link = 0;
  /// Whether the newest root matches by itself; where not, the pin wants replacing.
  bool newest = false;
};

}  // namespace crivet::trust
