// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "trust/base/reason.h"
#include "trust/decide/collection_id.h"
#include "trust/io/http/arrival.h"
#include "trust/io/http/credentials.h"
#include "trust/io/http/server_silence.h"

namespace crivet::trust {

/// TokenSilence knows for which credentials a server's token server says nothing, as ServerSilence
/// does of the server itself. It is kept for each credentials apart: a token server may let those
/// wait that are wrong, and whoever sends them must not silence it for others. Thread-safe.
class TokenSilence {
 public:
  /// Where so many hold back at once, others are not remembered, and wait.
  static constexpr std::size_t kMaxClasses = 256;

  /// What is known for these credentials; null where nothing is.
  std::shared_ptr<ServerSilence> Of(const CredentialsClass& credentials) const;

  /// ServerSilence's, for these credentials.
  void NoteAnswer(const CredentialsClass& credentials, ServerSilence::Time now);
  void NoteFailure(const CredentialsClass& credentials, Heard heard, NetworkCause cause,
                   const CollectionId& repository, ServerSilence::Time began,
                   ServerSilence::Time now, ServerSilence::Company company);

 private:
  /// Null where there is no room.
  std::shared_ptr<ServerSilence> Kept(const CredentialsClass& credentials, ServerSilence::Time now);

  mutable std::mutex mutex_;
  std::map<CredentialsClass, std::shared_ptr<ServerSilence>> classes_;
};

}  // namespace crivet::trust
