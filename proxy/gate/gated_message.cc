// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/gated_message.h"

#include <google/protobuf/io/zero_copy_stream.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace crivet::proxy {
namespace {

using Piece = std::span<const std::uint8_t>;

// What is parsed before the budget is asked again.
constexpr std::size_t kPieceBytes = std::size_t{16} * 1024;

// The bytes of a message as they came.
class RawPieces : private grpc::ProtoBufferReader {
 public:
  using ProtoBufferReader::ProtoBufferReader;

  bool is_readable() const { return status().ok(); }
  grpc_compression_algorithm compression() { return reader()->buffer_in->data.raw.compression; }

  // Empty at the end.
  Piece TakePiece() {
    while (left_.empty()) {
      const void* data = nullptr;
      int size = 0;
      if (!ProtoBufferReader::Next(&data, &size)) return {};
      left_ = {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
    }
    const Piece next = left_.first(std::min(left_.size(), kPieceBytes));
    left_ = left_.subspan(next.size());
    return next;
  }

 private:
  Piece left_;
};

// The same without compression.
class InflatedPieces {
 public:
  InflatedPieces(RawPieces& raw, grpc_compression_algorithm compression)
      : raw_(raw), is_gzip_(compression == GRPC_COMPRESS_GZIP), piece_(kPieceBytes) {
    constexpr int kGzipHeader = 16;
    const int bits = MAX_WBITS + (is_gzip_ ? kGzipHeader : 0);
    if (inflateInit2(&stream_, bits) != Z_OK) state_ = State::kBroken;
  }
  InflatedPieces(const InflatedPieces&) = delete;
  InflatedPieces& operator=(const InflatedPieces&) = delete;
  ~InflatedPieces() { inflateEnd(&stream_); }

  // Empty at the end.
  Piece TakePiece() {
    while (state_ == State::kGoing) {
      if (stream_.avail_in == 0) TakeInput();
      stream_.next_out = piece_.data();
      stream_.avail_out = static_cast<uInt>(piece_.size());
      switch (inflate(&stream_, Z_NO_FLUSH)) {
        case Z_OK:
          break;
        case Z_STREAM_END:
          End();
          break;
        default:  // damaged, or cut off
          state_ = State::kBroken;
      }
      const std::size_t size = piece_.size() - stream_.avail_out;
      if (size > 0) return Piece(piece_).first(size);
    }
    return {};
  }

  // Whether it is damaged, was cut off, or goes on behind its end.
  bool is_broken() const { return state_ == State::kBroken; }

 private:
  enum class State : std::uint8_t { kGoing, kWhole, kBroken };

  void End() {
    if (stream_.avail_in == 0 && !TakeInput()) {
      state_ = State::kWhole;
    } else if (!is_gzip_ || inflateReset(&stream_) != Z_OK) {
      state_ = State::kBroken;
    }  // else another member follows, which counts as part of the whole (RFC 1952, 2.2)
  }

  bool TakeInput() {
    const Piece next = raw_.TakePiece();
    stream_.next_in = const_cast<Bytef*>(next.data());
    stream_.avail_in = static_cast<uInt>(next.size());
    return !next.empty();
  }

  RawPieces& raw_;
  const bool is_gzip_;
  z_stream stream_{};
  State state_ = State::kGoing;
  std::vector<std::uint8_t> piece_;
};

// Gives the parser a piece at a time, and counts before each what came of those before.
class CountedInput final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  CountedInput(RawPieces& raw, MessageBudget::Holding& holding,
               const google::protobuf::Arena& arena)
      : raw_(raw), holding_(holding), arena_(arena) {
    const auto compression = raw.compression();
    if (compression != GRPC_COMPRESS_NONE) inflated_.emplace(raw, compression);
  }

  bool Next(const void** data, int* size) override {
    if (backed_up_ == 0) {
      piece_ = inflated_ ? inflated_->TakePiece() : raw_.TakePiece();
      taken_ += piece_.size();
      if (!Count() || piece_.empty()) return false;
      backed_up_ = piece_.size();
    }
    const Piece next = piece_.last(std::exchange(backed_up_, 0));
    *data = next.data();
    *size = static_cast<int>(next.size());
    return true;
  }
  void BackUp(int count) override { backed_up_ = static_cast<std::size_t>(count); }
  bool Skip(int count) override {
    const void* data = nullptr;
    int size = 0;
    for (; count > 0; count -= size) {
      if (!Next(&data, &size)) return false;
      if (size > count) {
        BackUp(size - count);
        size = count;
      }
    }
    return true;
  }
  std::int64_t ByteCount() const override { return static_cast<std::int64_t>(taken_ - backed_up_); }

  // Once the parser has been at its end, or given up: what is wrong, apart from what it says.
  grpc::Status End() {
    if (Count() && inflated_ && inflated_->is_broken()) {
      return {grpc::INTERNAL, "crivet cannot decompress this request"};
    }
    return refusal_;
  }

 private:
  bool Count() {
    const MessageBudget& budget = holding_.budget();
    if (taken_ > budget.limits().message) {
      refusal_ = {grpc::RESOURCE_EXHAUSTED, budget.TooLarge()};
    } else if (!holding_.Hold(taken_ + arena_.SpaceAllocated())) {
      refusal_ = {grpc::RESOURCE_EXHAUSTED, budget.NoRoom()};
    }
    return refusal_.ok();
  }

  RawPieces& raw_;
  MessageBudget::Holding& holding_;
  const google::protobuf::Arena& arena_;
  std::optional<InflatedPieces> inflated_;
  Piece piece_;
  std::size_t backed_up_ = 0;  // of the piece, at its end
  std::size_t taken_ = 0;
  grpc::Status refusal_;
};

}  // namespace

grpc::Status ReadMessage(grpc::ByteBuffer bytes, MessageBudget::Holding& holding,
                         const google::protobuf::Arena& arena,
                         google::protobuf::MessageLite& message) {
  grpc::Status unreadable(grpc::INTERNAL, "crivet cannot read this request");
  RawPieces raw(&bytes);
  if (!raw.is_readable()) return unreadable;
  CountedInput input(raw, holding, arena);
  const bool is_parsed = message.ParseFromZeroCopyStream(&input);
  grpc::Status status = input.End();
  return status.ok() && !is_parsed ? unreadable : status;
}

}  // namespace crivet::proxy
