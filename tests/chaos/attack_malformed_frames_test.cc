// Bytes that are no HTTP/2, or no gRPC.

#include <gmock/gmock.h>

#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/attack.h"
#include "tests/chaos/http2.h"
#include "tests/chaos/raw_connection.h"
#include "tests/chaos/size.h"
#include "tests/e2e/steps.h"

namespace idv::chaos {
namespace {

using http2::Block;
using http2::CallFields;
using http2::Frame;
using http2::FrameHead;
using http2::Headers;
using http2::kEndHeaders;
using http2::kEndStream;
using http2::Type;
using http2::WindowUpdate;

constexpr char kRpc[] = "/kora.idv.v1.VerificationService/GetVerification";
constexpr uint32_t kMaxWindow = 0x7fffffff;

struct Malformed {
  std::string name;
  std::string bytes;
};

std::string Random(size_t size, std::mt19937& random) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// In place of the beginning of HTTP/2.
std::vector<Malformed> Beginnings() {
  std::mt19937 random(1);
  const std::string preface(http2::kPreface);
  return {
      {"random bytes", Random(1000, random)},
      {"HTTP/1.1", "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"},
      {"TLS",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + Random(500, random)},
      {"half a preface", preface.substr(0, 12) + Random(100, random)},
      {"random frames", preface + Random(1000, random)},
      {"a call before SETTINGS", preface + http2::Call(1, kRpc, "")},
  };
}

std::string OpenStream(uint32_t stream = 1) { return Headers(stream, Block(CallFields(kRpc))); }

// After the beginning.
std::vector<Malformed> BadFrames() {
  return {
      {"frame over the size agreed on",
       OpenStream() + FrameHead(16'385, Type::kData, 0, 1) + std::string(16'385, 'x')},
      {"frame of 16 MB", FrameHead(0xffffff, Type::kData, 0, 1) + std::string(100'000, 'x')},
      {"RST_STREAM of 3 bytes", OpenStream() + Frame(Type::kRstStream, 0, 1, "xxx")},
      {"SETTINGS of 5 bytes", Frame(Type::kSettings, 0, 0, "xxxxx")},
      {"SETTINGS on a stream", Frame(Type::kSettings, 0, 1, "")},
      {"SETTINGS ACK with a payload", Frame(Type::kSettings, http2::kAck, 0, "xxxxxx")},
      {"SETTINGS with a window over the most", http2::Settings({{4, 0x80000000}})},
      {"SETTINGS with frames under the least", http2::Settings({{5, 100}})},
      {"PING of 7 bytes", Frame(Type::kPing, 0, 0, "xxxxxxx")},
      {"WINDOW_UPDATE of 3 bytes", Frame(Type::kWindowUpdate, 0, 0, "xxx")},
      {"CONTINUATION without HEADERS", Frame(Type::kContinuation, kEndHeaders, 1, "")},
      {"DATA amid headers",
       Frame(Type::kHeaders, 0, 1, Block(CallFields(kRpc))) + Frame(Type::kData, 0, 1, "x")},
      {"padding longer than the frame",
       OpenStream() + Frame(Type::kData, http2::kPadded, 1, "\x7f")},
      {"HPACK index of nothing", Frame(Type::kHeaders, kEndHeaders, 1, "\xff\x80\x01")},
      {"HPACK integer without end", Frame(Type::kHeaders, kEndHeaders, 1, std::string(20, '\xff'))},
      {"HPACK string over the frame",
       Frame(Type::kHeaders, kEndHeaders, 1, std::string("\x00\x7f", 2) + "name")},
      {"HPACK table over the size agreed on",
       Frame(Type::kHeaders, kEndHeaders, 1, std::string("\x3f\xe1\xff\x03", 4))},
  };
}

std::string WithMessage(const std::string& message) {
  return OpenStream() + Frame(Type::kData, kEndStream, 1, message);
}

std::string WithFields(const http2::Fields& fields) {
  return Headers(1, Block(fields)) + Frame(Type::kData, kEndStream, 1, http2::Message(""));
}

http2::Fields CallFieldsAnd(const std::string& name, const std::string& value) {
  http2::Fields fields = CallFields(kRpc);
  fields.emplace_back(name, value);
  return fields;
}

// Good HTTP/2 for the most part, but no call.
std::vector<Malformed> BadCalls() {
  const std::string good = http2::Message("\x0a\x04some");
  return {
      {"compressed without an encoding", WithMessage("\x01" + good.substr(1))},
      {"compressed, and no gzip", Headers(1, Block(CallFieldsAnd("grpc-encoding", "gzip"))) +
                                      Frame(Type::kData, kEndStream, 1, "\x01" + good.substr(1))},
      {"an encoding that does not exist", WithFields(CallFieldsAnd("grpc-encoding", "zip"))},
      {"message flag 2", WithMessage("\x02" + good.substr(1))},
      {"message shorter than said", WithMessage(http2::Message("some", 100))},
      {"prefix cut", WithMessage(good.substr(0, 3))},
      {"no message", WithMessage("")},
      {"two messages", WithMessage(good + good)},
      {"bytes behind the message", WithMessage(good + "xx")},
      {"no path", WithFields({{":method", "POST"}, {":scheme", "http"}, {"te", "trailers"}})},
      {"two paths", WithFields(CallFieldsAnd(":path", "/x"))},
      {"an RPC that does not exist", WithFields(CallFields("/kora.idv.v1.Nothing/Nothing"))},
      {"a path of 10 kB", WithFields(CallFields("/" + std::string(10'000, 'x')))},
      {"a path of control characters", WithFields(CallFields("/\x01\x02\n/\x7f"))},
      {"GET", WithFields({{":method", "GET"}, {":scheme", "http"}, {":path", kRpc}})},
      {"text/html", WithFields({{":method", "POST"},
                                {":scheme", "http"},
                                {":path", kRpc},
                                {"te", "trailers"},
                                {"content-type", "text/html"}})},
      {"a timeout that is none", WithFields(CallFieldsAnd("grpc-timeout", "soon"))},
      {"metadata that is no base64", WithFields(CallFieldsAnd("x-thing-bin", "%%%"))},
      {"a name in capitals", WithFields(CallFieldsAnd("X-Thing", "x"))},
      {"a value with a line break", WithFields(CallFieldsAnd("x-thing", "a\r\nb: c"))},
      {"HEADERS twice", OpenStream() + OpenStream() + Frame(Type::kData, kEndStream, 1, good)},
      {"window of the stream over the most",
       OpenStream() + WindowUpdate(1, kMaxWindow) + Frame(Type::kData, kEndStream, 1, good)},
      {"WINDOW_UPDATE of nothing",
       OpenStream() + WindowUpdate(1, 0) + Frame(Type::kData, kEndStream, 1, good)},
  };
}

// What gRPC 1.51 passes over, though the standard would have it end the connection.
std::vector<Malformed> Meaningless() {
  return {
      {"HEADERS on stream 0", Headers(0, Block(CallFields(kRpc)))},
      {"HEADERS on an even stream", Headers(2, Block(CallFields(kRpc)))},
      {"HEADERS on a stream gone by", OpenStream(5) + OpenStream(3)},
      {"DATA on stream 0", Frame(Type::kData, 0, 0, "x")},
      {"DATA on an idle stream", Frame(Type::kData, 0, 7, "x")},
      {"RST_STREAM on stream 0", http2::RstStream(0, 8)},
      {"a frame of an unknown type", Frame(static_cast<Type>(0xbe), 0xff, 1, "whatever")},
      {"window of the connection over the most", WindowUpdate(0, kMaxWindow)},
  };
}

class MalformedTest : public AttackTest {
 protected:
  void ExpectEndings(const std::vector<Malformed>& all, bool greets) {
    for (const auto& [name, bytes] : all) {
      const Heard heard = Send(bytes, greets);
      std::cout << "  " << name << ": " << heard.Ending() << std::endl;
      EXPECT_TRUE(heard.IsStandard()) << name;
      EXPECT_NE(heard.Ending(), "open") << name;
    }
    ExpectServes();
  }

  void ExpectServes() {
    const e2e::Client client(e2e::Connect(address()));
    EXPECT_EQ(e2e::Get(client, verification_id()).id(), verification_id());
  }

  // Sends it on a connection of its own and waits for the end of something.
  Heard Send(const std::string& bytes, bool greets) {
    RawConnection connection(address());
    if (greets) connection.Greet();
    connection.Send(bytes);
    connection.AwaitEnding();
    return connection.heard();
  }
};

TEST_F(MalformedTest, WhatDoesNotBeginAsHttp2Ends) {
  ExpectEndings(Beginnings(), /*greets=*/false);
}

TEST_F(MalformedTest, BadFramesEnd) { ExpectEndings(BadFrames(), /*greets=*/true); }

TEST_F(MalformedTest, BadCallsEnd) { ExpectEndings(BadCalls(), /*greets=*/true); }

TEST_F(MalformedTest, FramesThatMeanNothingChangeNothing) {
  for (const auto& [name, bytes] : Meaningless()) {
    RawConnection connection(address());
    connection.Greet();
    connection.Send(bytes);

    EXPECT_TRUE(connection.RoundTrip()) << name;

    EXPECT_EQ(connection.heard().Ending(), "open") << name;
  }
  ExpectServes();
}

TEST_F(MalformedTest, HarmsNobody) {
  std::mt19937 random(1);
  const auto send_malformed = [&](AttackLog& log) {
    for (const auto& [name, bytes] : BadFrames()) log.Add(Send(bytes, /*greets=*/true));
    for (const auto& [name, bytes] : BadCalls()) log.Add(Send(bytes, /*greets=*/true));
  };
  const auto send_random = [&](AttackLog& log) {
    RawConnection connection(address());
    connection.Greet();
    for (int i = 0; i < 100 && !connection.heard().closed; ++i) {
      connection.Send(Frame(static_cast<Type>(random() % 10), static_cast<uint8_t>(random()),
                            static_cast<uint32_t>(random() % 8), Random(random() % 100, random)));
    }
    log.Add(connection.heard());
  };

  EndureAll({{"malformed frames and calls", send_malformed, 8 * kKibPerMib},
             {"random frames", send_random, 8 * kKibPerMib}});
}

}  // namespace
}  // namespace idv::chaos
