// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/decide/refresh.h"
#include "trust/tuf/root_link.h"

namespace crivet::trust {

/// ReadFiles keeps the bytes that a refresh has read and verified, by their name in the store,
/// until it ends and hands them over.
class ReadFiles {
 public:
  void Keep(std::string name, const Sha256& sha256, std::string bytes);

  /// The file as the store gets it: with its bytes, which are given away, if exactly this content
  /// was read.
  StoredFile Take(std::string name, const Sha256& sha256);

  /// The files of a chain of roots, oldest first.
  std::vector<StoredFile> TakeChain(const std::vector<RootLink>& chain);

  static std::string NameOfRoot(std::int64_t version) { return std::to_string(version) + ".root"; }

 private:
  struct File {
    Sha256 sha256;
    std::string bytes;
  };
  std::map<std::string, File> files_;
};

}  // namespace crivet::trust
