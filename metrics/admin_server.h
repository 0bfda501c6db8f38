#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

struct mg_connection;  // NOLINT: the names are of civetweb
struct mg_context;

namespace idv {

// The HTTP pages for operators and for what watches the gateway, on threads of its own.
class AdminServer {
 public:
  struct Page {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
  };
  struct Request {
    // What followed the first `?` of the URL, still encoded.
    std::string query;

    // Of the query's first parameter of that name, decoded; nothing if there is none.
    std::optional<std::string> Parameter(const std::string& name) const;
  };
  // By path. Called on any thread, by several at once.
  using Pages = std::map<std::string, std::function<Page(const Request&)>>;

  // Listens on "HOST:PORT"; port 0 takes a free one. GET and HEAD are answered. Browsers are told
  // to load and run nothing for HTML but its inline styles. kUnavailable: it cannot be listened on;
  // the text names it.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const std::string& address,
                                                            Pages pages);
  // Waits for the requests that are being answered.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // With the real port.
  const std::string& address() const { return address_; }

 private:
  explicit AdminServer(Pages pages) : pages_(std::move(pages)) {}
  static int OnRequest(mg_connection* connection);

  const Pages pages_;
  std::string address_;
  mg_context* context_ = nullptr;
};

}  // namespace idv
