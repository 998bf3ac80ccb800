// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/server_silence.h"

namespace crivet::trust {

void ServerSilence::NoteAnswer(Time now) {
  const std::lock_guard lock(mutex_);
  answered_ = now;
  unheard_.clear();
  held_until_.reset();
  probed_until_ = Time{0};
}

void ServerSilence::NoteFailure(Heard heard, NetworkCause cause, const CollectionId& repository,
                                Time began, Time now, Company company) {
  const bool unconnected = heard == Heard::kNoConnection;
  if (!unconnected && heard != Heard::kNoFirstByte) return;
  const std::lock_guard lock(mutex_);
  if (answered_ && *answered_ >= began) return;
  // Two are enough; more would be a list that names fill.
  constexpr std::size_t kEnough = 2;
  if (unheard_.size() < kEnough) unheard_.insert(repository);
  if (!unconnected && company == Company::kOthersThere && unheard_.size() < kEnough) return;
  cause_ = cause;
  held_until_ = now + kHeldBack;
}

std::optional<NetworkCause> ServerSilence::HeldBackBy(Time now) const {
  const std::lock_guard lock(mutex_);
  if (!held_until_ || now >= *held_until_) return std::nullopt;
  return cause_;
}

bool ServerSilence::TakeProbe(Time now, std::chrono::milliseconds lasts) {
  const std::lock_guard lock(mutex_);
  if (now < probed_until_) return false;
  probed_until_ = now + lasts;
  return true;
}

}  // namespace crivet::trust
