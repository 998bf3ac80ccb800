// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "proxy/daemon/reload.h"
#include "proxy/daemon/second_door.h"
#include "proxy/daemon/status_report.h"
#include "trust/base/image_reference.h"
#include "trust/base/result.h"
#include "trust/decide/evidence_holder.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy {

/// AdminServer answers `crivet status` on a unix socket of mode 0600. It costs nothing until
/// somebody asks: its grpc++ server is made at the first connection. Used by one thread; what it
/// calls runs on threads of gRPC.
class AdminServer {
 public:
  struct Options {
    std::string path;
    /// Takes the snapshot; may block for a second or two.
    std::function<StatusSnapshot()> snapshot;
    /// Judges every image on the node as enforcing would, and gives what it looked at. The error is
    /// for people.
    std::function<trust::Result<NodeInventory>(const ReviewCalls& calls)> review_node;
    /// Drops what was trusted of a repository, and says so in the audit log.
    std::function<trust::Result<void>(const trust::CollectionId& id)> forget;
    /// Drops the records of one repository of a collection that holds many, says so too, and tells
    /// how many there were.
    std::function<trust::Result<std::size_t>(const trust::CollectionId& id,
                                             const trust::ImageReference& signed_as)>
        forget_names;
    /// Drops the floor of a tag, or the evidence of a repository, says so too, and tells what there
    /// was.
    std::function<trust::Result<trust::EvidenceHolder::TagFloor>(const trust::CollectionId& id,
                                                                 const std::string& tag)>
        forget_tag;
    std::function<trust::Result<trust::TrustService::EvidenceForgotten>(
        const trust::CollectionId& id)>
        forget_evidence;
    /// Reads the configuration file again and waits for what comes of it, while `go_on`.
    std::function<trust::Result<ReloadOutcomes::Problems>(const std::function<bool()>& go_on)>
        reload;
    /// Judges a pull of a name as a digest, as SecondDoor::Judge does; the error is for people.
    std::function<void(const std::string& name, const std::string& digest, SecondDoor::Judged done)>
        may_pull;
  };

  /// kState where the socket cannot be made.
  static trust::Result<std::unique_ptr<AdminServer>> Create(Options options);
  ~AdminServer();

  /// Readable when somebody connects.
  int fd() const;
  /// Takes one connection.
  void Accept();

 private:
  class Server;
  explicit AdminServer(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace crivet::proxy
