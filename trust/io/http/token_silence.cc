// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/token_silence.h"

#include <algorithm>

namespace crivet::trust {

std::shared_ptr<ServerSilence> TokenSilence::Of(const CredentialsClass& credentials) const {
  const std::lock_guard lock(mutex_);
  const auto found = classes_.find(credentials);
  return found == classes_.end() ? nullptr : found->second;
}

void TokenSilence::NoteAnswer(const CredentialsClass& credentials, ServerSilence::Time now) {
  if (const auto silence = Kept(credentials, now)) silence->NoteAnswer(now);
}

void TokenSilence::NoteFailure(const CredentialsClass& credentials, Heard heard, NetworkCause cause,
                               const CollectionId& repository, ServerSilence::Time began,
                               ServerSilence::Time now, ServerSilence::Company company) {
  if (heard != Heard::kNoFirstByte && heard != Heard::kNoConnection) return;
  const auto silence = Kept(credentials, now);
  if (silence) silence->NoteFailure(heard, cause, repository, began, now, company);
}

std::shared_ptr<ServerSilence> TokenSilence::Kept(const CredentialsClass& credentials,
                                                  ServerSilence::Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = classes_.find(credentials);
  if (found != classes_.end()) return found->second;
  if (classes_.size() >= kMaxClasses) {
    const auto idle = std::find_if(classes_.begin(), classes_.end(), [now](const auto& each) {
      return !each.second->HeldBackBy(now);
    });
    if (idle == classes_.end()) return nullptr;
    classes_.erase(idle);
  }
  return classes_.emplace(credentials, std::make_shared<ServerSilence>()).first->second;
}

}  // namespace crivet::trust
