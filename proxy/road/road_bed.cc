// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/road_bed.h"

#include <algorithm>

namespace crivet::proxy {
namespace {

// Below this a read would bring too little; a fresh chunk is taken.
constexpr std::size_t kLeastReceiveSpace = std::size_t{64} * 1024;
// A received slice below this is copied: it would pin a chunk many times its size.
constexpr std::size_t kCopySliceBelow = std::size_t{4} * 1024;
constexpr std::size_t kSpareRelays = 128;
// More than these at once is a burst, after which memory is given back.
constexpr std::size_t kBurstCalls = 256;

}  // namespace

RoadBed::~RoadBed() {
  while (spare_relays_ != nullptr) delete std::exchange(spare_relays_, spare_relays_->next);
}

std::int64_t RoadBed::NowMs() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Now().time_since_epoch()).count();
}

void RoadBed::Watch(int fd, std::uint32_t events, EventSource& source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &source;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void RoadBed::Rewatch(int fd, std::uint32_t events, EventSource& source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &source;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void RoadBed::Unwatch(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> RoadBed::Wait(std::span<epoll_event> space, int milliseconds) {
  const int count =
      ::epoll_wait(epoll_.get(), space.data(), static_cast<int>(space.size()), milliseconds);
  ++round_;
  return space.first(static_cast<std::size_t>(std::max(count, 0)));
}

std::span<std::uint8_t> RoadBed::ReceiveSpace() {
  if (receiving_ && !receiving_.IsShared()) received_ = 0;
  if (!receiving_ || receiving_->capacity - received_ < kLeastReceiveSpace) {
    receiving_ = ChunkRef();
    receiving_ = pool_.Take();
    received_ = 0;
  }
  return {receiving_->bytes() + received_, receiving_->capacity - received_};
}

Slice RoadBed::SliceOf(const std::uint8_t* data, std::size_t size) const {
  if (size < kCopySliceBelow) return CopySlice(data, size);
  return {receiving_, data, size};
}

StreamRelay& RoadBed::TakeRelay() {
  if (++relays_in_use_ > kBurstCalls) NoteBurst();
  if (spare_relays_ == nullptr) return *new StreamRelay();
  StreamRelay& relay = *std::exchange(spare_relays_, spare_relays_->next);
  --spare_relay_count_;
  relay.Reset();
  return relay;
}

void RoadBed::ReturnRelay(StreamRelay& relay) {
  --relays_in_use_;
  if (spare_relay_count_ >= kSpareRelays) {
    delete &relay;
    return;
  }
  relay.Reset();
  relay.next = spare_relays_;
  spare_relays_ = &relay;
  ++spare_relay_count_;
}

}  // namespace crivet::proxy
