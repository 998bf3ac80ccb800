// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/header_block.h"

#include <array>
#include <iterator>
#include <utility>

namespace crivet::proxy {
namespace {

// RFC 9113 8.3.1, and RFC 8441 for the last.
constexpr std::string_view kRequestPseudoHeaders[] = {":method", ":scheme", ":path", ":authority",
                                                      ":protocol"};

std::string_view NameOf(const nghttp2_nv& field) {
  return {reinterpret_cast<const char*>(field.name), field.namelen};
}

std::string PercentEncoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (c >= 0x20 && c <= 0x7e && c != '%') {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace

HeaderBlock::HeaderBlock(HeaderBlock&& other) noexcept
    : fields_(std::move(other.fields_)),
      shared_(std::move(other.shared_)),
      texts_(std::move(other.texts_)),
      bytes_(std::exchange(other.bytes_, 0)) {
  other.fields_.clear();
  other.shared_.clear();
}

HeaderBlock& HeaderBlock::operator=(HeaderBlock&& other) noexcept {
  fields_.swap(other.fields_);
  shared_.swap(other.shared_);
  texts_.swap(other.texts_);
  std::swap(bytes_, other.bytes_);
  other.Clear();
  return *this;
}

void HeaderBlock::Add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, std::uint8_t flags) {
  nghttp2_rcbuf_incref(name);
  nghttp2_rcbuf_incref(value);
  shared_.push_back(name);
  shared_.push_back(value);
  const nghttp2_vec n = nghttp2_rcbuf_get_buf(name);
  const nghttp2_vec v = nghttp2_rcbuf_get_buf(value);
  fields_.push_back(
      {n.base, v.base, n.len, v.len, static_cast<std::uint8_t>(flags & NGHTTP2_NV_FLAG_NO_INDEX)});
  bytes_ += n.len + v.len;
}

void HeaderBlock::AddText(std::string_view name, std::string value) {
  std::string& text = texts_.emplace_back(std::move(value));
  fields_.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<std::uint8_t*>(text.data()), name.size(), text.size(),
                     NGHTTP2_NV_FLAG_NONE});
  bytes_ += name.size() + text.size();
}

void HeaderBlock::Clear() {
  for (nghttp2_rcbuf* buffer : shared_) nghttp2_rcbuf_decref(buffer);
  shared_.clear();
  fields_.clear();
  texts_.clear();
  bytes_ = 0;
}

std::string_view HeaderBlock::Find(std::string_view name) const {
  for (const nghttp2_nv& field : fields_) {
    if (NameOf(field) == name) return {reinterpret_cast<const char*>(field.value), field.valuelen};
  }
  return {};
}

bool HeaderBlock::RepeatsPseudoHeader() const {
  std::array<bool, std::size(kRequestPseudoHeaders)> seen{};
  for (const nghttp2_nv& field : fields_) {
    const std::string_view name = NameOf(field);
    if (!name.starts_with(':')) continue;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (name == kRequestPseudoHeaders[i] && std::exchange(seen[i], true)) return true;
    }
  }
  return false;
}

HeaderBlock TrailersOnly(GrpcStatus status, std::string_view message) {
  HeaderBlock block;
  block.AddText(":status", "200");
  block.AddText("content-type", "application/grpc");
  block.AddText("grpc-status", std::to_string(static_cast<int>(status)));
  block.AddText("grpc-message", PercentEncoded(message));
  return block;
}

HeaderBlock StatusTrailers(GrpcStatus status, std::string_view message) {
  HeaderBlock block;
  block.AddText("grpc-status", std::to_string(static_cast<int>(status)));
  block.AddText("grpc-message", PercentEncoded(message));
  return block;
}

}  // namespace crivet::proxy
