// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/http2_session.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/road/road_bed.h"

namespace crivet::proxy {
namespace {

// What may be queued for a socket before the rest stays where it is (in pipes, bounded by windows).
constexpr std::size_t kOutputCap = std::size_t{256} * 1024;
// Reads of one event before others have their turn.
constexpr int kReadsPerEvent = 2;
// Deep enough for one large answer: fewer turns between a sender and us.
constexpr int kSendBufferBytes = 1024 * 1024;
constexpr std::uint32_t kStreamWindow = 4 * 1024 * 1024;
constexpr std::int32_t kConnectionWindow = 8 * 1024 * 1024;
constexpr std::uint32_t kMaxFrameBytes = 256 * 1024;

// A peer that makes us answer but does not read may make us keep so many frames.
constexpr std::size_t kMaxQueuedFrames = 50'000;
// More than this many frames that carry nothing, within the period, is a flood.
constexpr std::uint32_t kNoiseAllowed = 10'000;
constexpr std::int64_t kNoisePeriodMs = 10'000;

// The data source of every body: reads from the StreamPipe at `source->ptr`.
ssize_t ReadBody(nghttp2_session* http2, std::int32_t stream, std::uint8_t*, std::size_t length,
                 std::uint32_t* flags, nghttp2_data_source* source, void*) {
  auto& body = *static_cast<StreamPipe*>(source->ptr);
  const std::size_t size = std::min(length, body.bytes());
  if (size == 0 && !body.ended()) {
    body.starved = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (body.ended() && size == body.bytes()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (const HeaderBlock* trailers = body.trailers()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(http2, stream, trailers->fields().data(), trailers->fields().size());
    }
  }
  return static_cast<ssize_t>(size);
}

nghttp2_data_provider ProviderOf(StreamPipe& pipe) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &pipe;
  provider.read_callback = &ReadBody;
  return provider;
}

}  // namespace

Http2Session::Http2Session(Role role, RoadBed& bed, SessionOwner& owner)
    : bed_(bed), owner_(owner), output_(bed.pool()) {
  nghttp2_session* session = nullptr;
  const nghttp2_session_callbacks* callbacks = bed.http2().callbacks;
  const nghttp2_option* option = bed.http2().option;
  const int made = role == Role::kServer
                       ? nghttp2_session_server_new2(&session, callbacks, this, option)
                       : nghttp2_session_client_new2(&session, callbacks, this, option);
  if (made != 0) throw std::bad_alloc();
  session_.reset(session);

  const RouterLimits& limits = bed.limits();
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrameBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.max_header_bytes)},
      {role == Role::kServer ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
                             : NGHTTP2_SETTINGS_ENABLE_PUSH,
       role == Role::kServer ? limits.max_concurrent_streams : 0},
  };
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Session::~Http2Session() {
  if (marked) std::erase(bed_.lists().to_flush, this);
}

void Http2Session::Attach(OwnedFd fd) {
  fd_ = std::move(fd);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  bed_.Watch(fd_.get(), EPOLLIN, *this);
  Mark();
}

std::int32_t Http2Session::SubmitRequest(const HeaderBlock& block, StreamEnd end, StreamPipe& body,
                                         StreamRelay* relay) {
  const nghttp2_data_provider provider = ProviderOf(body);
  Mark();
  return nghttp2_submit_request(session_.get(), nullptr, block.fields().data(),
                                block.fields().size(),
                                end == StreamEnd::kEnded ? nullptr : &provider, relay);
}

void Http2Session::SubmitResponse(std::int32_t stream, const HeaderBlock& block, StreamEnd end,
                                  StreamPipe& body) {
  const nghttp2_data_provider provider = ProviderOf(body);
  nghttp2_submit_response(session_.get(), stream, block.fields().data(), block.fields().size(),
                          end == StreamEnd::kEnded ? nullptr : &provider);
  Mark();
}

void Http2Session::SubmitTrailersOnly(std::int32_t stream, const HeaderBlock& block) {
  nghttp2_submit_response(session_.get(), stream, block.fields().data(), block.fields().size(),
                          nullptr);
  Mark();
}

void Http2Session::SubmitInterim(std::int32_t stream, const HeaderBlock& block) {
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream, nullptr, block.fields().data(),
                         block.fields().size(), nullptr);
  Mark();
}

void Http2Session::AttachRelay(std::int32_t stream, StreamRelay* relay) {
  nghttp2_session_set_stream_user_data(session_.get(), stream, relay);
}

void Http2Session::Resume(std::int32_t stream, StreamPipe& pipe) {
  Mark();
  if (!pipe.starved) return;
  pipe.starved = false;
  nghttp2_session_resume_data(session_.get(), stream);
}

void Http2Session::Reset(std::int32_t stream, std::uint32_t error_code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, error_code);
  Mark();
}

bool Http2Session::IsPeerSending(std::int32_t stream) const {
  return nghttp2_session_get_stream_remote_close(session_.get(), stream) == 0;
}

