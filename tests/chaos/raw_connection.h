#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/chaos/http2.h"

struct nghttp2_hd_inflater;

namespace idv::chaos {

// What a raw client has heard of the server.
struct Heard {
  // In few words: "GOAWAY ENHANCE_YOUR_CALM, closed"; "open" if nothing ended.
  std::string Ending() const;
  // Nothing but what the standards know: error codes of HTTP/2, statuses of gRPC.
  bool IsStandard() const;

  bool settings = false;
  bool closed = false;
  std::optional<uint32_t> goaway;
  std::set<uint32_t> resets;            // codes of RST_STREAM
  std::set<std::string> http_statuses;  // other than 200
  std::set<std::string> grpc_statuses;
  size_t pongs = 0;
};

// A connection of a client that sends any bytes it likes, and follows the server's HTTP/2
// frames. Never blocks but within the limits given. For one thread.
class RawConnection {
 public:
  // Begins to connect to "127.0.0.1:PORT" or "unix:PATH"; from 127.0.0.`host`, since one address
  // has too few ports for very many.
  explicit RawConnection(const std::string& address, int host = 1);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  int fd() const { return fd_; }
  const Heard& heard() const { return heard_; }

  // Begins HTTP/2 and acknowledges SETTINGS and PING from now on. An attacker need not: what the
  // server's SETTINGS ask for is in force only then.
  void Greet();
  // A PING, which a server answers when it has gone through all before it.
  bool RoundTrip();

  // Sends all of it, and reads meanwhile. False when the server has closed the connection, or did
  // not take it in time.
  bool Send(std::string_view bytes, std::chrono::milliseconds limit = std::chrono::seconds(10));
  // The same, but leaves unread what the server sends.
  bool SendDeaf(std::string_view bytes, std::chrono::milliseconds limit);
  // Sends DATA frames with as much of this as the server's windows allow now, and returns how much
  // that was.
  size_t SendData(uint32_t stream, std::string_view bytes);
  // Sends what the socket takes now, and reads nothing.
  void SendBlindly(std::string_view bytes);

  // Reads what has come.
  void Read();
  // Reads until `enough`, or the end of the connection; false when `limit` has passed before.
  bool ReadUntil(const std::function<bool(const Heard&)>& enough,
                 std::chrono::milliseconds limit = std::chrono::seconds(10));
  // Until the server has put an end to something.
  bool AwaitEnding(std::chrono::milliseconds limit = std::chrono::seconds(10));

 private:
  bool Transmit(std::string_view bytes, bool reads, std::chrono::milliseconds limit);
  void OnFrame(std::string_view head, std::string_view payload);
  void OnSettings(std::string_view payload);
  void Acknowledge(http2::Type type, std::string_view payload);
  void Inflate(std::string_view block);
  void OnField(std::string_view name, std::string_view value);

  const int fd_;
  bool acknowledges_ = false;
  // Bytes that may be sent: on a stream at its beginning, on streams by then more or less than
  // that, and on all of them together.
  int64_t initial_window_ = 65'535;
  std::map<uint32_t, int64_t> windows_;
  int64_t connection_window_ = 65'535;
  std::string received_;  // begins at a frame
  std::string block_;     // of headers whose end has not come
  Heard heard_;
  std::unique_ptr<nghttp2_hd_inflater, void (*)(nghttp2_hd_inflater*)> inflater_;
};

}  // namespace idv::chaos
