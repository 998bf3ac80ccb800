// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust_io/fault_server.h"

namespace crivet::trust {

/// CollectionServer answers over TLS for one collection as Notary's server does; a test says which
/// edition of it, and may bend what is answered for a file. Thread-safe.
class CollectionServer {
 public:
  /// Answers in place of the server; false: the server answers after all.
  using Bend = std::function<bool(FaultServer::Exchange&, const std::string& file)>;

  CollectionServer();

  std::string url() const { return server_.Url("notary.acme.example"); }
  void Serve(SigningRepository collection, Bend bend = nullptr);

 private:
  void Answer(FaultServer::Exchange& exchange);

  std::mutex mutex_;
  SigningRepository collection_;
  Bend bend_;
  FaultServer server_;
};

}  // namespace crivet::trust
