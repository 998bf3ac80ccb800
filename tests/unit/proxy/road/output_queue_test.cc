// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/output_queue.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "proxy/owned_fd.h"

namespace crivet::proxy {
namespace {

using Outcome = OutputQueue::WriteOutcome;

struct SocketPair {
  SocketPair() {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    writing = OwnedFd(ends[0]);
    reading = OwnedFd(ends[1]);
  }
  std::string ReadAll() {
    std::string all;
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t size = ::recv(reading.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  ChunkPool pool;
  OwnedFd writing;
  OwnedFd reading;
};

const std::uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

Slice SliceOf(const std::string& text) { return CopySlice(Bytes(text), text.size()); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(OutputQueueTest, SocketPair)

BOOST_AUTO_TEST_CASE(CopiesAndSlices_LeaveInOrder) {
  OutputQueue queue(pool);
  std::string expected;
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const std::string piece(random() % 3000, static_cast<char>('a' + i % 26));
    expected += piece;
    if (i % 3 == 0) {
      queue.AppendCopy(Bytes(piece), piece.size());
    } else {
      queue.Append(SliceOf(piece));
    }
  }
  BOOST_TEST(queue.bytes() == expected.size());
  std::string received;
  while (queue.WriteTo(writing.get()) == Outcome::kBlocked) received += ReadAll();
  received += ReadAll();
  BOOST_TEST((received == expected));
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(CopyLargerThanAChunk_LeavesWhole) {
  OutputQueue queue(pool);
  const std::string large(3 * ChunkPool::kChunkBytes + 17, 'l');
  queue.AppendCopy(Bytes(large), large.size());
  std::string received;
  while (queue.WriteTo(writing.get()) == Outcome::kBlocked) received += ReadAll();
  BOOST_TEST((received + ReadAll() == large));
}

BOOST_AUTO_TEST_CASE(PartlyWrittenQueue_TakesMoreAndKeepsOrder) {
  OutputQueue queue(pool);
  std::string expected;
  std::string received;
  for (int round = 0; round < 40; ++round) {
    const std::string piece(50'000, static_cast<char>('a' + round % 26));
    expected += piece;
    queue.Append(SliceOf(piece));
    queue.AppendCopy(Bytes("|"), 1);
    expected += '|';
    if (queue.WriteTo(writing.get()) == Outcome::kBlocked && round % 3 == 2) received += ReadAll();
  }
  while (queue.WriteTo(writing.get()) == Outcome::kBlocked) received += ReadAll();
  BOOST_TEST((received + ReadAll() == expected));
}

BOOST_AUTO_TEST_CASE(ReaderGone_IsBroken) {
  OutputQueue queue(pool);
  reading.Reset();
  queue.AppendCopy(Bytes("x"), 1);
  BOOST_TEST((queue.WriteTo(writing.get()) == Outcome::kBroken));
}

BOOST_AUTO_TEST_CASE(DrainedQueue_HoldsNoChunk) {
  OutputQueue queue(pool);
  ChunkRef chunk = pool.Take();
  queue.Append({chunk, chunk->bytes(), 4096});
  BOOST_TEST(chunk.IsShared());
  BOOST_TEST((queue.WriteTo(writing.get()) == Outcome::kDrained));
  BOOST_TEST(!chunk.IsShared());
}

BOOST_AUTO_TEST_CASE(ClearedQueue_HoldsNothing) {
  OutputQueue queue(pool);
  ChunkRef chunk = pool.Take();
  queue.Append({chunk, chunk->bytes(), 4096});
  queue.AppendCopy(Bytes("x"), 1);
  queue.Clear();
  BOOST_TEST(queue.empty());
  BOOST_TEST(!chunk.IsShared());
}

BOOST_AUTO_TEST_CASE(Pool_GivesTheSameChunkAgain) {
  ByteChunk* first = pool.Take().operator->();
  BOOST_TEST(pool.Take().operator->() == first);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
