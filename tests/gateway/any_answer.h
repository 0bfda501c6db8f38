#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace idv {

// Makes up what an upstream, or whatever answers in its place, may send: the same in every run.
class AnyAnswer {
 public:
  explicit AnyAnswer(uint32_t seed) : random_(seed) {}

  // A body of any kind: nothing, bytes, text, JSON of any shape and depth, every envelope of errors
  // that has been seen, whole, cut, or with bytes that are no UTF-8.
  std::string Body() {
    switch (Below(10)) {
      case 0:
        return "";
      case 1:
        return Bytes(Below(400));
      case 2:
        return "<html><body><h1>502 Bad Gateway</h1>" + Text() + "</body></html>";
      case 3:
        return Dump(Json(4));
      case 4:
        return Deep();
      case 5:
        return Cut(Dump(Envelope()));
      case 6:
        return Spoilt(Dump(Envelope()));
      default:
        return Dump(Envelope());
    }
  }

  // The same, of `bytes` and more.
  std::string LargeBody(size_t bytes) {
    nlohmann::json envelope = Envelope();
    envelope["error"] = std::string(bytes, 'e');
    envelope["other"] = Bytes(bytes);
    return Dump(envelope);
  }

  // Header lines, of which none says how long the body is.
  std::string Headers() {
    static const std::vector<std::string> lines = {
        "Content-Type: text/html\r\n",
        "Content-Type: application/json\r\n",
        "Content-Type:\r\n",
        "Retry-After: 30\r\n",
        "Retry-After: 99999999999999999999\r\n",
        "Retry-After: -1\r\n",
        "Retry-After: soon\r\n",
        "Retry-After: Sun, 06 Nov 2094 08:49:37 GMT\r\n",
        "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
        "retry-after:\t0 \r\nRetry-After: 2\r\n",
        "X-RateLimit-Remaining: 3\r\n",
        "X-RateLimit-Remaining: many\r\n",
        "Location: /elsewhere\r\n",
        "WWW-Authenticate: Basic realm=\"x\"\r\n",
        "Set-Cookie: a=b\r\n",
        "X-Odd: \xff\xfe\x01\r\n",
        "X-Long: " + std::string(4000, 'l') + "\r\n",
    };
    std::string headers;
    for (size_t count = Below(4); count > 0; --count) headers += lines[Below(lines.size())];
    return headers;
  }

  size_t Below(size_t bound) { return random_() % bound; }

 private:
  std::string Bytes(size_t count) {
    std::string bytes(count, '\0');
    for (char& byte : bytes) byte = static_cast<char>(Below(256));
    return bytes;
  }

  // A short text that may be anything to its reader.
  std::string Text() {
    static const std::vector<std::string> texts = {"",
                                                   "VALIDATION_ERROR",
                                                   "INVALID_STATE",
                                                   "DOCUMENT_REQUIRED",
                                                   "not a reason!",
                                                   "9LIVES",
                                                   "words",
                                                   "inners[0].someText",
                                                   "pictureBase64",
                                                   "X-Signed-By",
                                                   "a.b.c",
                                                   "30",
                                                   "1e300",
                                                   "-5",
                                                   "line\nbreak",
                                                   "\xc3\xa4\xf0\x9f\x98\x80",
                                                   std::string("\0", 1)};
    if (Below(8) == 0) return std::string(Below(1000), 'T');
    return texts[Below(texts.size())];
  }

  nlohmann::json Json(int depth) {
    switch (Below(depth > 0 ? 7 : 5)) {
      case 0:
        return nullptr;
      case 1:
        return Below(2) == 0;
      case 2:
        return static_cast<int64_t>(random_()) - (int64_t{1} << 31);
      case 3:
        return static_cast<double>(random_()) / 7;
      case 4:
        return Text();
      case 5: {
        nlohmann::json list = nlohmann::json::array();
        for (size_t count = Below(5); count > 0; --count) list.push_back(Json(depth - 1));
        return list;
      }
      default: {
        nlohmann::json object = nlohmann::json::object();
        for (size_t count = Below(5); count > 0; --count) object[Key()] = Json(depth - 1);
        return object;
      }
    }
  }

  std::string Key() {
    static const std::vector<std::string> keys = {
        "code",   "error", "message",    "detail",     "details",
        "errors", "field", "constraint", "retryAfter", "maxAttemptsPerDay",
        "items",  "total", "id",         "text",       "free"};
    return keys[Below(keys.size())];
  }

  // The shapes of upstream-api.md, 4.1, with a value of the wrong type here and there.
  nlohmann::json Envelope() {
    const auto value = [this]() -> nlohmann::json {
      return Below(6) == 0 ? Json(2) : nlohmann::json(Text());
    };
    switch (Below(7)) {
      case 0:
        return {{"code", value()},
                {"error", value()},
                {"details", {{"field", value()}, {"constraint", value()}}}};
      case 1:
        return {{"code", value()}, {"error", value()}, {"details", {{"retryAfter", Json(0)}}}};
      case 2:
        return {{"error", value()}};
      case 3:
        return {{"error", {{"code", value()}, {"message", value()}}}, {"detail", value()}};
      case 4: {
        nlohmann::json errors = nlohmann::json::array();
        for (size_t count = Below(40); count > 0; --count) {
          errors.push_back({{"field", value()}, {"message", value()}});
        }
        return {{"message", value()}, {"errors", std::move(errors)}};
      }
      case 5:
        return {
            {"details", {{Text(), value()}, {"text", value()}, {"maxAttemptsPerDay", Json(0)}}}};
      default:
        return {{"code", value()}, {"message", value()}, {"details", {Json(2)}}, {"request_id", 1}};
    }
  }

  // Beyond what simdjson takes, 1,024, but not beyond what the test's own parser can print with a
  // sanitizer's large stack frames.
  std::string Deep() {
    const size_t depth = Below(1500);
    const bool lists = Below(2) == 0;
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += lists ? "[" : R"({"error":)";
    text += "1";
    return text + std::string(depth, lists ? ']' : '}');
  }

  std::string Cut(std::string text) {
    text.resize(Below(text.size() + 1));
    return text;
  }

  std::string Spoilt(std::string text) {
    text[Below(text.size())] = static_cast<char>(Below(256));
    return text;
  }

  static std::string Dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::mt19937 random_;
};

}  // namespace idv
