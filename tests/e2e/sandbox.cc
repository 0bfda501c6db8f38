#include "tests/e2e/sandbox.h"

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>

namespace idv::e2e {
namespace {

std::vector<std::string> WithAddress(std::vector<std::string> flags, const std::string& host,
                                     int port) {
  flags.insert(flags.end(), {"--listen", host + ":" + std::to_string(port)});
  return flags;
}

size_t AppendTo(char* data, size_t size, size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

}  // namespace

Sandbox::Sandbox(std::vector<std::string> flags, int port, const std::string& host)
    : process_(IDV_SANDBOX_PATH, WithAddress(flags, host, port)) {
  constexpr std::string_view kListening = "listening on ";
  const std::vector<std::string> lines = process_.OutLines(1);
  if (lines.empty() || lines[0].rfind(kListening, 0) != 0) {
    ADD_FAILURE() << "the sandbox does not listen: " << process_.Err();
    return;
  }
  const bool speaks_tls = std::count(flags.begin(), flags.end(), "--tls-cert") > 0;
  root_url_ = (speaks_tls ? "https://" : "http://") + lines[0].substr(kListening.size());
}

int Sandbox::port() const { return std::stoi(root_url_.substr(root_url_.rfind(':') + 1)); }

void Sandbox::AddFault(const Json& fault) const {
  EXPECT_TRUE(Control("POST", "/__sandbox/faults", fault.dump()).contains("id")) << fault;
}

void Sandbox::ClearFaults() const { Control("DELETE", "/__sandbox/faults", ""); }

void Sandbox::AdvanceClock(std::chrono::seconds by) const {
  Control("POST", "/__sandbox/clock", Json{{"advance", std::to_string(by.count()) + "s"}}.dump());
}

Json Sandbox::Requests(const std::string& path_prefix) const {
  return Control("GET", "/__sandbox/requests?path_prefix=" + path_prefix, "")["requests"];
}

void Sandbox::ForgetRequests() const { Control("DELETE", "/__sandbox/requests", ""); }

Json Sandbox::AwaitRequest(const std::string& path_prefix, const std::string& outcome) const {
  Json requests;
  const bool came = WaitUntil([&] {
    requests = Requests(path_prefix);
    return requests.size() == 1 && requests[0]["outcome"] == outcome;
  });
  if (came) return requests[0];
  ADD_FAILURE() << "expected one " << outcome << " request below '" << path_prefix << "', not "
                << requests.dump(2);
  return Json::object();
}

Json Sandbox::Control(const std::string& method, const std::string& path,
                      const std::string& body) const {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 curl_easy_cleanup);
  CURL* const curl = easy.get();
  const std::string url = root_url_ + path;
  std::string answer;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  // Whatever certificate a test gave it.
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (!body.empty()) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &AppendTo);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  const CURLcode code = curl_easy_perform(curl);
  EXPECT_EQ(code, CURLE_OK) << method << " " << path << ": " << curl_easy_strerror(code);
  return Json::parse(answer, nullptr, /*allow_exceptions=*/false);
}

std::string Sha256(const std::string& bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text;
}

}  // namespace idv::e2e
