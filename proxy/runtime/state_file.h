// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "trust/base/result.h"

namespace crivet::proxy {

/// ReadStateFile is the content of a regular file of the state folder, of at most 16 MiB; empty
/// where there is none, or it cannot be read. Follows no link and waits for no pipe: root's
/// commands read such files too, and the folder is another user's.
std::string ReadStateFile(const std::string& path);

/// What the new content must outlive from the moment that it is written.
enum class Against : unsigned char {
  kCrashOfCrivet,
  kPowerCut,  ///< waits for the disk
};

/// ReplaceStateFile makes `content` the file's: whoever reads it sees all of the old or all of the
/// new; after a power cut that it was not written against perhaps nothing. kState where it cannot
/// be written.
trust::Result<void> ReplaceStateFile(const std::string& path, std::string_view content,
                                     Against against);

}  // namespace crivet::proxy
