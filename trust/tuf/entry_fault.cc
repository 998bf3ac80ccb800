// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf/entry_fault.h"

namespace crivet::trust {

std::string_view WordsOf(EntryFault fault) {
  switch (fault) {
    case EntryFault::kNotAnObject:
      return "it is no object";
    case EntryFault::kLength:
      return "its length is missing or none";
    case EntryFault::kHashes:
      return "its hashes are missing or none";
    case EntryFault::kNoSha256:
      return "it has no sha256";
    case EntryFault::kBadSha256:
      return "its sha256 is not 32 bytes in base64";
    case EntryFault::kTwoCases:
      return "a member of it stands in another case";
  }
  return "";
}

}  // namespace crivet::trust
