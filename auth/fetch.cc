#include "auth/fetch.h"

#include <absl/strings/str_cat.h>
#include <curl/curl.h>
#include <openssl/crypto.h>

#include <cstring>

#include "auth/secret.h"

namespace idv {
namespace {

// Header lines, which are wiped when they go: there may be a token in them.
class Lines {
 public:
  Lines() = default;
  ~Lines() {
    for (curl_slist* line = first_; line != nullptr; line = line->next) {
      OPENSSL_cleanse(line->data, std::strlen(line->data));
    }
    curl_slist_free_all(first_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  void Add(std::string line) {
    first_ = curl_slist_append(first_, line.c_str());
    Wipe(line);
  }
  curl_slist* first() const { return first_; }

 private:
  curl_slist* first_ = nullptr;
};

size_t OnBody(char* data, size_t size, size_t count, void* body) {
  std::string& bytes = *static_cast<std::string*>(body);
  if (bytes.size() + size * count > kMaxFetchBytes) return 0;  // makes curl give up
  bytes.append(data, size * count);
  return size * count;
}

absl::Status ToStatus(CURLcode code) {
  switch (code) {
    case CURLE_WRITE_ERROR:
      return absl::UnavailableError("the answer is longer than 1 MiB");
    case CURLE_PEER_FAILED_VERIFICATION:
      return absl::UnavailableError("the server's certificate is not trusted");
    default:
      return absl::UnavailableError(curl_easy_strerror(code));
  }
}

}  // namespace

void Fetcher::Freer::operator()(void* easy) const { curl_easy_cleanup(easy); }

Fetcher::Fetcher() : easy_(curl_easy_init()) {}

absl::StatusOr<FetchResponse> Fetcher::Fetch(const FetchRequest& request) {
  curl_easy_reset(easy_.get());
  const auto set = [&](CURLoption option, auto value) {
    curl_easy_setopt(easy_.get(), option, value);
  };
  Lines lines;
  for (const auto& [name, value] : request.headers) lines.Add(absl::StrCat(name, ": ", value));
  if (request.json) {
    lines.Add("Content-Type: application/json");
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.json->size()));
    set(CURLOPT_POSTFIELDS, request.json->data());
  }
  FetchResponse response;
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTPHEADER, lines.first());
  set(CURLOPT_WRITEFUNCTION, &OnBody);
  set(CURLOPT_WRITEDATA, &response.body);
  set(CURLOPT_TIMEOUT, static_cast<long>(kFetchTimeout.count()));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_USERAGENT, "idv-gateway");
  if (!request.ca_file.empty()) set(CURLOPT_CAINFO, request.ca_file.c_str());

  const CURLcode code = curl_easy_perform(easy_.get());
  if (code != CURLE_OK) return ToStatus(code);
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace idv
