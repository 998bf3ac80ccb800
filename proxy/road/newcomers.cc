// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/newcomers.h"

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxy/road/road_bed.h"

namespace crivet::proxy {
namespace {

constexpr std::string_view kPreface = NGHTTP2_CLIENT_MAGIC;

}  // namespace

void Newcomers::Add(Listener::Accepted accepted) {
  MakePlace();
  const int fd = accepted.fd.get();
  silent_.emplace_back(*this, std::move(accepted), bed_.Now() + bed_.limits().newcomer_patience);
  const auto newcomer = std::prev(silent_.end());
  newcomer->self = newcomer;
  bed_.counters().ConnectionOpened();
  // Most have spoken by the time that they are accepted.
  if (!Look(newcomer)) return;
  // Edge-triggered: the beginning of a preface stays unread, and must not wake the loop again.
  bed_.Watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET, *newcomer);
}

Newcomers::Speech Newcomers::Listen(int fd) {
  std::array<char, kPreface.size()> said;
  const ssize_t size = ::recv(fd, said.data(), said.size(), MSG_PEEK | MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR ? Speech::kSilent : Speech::kOver;
  if (size == 0) return Speech::kOver;
  const std::string_view text(said.data(), static_cast<std::size_t>(size));
  if (!kPreface.starts_with(text)) return Speech::kNonsense;
  return text.size() == kPreface.size() ? Speech::kHttp2 : Speech::kSilent;
}

bool Newcomers::Look(std::list<Silent>::iterator newcomer) {
  if (!newcomer->accepted.fd) return false;  // gone earlier in this round
  switch (Listen(newcomer->accepted.fd.get())) {
    case Speech::kSilent:
      return true;
    case Speech::kHttp2:
      bed_.Unwatch(newcomer->accepted.fd.get());
      spoken_.push_back(std::move(newcomer->accepted));
      gone_.splice(gone_.end(), silent_, newcomer);
      return false;
    case Speech::kOver:
      Drop(newcomer, Parting::kByItself);
      return false;
    case Speech::kNonsense:
      Drop(newcomer, Parting::kForced);
      return false;
  }
  return false;
}

void Newcomers::Drop(std::list<Silent>::iterator newcomer, Parting parting) {
  newcomer->accepted.fd.Reset();
  gone_.splice(gone_.end(), silent_, newcomer);
  bed_.counters().ConnectionClosed();
  if (parting == Parting::kForced) bed_.counters().ConnectionMisbehaved();
}

bool Newcomers::DropOldestSilent() {
  // What it said may have arrived in this round.
  while (!silent_.empty() && !Look(silent_.begin())) continue;
  if (silent_.empty()) return false;
  Drop(silent_.begin(), Parting::kForced);
  return true;
}

// Where all have spoken and wait, the process with the most of them pays with its youngest.
void Newcomers::MakePlace() {
  if (silent_.size() + spoken_.size() < bed_.limits().max_newcomers) return;
  if (DropOldestSilent() || spoken_.empty()) return;
  std::unordered_map<pid_t, std::size_t> waiting;
  for (const Listener::Accepted& one : spoken_) ++waiting[one.peer.pid];
  const auto most = std::max_element(waiting.begin(), waiting.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  const auto youngest =
      std::find_if(spoken_.rbegin(), spoken_.rend(),
                   [&](const Listener::Accepted& one) { return one.peer.pid == most->first; });
  spoken_.erase(std::next(youngest).base());
  bed_.counters().ConnectionClosed();
  bed_.counters().ConnectionMisbehaved();
}

Listener::Accepted Newcomers::Take(Waiting::const_iterator waiting) {
  const auto at = spoken_.erase(waiting, waiting);  // the same place, to be moved from
  Listener::Accepted taken = std::move(*at);
  spoken_.erase(at);
  return taken;
}

std::optional<Newcomers::TimePoint> Newcomers::NextWake() const {
  if (silent_.empty()) return std::nullopt;
  return silent_.front().patience_until;
}

void Newcomers::OnTimer(TimePoint now) {
  while (!silent_.empty() && silent_.front().patience_until <= now) {
    if (Look(silent_.begin())) Drop(silent_.begin(), Parting::kForced);
  }
}

void Newcomers::DropSilent() {
  while (!silent_.empty()) {
    if (Look(silent_.begin())) Drop(silent_.begin(), Parting::kByItself);
  }
}

}  // namespace crivet::proxy
