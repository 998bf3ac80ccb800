// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::proxy {

/// ChainIdOf is the name that containerd gives to the unpacked layers of an image: a hash over the
/// hashes of all of them, so that equal names are equal files. Empty for an image without layers.
std::string ChainIdOf(const std::vector<std::string>& diff_ids);

/// ReadChainId gives the chain ID that an image's configuration says; nothing where it is none, or
/// has more layers than any image. Of a long configuration nothing else is kept.
std::optional<std::string> ReadChainId(std::string_view config);

/// IdMapping is a range of a user namespace, as the OCI runtime specification has it.
struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

/// ContainerSpec is what the gate reads of a container's OCI runtime specification.
struct ContainerSpec {
  struct Mount {
    std::string destination;
    std::string source;
  };
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  std::vector<Mount> mounts;
};

/// TextInSpec is what such a specification has for a text of any bytes: containerd writes U+FFFD
/// where they are not UTF-8. However many stand together, it is one here.
std::string TextInSpec(const std::string& bytes);

/// Nothing where the text is no such specification. Destinations are as TextInSpec() gives them.
std::optional<ContainerSpec> ReadContainerSpec(std::string_view spec);

/// RemappedNames are the names that containerd may give to the copy of the layers `chain_id` whose
/// owners are moved into the container's user namespace: that of 1.7 and that of 2.1. None for a
/// container without one.
std::vector<std::string> RemappedNames(const std::string& chain_id, const ContainerSpec& spec);

}  // namespace crivet::proxy
