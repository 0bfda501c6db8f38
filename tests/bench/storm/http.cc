#include "tests/bench/storm/http.h"

#include <curl/curl.h>

#include <memory>

#include "tests/bench/stage.h"

namespace idv::bench::storm {
namespace {

size_t AppendTo(char* data, size_t size, size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Headers ToList(const std::vector<std::string>& lines) {
  curl_slist* list = nullptr;
  for (const std::string& line : lines) list = curl_slist_append(list, line.c_str());
  return {list, &curl_slist_free_all};
}

}  // namespace

HttpAnswer SendHttp(const std::string& method, const std::string& url, const std::string& body,
                    const std::vector<std::string>& headers) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  const Headers list = ToList(headers);
  std::string text;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT, 30L);
  if (!body.empty()) curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &AppendTo);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &text);
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) throw Broken(method + " " + url + ": " + curl_easy_strerror(code));
  HttpAnswer answer;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  answer.body = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return answer;
}

}  // namespace idv::bench::storm
