#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace idv {

// A request to a server that holds keys: an issuer of tokens, or a secrets store.
struct FetchRequest {
  // https:// or http://.
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  // Sent by POST; nothing: GET.
  std::optional<std::string> json;
  // PEM; empty: the system's authorities.
  std::string ca_file;
};

struct FetchResponse {
  int status = 0;
  std::string body;
};

inline constexpr std::chrono::seconds kFetchTimeout{5};
inline constexpr size_t kMaxFetchBytes = size_t{1} << 20;

// Sends requests and waits for their responses. Connections are kept and used again. For one thread
// at a time. curl_global_init() must have run.
class Fetcher {
 public:
  Fetcher();

  // The whole response, whatever its status. Redirects are not followed, proxies of the environment
  // not used. kUnavailable: no response within kFetchTimeout, no trust in the server's certificate,
  // or over kMaxFetchBytes; the text does not name the URL.
  absl::StatusOr<FetchResponse> Fetch(const FetchRequest& request);

 private:
  struct Freer {
    void operator()(void* easy) const;
  };
  const std::unique_ptr<void, Freer> easy_;  // libcurl's
};

}  // namespace idv
