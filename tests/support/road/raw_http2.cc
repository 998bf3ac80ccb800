// SPDX-License-Identifier: Apache-2.0
#include "tests/support/road/raw_http2.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace crivet::proxy::testing {
namespace {

std::vector<nghttp2_nv> Views(const Fields& fields) {
  std::vector<nghttp2_nv> views;
  for (const auto& [name, value] : fields) {
    views.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return views;
}

}  // namespace

std::string RawHttp2::Stream::Field(const std::string& name) const {
  for (const Fields& block : header_blocks) {
    for (const auto& [n, v] : block) {
      if (n == name) return v;
    }
  }
  return {};
}

struct RawHttp2::Callbacks {
  static RawHttp2& Of(void* user) { return *static_cast<RawHttp2*>(user); }

  static int BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Of(user).streams_[frame->hd.stream_id].header_blocks.emplace_back();
    return 0;
  }
  static int Header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    Of(user).streams_[frame->hd.stream_id].header_blocks.back().emplace_back(
        std::string(name, name + name_size), std::string(value, value + value_size));
    return 0;
  }
  static int Chunk(nghttp2_session* session, std::uint8_t, std::int32_t stream,
                   const std::uint8_t* data, std::size_t size, void* user) {
    RawHttp2& self = Of(user);
    self.streams_[stream].body.append(data, data + size);
    if (self.windows_ == Windows::kOpen) {
      nghttp2_session_consume(session, stream, size);
    } else {
      self.uncredited_[stream] += size;
    }
    return 0;
  }
  static int Frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    RawHttp2& self = Of(user);
    if (frame->hd.type == NGHTTP2_PING) {
      ++((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 ? self.pongs_ : self.pings_);
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      self.goaway_ = frame->goaway.error_code;
      self.goaway_debug_.assign(frame->goaway.opaque_data,
                                frame->goaway.opaque_data + frame->goaway.opaque_data_len);
    }
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      self.streams_[frame->hd.stream_id].reset = frame->rst_stream.error_code;
    }
    const bool may_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (may_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      self.streams_[frame->hd.stream_id].ended = true;
    }
    return 0;
  }
  static int StreamClose(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
    Of(user).streams_[stream].closed = true;
    return 0;
  }
  static ssize_t ReadBody(nghttp2_session* session, std::int32_t stream, std::uint8_t* buffer,
                          std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                          void*) {
    auto& body = *static_cast<Body*>(source->ptr);
    const std::size_t size = std::min(length, body.bytes.size() - body.sent);
    std::memcpy(buffer, body.bytes.data() + body.sent, size);
    body.sent += size;
    if (body.sent < body.bytes.size()) return static_cast<ssize_t>(size);
    if (body.ending == Ending::kOpen) {
      return size > 0 ? static_cast<ssize_t>(size) : ssize_t{NGHTTP2_ERR_DEFERRED};
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (body.trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto views = Views(*body.trailers);
      nghttp2_submit_trailer(session, stream, views.data(), views.size());
    }
    return static_cast<ssize_t>(size);
  }
};

RawHttp2::RawHttp2(Role role, OwnedFd fd, Windows windows) {
  Restart(role, std::move(fd), windows);
}

void RawHttp2::Restart(Role role, OwnedFd fd, Windows windows) {
  fd_ = std::move(fd);
  windows_ = windows;
  nghttp2_session_del(session_);
  streams_.clear();
  bodies_.clear();
  uncredited_.clear();
  pending_.clear();
  closed_ = false;
  goaway_.reset();
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::BeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::Header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::Chunk);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::Frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::StreamClose);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, 1'000'000, 1'000'000);
  nghttp2_option_set_max_send_header_block_length(option, 1 << 20);
  if (role == Role::kServer) {
    nghttp2_session_server_new2(&session_, callbacks, this, option);
  } else {
    nghttp2_session_client_new2(&session_, callbacks, this, option);
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
}

RawHttp2::~RawHttp2() { nghttp2_session_del(session_); }

OwnedFd RawHttp2::Connect(const std::string& path) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.Reset();
  }
  return fd;
}

nghttp2_data_provider RawHttp2::BodyOf(std::int32_t, Body body) {
  bodies_.push_back(std::make_unique<Body>(std::move(body)));
  nghttp2_data_provider provider{};
  provider.source.ptr = bodies_.back().get();
  provider.read_callback = &Callbacks::ReadBody;
  return provider;
}

