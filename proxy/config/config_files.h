// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "proxy/config/config_values.h"
#include "proxy/owned_fd.h"

namespace crivet::proxy {

/// What may be known of a file that the configuration names.
enum class Secrecy : unsigned char {
  kPublic,
  kSecret,  ///< refused where others may read it
};

/// ReadNamedFile reads a regular file of at most 4 MiB. The error says why in words that follow the
/// file's name.
Valued<std::string> ReadNamedFile(const std::string& path, Secrecy secrecy);

/// ReadFileUnder reads the file that has that absolute path on a machine whose files are in `root`:
/// symbolic links lead nowhere out of that folder. An empty `root` is this machine.
Valued<std::string> ReadFileUnder(const std::string& root, const std::string& path,
                                  Secrecy secrecy);

/// OpenUnder opens what has that path as ReadFileUnder finds it, to be read and without waiting;
/// `flags` are of open(2). Where it cannot be opened, errno says why.
OwnedFd OpenUnder(const std::string& root, const std::string& path, int flags);

/// ReadOpened is ReadNamedFile of what OpenUnder has just opened, or has not.
Valued<std::string> ReadOpened(const OwnedFd& file, Secrecy secrecy);

/// SamePlace tells whether two paths lead to one place, symbolic links followed as far as they
/// exist (`/var/run` is `/run`).
bool SamePlace(const std::string& a, const std::string& b);

}  // namespace crivet::proxy
