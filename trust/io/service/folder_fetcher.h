// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "trust/io/http/metadata_fetcher.h"

namespace crivet::trust {

/// FolderFetcher gets files out of a folder of this machine, in the place of a server
/// (Kind::MayBeFolder). What is not there, or cannot be read, is not found. Thread-safe.
class FolderFetcher final : public MetadataFetcher {
 public:
  explicit FolderFetcher(std::string folder) : folder_(std::move(folder)) {}

  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  const std::string folder_;
};

}  // namespace crivet::trust
