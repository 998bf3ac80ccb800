// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "proxy/owned_fd.h"
#include "trust/base/image_reference.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"

namespace crivet::proxy {

/// AuditEvents are the lines of the audit log that are no decisions. Opened before what they tell
/// of is done, so that nothing is done that cannot be told. Blocks.
class AuditEvents {
 public:
  /// `target` is "journal" or a file's path, as in the configuration. kState where it cannot be
  /// opened.
  static trust::Result<AuditEvents> Open(const std::string& target);

  /// Somebody had a repository forgotten: one line of JSON beside the decisions. kState where it
  /// cannot be written.
  trust::Result<void> Forgotten(const trust::CollectionId& id, trust::TimePoint now) const;
  /// The same of the records of one repository, in a collection that holds many.
  trust::Result<void> ForgottenNames(const trust::CollectionId& id,
                                     const trust::ImageReference& signed_as,
                                     trust::TimePoint now) const;
  /// The same of the floor of one tag, and of the evidence of a repository, which leaves floors.
  trust::Result<void> ForgottenTag(const trust::CollectionId& id, const std::string& tag,
                                   trust::TimePoint now) const;
  trust::Result<void> ForgottenEvidence(const trust::CollectionId& id, trust::TimePoint now) const;

 private:
  trust::Result<void> Write(const std::string& line) const;

  AuditEvents(std::string target, OwnedFd file)
      : target_(std::move(target)), file_(std::move(file)) {}

  std::string target_;
  OwnedFd file_;  ///< empty: the journal
};

}  // namespace crivet::proxy
