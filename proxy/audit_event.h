#pragma once

#include <string>

#include "trust/core/repository_id.h"
#include "trust/core/time.h"

namespace crivet::proxy {

/// AuditForget writes to the audit log that somebody had a repository forgotten: one line of JSON
/// beside the decisions. `target` is "journal" or a file's path, as in the configuration. Blocks.
/// kState where it cannot be written.
trust::Result<void> AuditForget(const std::string& target, const trust::RepositoryId& id,
                                trust::TimePoint now);

}  // namespace crivet::proxy
