// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::trust::sigstore {

/// LeafHash is the hash of an entry as a leaf of a log's tree (RFC 6962 2.1).
std::string LeafHash(std::string_view entry);

/// IsIncluded tells whether the proof leads from the leaf at `index` to the root of a tree of that
/// size (RFC 9162 2.1.3.2): every hash is used, and of 32 bytes.
bool IsIncluded(std::string_view leaf_hash, std::uint64_t index, std::uint64_t tree_size,
                const std::vector<std::string>& hashes, std::string_view root_hash);

}  // namespace crivet::trust::sigstore
