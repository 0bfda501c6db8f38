// Messages far over what is taken, and very many that are just below.

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <thread>

#include "kora/idv/v1/document_service.pb.h"
#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/chaos/size.h"

namespace idv::chaos {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint32_t kLargeBytes = 64 << 20;
constexpr bool kFinish = true;
constexpr bool kLeaveOpen = false;
const size_t kLarge = Sized<size_t>(16, 64);
constexpr size_t kImageBytes = 9 << 20;
const size_t kUploads = Sized<size_t>(50, 100);
constexpr size_t kMaxFrameBytes = 16'384;
constexpr char kRpc[] = "/kora.idv.v1.DocumentService/UploadDocument";

// What gRPC may use, with one shard, over which it ends calls; while it does, as much comes in
// again.
constexpr size_t kLastResortKib = size_t{2} * (8 * 14 + 256 + 128) * kKibPerMib;
// `limits.upload_memory`, eight uploads that are being read, and what gRPC has read ahead of the
// others.
constexpr size_t kUploadsKib = (256 + 8 * 14 + 64) * kKibPerMib;
// gRPC looks at the size of a message when it has all of it, and a next one comes while the last
// one is given back.
constexpr size_t kTwoMessagesKib = size_t{2} * (kLargeBytes >> 10);

std::string DataFrames(uint32_t stream, std::string_view bytes) {
  std::string frames;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kMaxFrameBytes))) {
    frames += http2::Frame(http2::Type::kData, 0, stream, bytes.substr(0, kMaxFrameBytes));
  }
  return frames;
}

// A connection with one call, whose message is sent as the windows allow.
class Sender {
 public:
  // `message`: with its prefix; not copied.
  Sender(const std::string& address, std::string_view message)
      : connection_(address), rest_(message) {
    http2::Fields fields = http2::CallFields(kRpc);
    fields.emplace_back("grpc-timeout", "2S");
    connection_.Greet();
    connection_.Send(http2::Headers(kStream, http2::Block(fields)));
  }

  // Nothing is left to send, or nobody to send it to.
  bool is_done() const { return rest_.empty() || connection_.heard().Ending() != "open"; }
  // Whether anything could be sent.
  bool Advance() {
    const size_t sent = connection_.SendData(kStream, rest_);
    rest_.remove_prefix(sent);
    return sent > 0;
  }
  void Finish() { connection_.Send(http2::Frame(http2::Type::kData, http2::kEndStream, kStream)); }
  Heard AwaitEnding(seconds limit) {
    connection_.AwaitEnding(limit);
    return connection_.heard();
  }

 private:
  static constexpr uint32_t kStream = 1;

  RawConnection connection_;
  std::string_view rest_;
};

class LargeMessageAttackTest : public AttackTest {
 protected:
  // Sends the message so many times at once.
  void SendAtOnce(size_t times, std::string_view message, bool finishes, AttackLog& log) {
    std::deque<Sender> senders;
    for (size_t i = 0; i < times; ++i) senders.emplace_back(address(), message);
    const auto is_done = [](const Sender& sender) { return sender.is_done(); };
    const auto end = steady_clock::now() + seconds(10);
    while (!std::all_of(senders.begin(), senders.end(), is_done) && steady_clock::now() < end) {
      bool advanced = false;
      for (Sender& sender : senders) advanced |= sender.Advance();
      if (!advanced) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (Sender& sender : senders) {
      if (finishes) sender.Finish();
    }
    // What is left open is a slow sender, of which there is a test of its own.
    for (Sender& sender : senders) {
      log.Add(sender.AwaitEnding(finishes ? seconds(10) : seconds(0)));
    }
  }

  // The message of an upload.
  std::string Upload() const {
    kora::idv::v1::UploadDocumentRequest request;
    request.set_verification_id(verification_id());
    request.set_document_type("ghana_card");
    request.set_image(std::string(kImageBytes, 'x'));
    return http2::Message(request.SerializeAsString());
  }

  const std::string large_ = http2::Message(std::string(kLargeBytes, 'x'));
};

TEST_F(LargeMessageAttackTest, HarmsNobody) {
  const std::string call =
      http2::Headers(1, http2::Block(http2::CallFields(kRpc))) + DataFrames(1, large_);
  const auto send_in_order = [&](AttackLog& log) { SendAtOnce(1, large_, kFinish, log); };
  const auto send_without_windows = [&](AttackLog& log) {
    RawConnection connection(address());
    connection.Greet();
    connection.Send(call);
    connection.AwaitEnding();
    log.Add(connection.heard());
  };

  EndureAll({{.name = "64 MiB",
              .wave = send_in_order,
              .memory_kib = kTwoMessagesKib,
              .fills_machine = true},
             {.name = "64 MiB without regard to windows",
              .wave = send_without_windows,
              .memory_kib = kTwoMessagesKib,
              .fills_machine = true}});
}

TEST_F(LargeMessageAttackTest, ManyAtOnceAreEndedByTheLastResort) {
  const std::string_view cut(large_.data(), large_.size() - 1);
  const auto send = [&](AttackLog& log) { SendAtOnce(kLarge, cut, kLeaveOpen, log); };

  Endure({.name = std::to_string(kLarge) + " x 64 MiB but for the last byte",
          .wave = send,
          .memory_kib = kLastResortKib,
          .costs_others_calls = true,
          .fills_machine = true});
}

// Each within what a message may have, together over what uploads may use.
TEST_F(LargeMessageAttackTest, UploadsThatTheUpstreamDoesNotTakeAreBounded) {
  sandbox().AddFault({{"kind", "hang"}, {"method", "POST"}});
  const std::string upload = Upload();

  Endure({.name = std::to_string(kUploads) + " uploads of 9 MiB at once",
          .wave = [&](AttackLog& log) { SendAtOnce(kUploads, upload, kFinish, log); },
          .memory_kib = kUploadsKib,
          .fills_machine = true});
}

}  // namespace
}  // namespace idv::chaos
