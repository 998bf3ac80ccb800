// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::proxy {

/// HeaderBlock is the list of fields of one HEADERS frame, in order. Received fields are shared
/// with nghttp2's own buffers, not copied.
class HeaderBlock {
 public:
  HeaderBlock() = default;
  HeaderBlock(HeaderBlock&& other) noexcept;
  HeaderBlock& operator=(HeaderBlock&& other) noexcept;
  ~HeaderBlock() { Clear(); }

  /// Shares a received field. `flags` are those of nghttp2's header callback.
  void Add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, std::uint8_t flags);
  /// Adds a field of our own; `name` outlives the block.
  void AddText(std::string_view name, std::string value);
  void Clear();

  /// The value of the first field with that name; empty if there is none.
  std::string_view Find(std::string_view name) const;
  /// Whether a pseudo-header of requests comes twice: malformed (RFC 9113 8.3).
  bool RepeatsPseudoHeader() const;

  std::span<const nghttp2_nv> fields() const { return fields_; }
  /// Sum of the lengths of names and values.
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<nghttp2_nv> fields_;
  std::vector<nghttp2_rcbuf*> shared_;
  std::list<std::string> texts_;  // a list: the fields point into it
  std::size_t bytes_ = 0;
};

/// GrpcStatus is the part of gRPC's closed set of codes that crivet answers with by itself.
enum class GrpcStatus : int {
  kDeadlineExceeded = 4,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
};

/// TrailersOnly is a complete answer without a body: one HEADERS frame (gRPC over HTTP/2,
/// "Trailers-Only"). `message` is percent-encoded as that page asks.
HeaderBlock TrailersOnly(GrpcStatus status, std::string_view message);

/// StatusTrailers ends an answer that has begun.
HeaderBlock StatusTrailers(GrpcStatus status, std::string_view message);

}  // namespace crivet::proxy
