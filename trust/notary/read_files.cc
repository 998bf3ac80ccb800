// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/read_files.h"

#include <utility>

#include "trust/tuf/metadata.h"

namespace crivet::trust {

void ReadFiles::Keep(std::string name, const Sha256& sha256, std::string bytes) {
  files_.insert_or_assign(std::move(name), File{sha256, std::move(bytes)});
}

StoredFile ReadFiles::Take(std::string name, const Sha256& sha256) {
  const auto file = files_.find(name);
  std::optional<std::string> bytes;
  if (file != files_.end() && file->second.sha256 == sha256) {
    bytes = std::move(file->second.bytes);
    files_.erase(file);
  }
  return {std::move(name), sha256, std::move(bytes)};
}

std::vector<StoredFile> ReadFiles::TakeChain(const std::vector<RootLink>& chain) {
  std::vector<StoredFile> files;
  files.reserve(chain.size());
  for (const RootLink& link : chain) {
    files.push_back(Take(NameOfRoot(link.root->version()), link.sha256));
  }
  return files;
}

}  // namespace crivet::trust
