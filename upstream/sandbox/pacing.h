#ifndef UPSTREAM_SANDBOX_PACING_H_
#define UPSTREAM_SANDBOX_PACING_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "upstream/sandbox/stream.h"

namespace idv::sandbox {

// Transfers that keep to a rate, in pieces 50 ms apart. A rate of 0 is none: as fast as it goes.

// The bytes of a piece; `otherwise` when there is no rate, and at most that.
std::size_t PieceOf(std::uint64_t bytes_per_second, std::size_t otherwise);

// What so many bytes take. Not without a rate.
std::chrono::milliseconds TimeOf(std::uint64_t bytes, std::uint64_t bytes_per_second);

boost::asio::awaitable<void> Pause(std::chrono::milliseconds time);

// False when the client has gone before all was written.
boost::asio::awaitable<bool> WriteSlowly(Stream& stream, std::string_view bytes,
                                         std::uint64_t bytes_per_second);

// Spaces for ever. Ends when the client has gone.
boost::asio::awaitable<void> WriteEndlessly(Stream& stream, std::uint64_t bytes_per_second);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_PACING_H_