std::int32_t RawHttp2::Request(const Fields& fields, std::string body, Ending ending) {
  const auto views = Views(fields);
  const auto provider = BodyOf(0, {std::move(body), 0, ending, std::nullopt});
  const std::int32_t stream =
      nghttp2_submit_request(session_, nullptr, views.data(), views.size(), &provider, nullptr);
  streams_[stream];
  return stream;
}

std::int32_t RawHttp2::Call(const std::string& path, std::string message, Ending ending) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::string framed = {0, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                        static_cast<char>(size >> 8), static_cast<char>(size)};
  framed += message;
  return Request({{":method", "POST"},
                  {":scheme", "http"},
                  {":path", path},
                  {":authority", "localhost"},
                  {"content-type", "application/grpc"},
                  {"te", "trailers"}},
                 std::move(framed), ending);
}

void RawHttp2::Respond(std::int32_t stream, const Fields& headers, std::string body,
                       const Fields& trailers) {
  const auto views = Views(headers);
  Body source{std::move(body), 0, trailers.empty() ? Ending::kOpen : Ending::kEnd, std::nullopt};
  if (!trailers.empty()) source.trailers = trailers;
  const auto provider = BodyOf(stream, std::move(source));
  nghttp2_submit_response(session_, stream, views.data(), views.size(), &provider);
}

void RawHttp2::Interim(std::int32_t stream, const Fields& fields) {
  const auto views = Views(fields);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream, nullptr, views.data(), views.size(),
                         nullptr);
}

void RawHttp2::RespondTrailersOnly(std::int32_t stream, const Fields& fields) {
  const auto views = Views(fields);
  nghttp2_submit_response(session_, stream, views.data(), views.size(), nullptr);
}

void RawHttp2::Reset(std::int32_t stream, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
}

void RawHttp2::Ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

void RawHttp2::Settings() { nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0); }

void RawHttp2::Goaway(std::uint32_t code, const std::string& debug) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), code,
                        reinterpret_cast<const std::uint8_t*>(debug.data()), debug.size());
}

void RawHttp2::OpenWindows() {
  windows_ = Windows::kOpen;
  for (const auto& [stream, size] : uncredited_) nghttp2_session_consume(session_, stream, size);
  uncredited_.clear();
}

// A peer that has closed may still have left something to read.
void RawHttp2::Flush() {
  for (;;) {
    if (pending_.empty()) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) return;
      pending_.assign(bytes, bytes + size);
    }
    const ssize_t sent =
        ::send(fd_.get(), pending_.data(), pending_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return;
    pending_.erase(0, static_cast<std::size_t>(sent));
  }
}

bool RawHttp2::Pump(std::chrono::milliseconds timeout) {
  if (closed_ || !fd_) return false;
  Flush();
  pollfd ready{fd_.get(), static_cast<short>(POLLIN | (pending_.empty() ? 0 : POLLOUT)), 0};
  if (::poll(&ready, 1, static_cast<int>(timeout.count())) <= 0) return true;
  if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
  std::array<std::uint8_t, 65536> buffer;
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return true;
  if (size <= 0) {
    closed_ = true;
    return false;
  }
  bytes_received_ += static_cast<std::size_t>(size);
  if (nghttp2_session_mem_recv(session_, buffer.data(), static_cast<std::size_t>(size)) < 0) {
    closed_ = true;
    return false;
  }
  Flush();
  return true;
}

bool RawHttp2::RunUntil(const std::function<bool()>& done, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !Pump(std::min(left, std::chrono::milliseconds(20)))) return done();
  }
  return true;
}

bool RawHttp2::RunUntilClosed(std::chrono::milliseconds timeout) {
  RunUntil([this] { return closed_; }, timeout);
  return closed_;
}

bool RawHttp2::FloodUntilClosed(const std::function<void()>& submit) {
  for (int i = 0; i < 200 && !closed_ && !goaway_; ++i) {
    for (int frame = 0; frame < 500; ++frame) submit();
    RunUntil([this] { return pending_.empty() && nghttp2_session_want_write(session_) == 0; });
  }
  return RunUntilClosed() || goaway_.has_value();
}

bool RawHttp2::WriteRaw(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t size = ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return false;
    sent += static_cast<std::size_t>(size);
  }
  return true;
}

}  // namespace crivet::proxy::testing
