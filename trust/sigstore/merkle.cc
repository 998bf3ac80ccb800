// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/merkle.h"

#include "trust/signed/verification_key.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::size_t kHashSize = 32;

std::string NodeHash(std::string_view left, std::string_view right) {
  std::string node("\x01", 1);
  node.append(left).append(right);
  return HashOf(HashAlgorithm::kSha256, node);
}

}  // namespace

std::string LeafHash(std::string_view entry) {
  std::string leaf("\x00", 1);
  leaf.append(entry);
  return HashOf(HashAlgorithm::kSha256, leaf);
}

bool IsIncluded(std::string_view leaf_hash, std::uint64_t index, std::uint64_t tree_size,
                const std::vector<std::string>& hashes, std::string_view root_hash) {
  if (index >= tree_size) return false;
  std::uint64_t at = index;
  std::uint64_t last = tree_size - 1;
  std::string hash(leaf_hash);
  for (const std::string& sibling : hashes) {
    if (last == 0 || sibling.size() != kHashSize) return false;
    if ((at & 1) != 0 || at == last) {
      hash = NodeHash(sibling, hash);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root_hash;
}

}  // namespace crivet::trust::sigstore