bool Http2Session::HasUnread() const {
  char byte = 0;
  return fd_ && ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Http2Session::Consume(std::int32_t stream, std::size_t size) {
  nghttp2_session_consume(session_.get(), stream, size);
  if (nghttp2_session_want_write(session_.get()) != 0) Mark();
}

void Http2Session::ConsumeConnection(std::size_t size) {
  nghttp2_session_consume_connection(session_.get(), size);
  if (nghttp2_session_want_write(session_.get()) != 0) Mark();
}

void Http2Session::SubmitShutdownNotice() {
  nghttp2_submit_shutdown_notice(session_.get());
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  Mark();
}

void Http2Session::SubmitGoaway(std::uint32_t error_code, std::string_view debug) {
  sent_goaway_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), error_code,
                        reinterpret_cast<const std::uint8_t*>(debug.data()), debug.size());
  Mark();
}

void Http2Session::Mark() {
  if (!std::exchange(marked, true)) bed_.lists().to_flush.push_back(this);
}

void Http2Session::OnEvents(std::uint32_t events) {
  if (!fd_) return;  // closed earlier in this round
  if ((events & EPOLLOUT) != 0) Mark();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    if (closing_) {
      // Only writing is left; a peer that is gone makes even that pointless.
      if ((events & (EPOLLHUP | EPOLLERR)) != 0) End(SessionOwner::EndReason::kClosed);
      return;
    }
    Receive();
  }
}

void Http2Session::Receive() {
  for (int reads = 0; reads < kReadsPerEvent && fd_; ++reads) {
    const auto space = bed_.ReceiveSpace();
    const ssize_t size = ::recv(fd_.get(), space.data(), space.size(), 0);
    if (size == 0) return End(SessionOwner::EndReason::kClosed);
    if (size < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      return End(SessionOwner::EndReason::kClosed);
    }
    Mark();
    const auto length = static_cast<std::size_t>(size);
    bed_.Received(length);
    const ssize_t fed = nghttp2_session_mem_recv(session_.get(), space.data(), length);
    if (fed < 0 || nghttp2_session_get_outbound_queue_size(session_.get()) > kMaxQueuedFrames) {
      return End(SessionOwner::EndReason::kMisbehaved);
    }
    if (length < space.size()) return;
  }
}

// Moves frames from nghttp2 into the queue until it is full. True if nghttp2 has no more for now.
bool Http2Session::Fill() {
  while (!IsOutputFull()) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) {
      End(SessionOwner::EndReason::kMisbehaved);
      return true;
    }
    if (size == 0) return !IsOutputFull();
    output_.AppendCopy(bytes, static_cast<std::size_t>(size));
  }
  return false;
}

bool Http2Session::IsOutputFull() const { return output_.bytes() >= kOutputCap; }

void Http2Session::Flush() {
  if (!fd_ || cannot_write_) return;
  for (bool all = false; !all;) {
    all = Fill();
    if (!fd_) return;
    if (output_.empty()) break;
    switch (output_.WriteTo(fd_.get())) {
      case OutputQueue::WriteOutcome::kDrained:
        break;
      case OutputQueue::WriteOutcome::kBlocked:
        return WatchWritable(Writability::kWatched);
      case OutputQueue::WriteOutcome::kBroken:
        return End(SessionOwner::EndReason::kClosed);
    }
  }
  WatchWritable(Writability::kIgnored);
  const bool finished = nghttp2_session_want_read(session_.get()) == 0 &&
                        nghttp2_session_want_write(session_.get()) == 0;
  if (!finished && !closing_) return;
  End(broke_protocol_ ? SessionOwner::EndReason::kMisbehaved : SessionOwner::EndReason::kFinished);
}

// The peer reads no more. What it sent before is still to be read; Receive() then finds the end.
void Http2Session::StopWriting() {
  if (closing_) return End(SessionOwner::EndReason::kClosed);
  cannot_write_ = true;
  output_.Clear();
  ::shutdown(fd_.get(), SHUT_RDWR);
  WatchWritable(Writability::kIgnored);
}

void Http2Session::WatchWritable(Writability wanted) {
  if (wanted == writability_) return;
  writability_ = wanted;
  Rewatch();
}

void Http2Session::CloseWhenFlushed() {
  if (!fd_ || closing_) return;
  if (cannot_write_) return End(SessionOwner::EndReason::kClosed);
  closing_ = true;
  Rewatch();
  Mark();
}

void Http2Session::Rewatch() {
  const std::uint32_t read = closing_ ? 0U : EPOLLIN;
  const std::uint32_t write = writability_ == Writability::kWatched ? EPOLLOUT : 0U;
  bed_.Rewatch(fd_.get(), read | write, *this);
}

void Http2Session::Close() {
  ended_ = true;
  fd_.Reset();
}

void Http2Session::End(SessionOwner::EndReason reason) {
  if (ended_) return;
  Close();
  owner_.OnSessionEnd(*this, reason);
}

bool Http2Session::SpendOnNoise() {
  if (++noise_ <= kNoiseAllowed) return true;
  const std::int64_t now_ms = bed_.NowMs();
  if (now_ms - noise_since_ms_ < kNoisePeriodMs) return false;
  noise_since_ms_ = now_ms;
  noise_ = 0;
  return true;
}

void MoveBody(StreamPipe& body, std::size_t size, OutputQueue& output) {
  body.MoveTo(output, size);
  if (body.source() != nullptr && size > 0) body.source()->Consume(body.source_stream(), size);
}

void DropBody(StreamPipe& body) {
  const std::size_t dropped = body.Clear();
  if (body.source() != nullptr && dropped > 0) body.source()->ConsumeConnection(dropped);
}

}  // namespace crivet::proxy
