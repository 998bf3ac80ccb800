// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/file_entry.h"

namespace crivet::trust {

Result<void> FileEntry::Check(std::string_view file) const {
  if (file.size() > length) return Fail(Reason::kHash, "longer than its listed length");
  if (Sha256Of(file) != sha256) return Fail(Reason::kHash, "its SHA-256 is not the listed one");
  if (sha512 && Sha512Of(file) != *sha512) {
    return Fail(Reason::kHash, "its SHA-512 is not the listed one");
  }
  return {};
}

}  // namespace crivet::trust
