// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/folder_fetcher.h"

#include "trust/io/store/metadata_folder.h"

namespace crivet::trust {

MetadataFetcher::Answer FolderFetcher::Fetch(const FileRequest& request, const Terms& terms) {
  if (terms.arrival) terms.arrival->heard = Heard::kAnswer;
  return {ReadFromFolder(folder_, request), std::nullopt};
}

}  // namespace crivet::trust
