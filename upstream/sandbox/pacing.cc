#include "upstream/sandbox/pacing.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

namespace idv::sandbox {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;

constexpr std::chrono::milliseconds kBetweenPieces{50};
constexpr std::size_t kMaxPiece = 64 << 10;

}  // namespace

std::size_t PieceOf(std::uint64_t bytes_per_second, std::size_t otherwise) {
  if (bytes_per_second == 0) return otherwise;
  const std::uint64_t pieces_per_second = std::chrono::seconds(1) / kBetweenPieces;
  return std::clamp<std::uint64_t>(bytes_per_second / pieces_per_second, 1, otherwise);
}

std::chrono::milliseconds TimeOf(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  return std::chrono::milliseconds(bytes * 1000 / bytes_per_second);
}

asio::awaitable<void> Pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(use_awaitable);
}

asio::awaitable<bool> WriteSlowly(Stream& stream, std::string_view bytes,
                                  std::uint64_t bytes_per_second) {
  const std::size_t size = PieceOf(bytes_per_second, bytes.size());
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, size);
    if (!co_await stream.Write(piece)) co_return false;
    bytes.remove_prefix(piece.size());
    if (bytes.empty() || bytes_per_second == 0) continue;
    if (!co_await stream.Wait(TimeOf(piece.size(), bytes_per_second))) co_return false;
  }
  co_return true;
}

asio::awaitable<void> WriteEndlessly(Stream& stream, std::uint64_t bytes_per_second) {
  const std::string spaces(PieceOf(bytes_per_second, kMaxPiece), ' ');
  while (co_await stream.Write(spaces)) {
    if (bytes_per_second == 0) continue;
    if (!co_await stream.Wait(TimeOf(spaces.size(), bytes_per_second))) co_return;
  }
}

}  // namespace idv::sandbox
