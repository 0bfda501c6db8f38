#pragma once

#include <chrono>
#include <cstddef>

namespace idv {

// Has gRPC read its connections in turns, so that none of them can keep a shard to itself.
//
// gRPC 1.51 reads a connection until nothing is left in its socket before it looks at anything
// else: the other connections, and the calls that it has read so far. Whoever sends faster than
// gRPC parses (100,000 streams, each reset at once; headers without end; PINGs) stops all other
// callers and has gRPC pile up calls without bound, below every cap of ours. No channel argument of
// gRPC 1.51 changes that.
//
// This file therefore puts itself between gRPC and two functions of the C library: recvmsg(), which
// tells gRPC now and then that there is nothing more to read, and epoll_ctl(), which learns where
// gRPC waits for a connection, so that it can be woken for the rest. Linked into a program, it
// works for all connections that gRPC serves in it; there is nothing to call. A connection whose
// socket is empty when its turn ends costs nothing more.
//
// How much a turn may read depends on how long gRPC took for what it read before: images go through
// in large pieces, what makes work in small ones.
struct FairReads {
  static constexpr size_t kLeastBytes = 1 << 10;
  // More than this makes uploads slower, not faster.
  static constexpr size_t kMostBytes = 64 << 10;
  // A turn that took less allows the next one twice as much, one that took more half as much.
  static constexpr std::chrono::microseconds kShort{25};
  static constexpr std::chrono::microseconds kLong{50};
};

}  // namespace idv
