#include "metrics/admin_server.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <civetweb.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace idv {
namespace {

constexpr std::chrono::milliseconds kStopPoll{5};

constexpr int kNotFound = 404;
constexpr int kMethodNotAllowed = 405;

constexpr char kHtmlPolicy[] =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n";

int Send(mg_connection* connection, const AdminServer::Page& page, bool with_body) {
  const std::string head = absl::StrCat(
      "HTTP/1.1 ", page.status, " ", mg_get_response_code_text(connection, page.status),
      "\r\nContent-Type: ", page.content_type, "\r\nContent-Length: ", page.body.size(),
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
      absl::StartsWith(page.content_type, "text/html") ? kHtmlPolicy : "",
      "Connection: close\r\n\r\n");
  mg_write(connection, head.data(), head.size());
  if (with_body) mg_write(connection, page.body.data(), page.body.size());
  return page.status;
}

}  // namespace

std::optional<std::string> AdminServer::Request::Parameter(const std::string& name) const {
  std::vector<char> value(query.size() + 1);
  const int length =
      mg_get_var(query.data(), query.size(), name.c_str(), value.data(), value.size());
  if (length < 0) return std::nullopt;
  return std::string(value.data(), static_cast<size_t>(length));
}

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& address,
                                                                Pages pages) {
  std::unique_ptr<AdminServer> server(new AdminServer(std::move(pages)));
  // civetweb serves files if it is left to: it has no folder, and every request is answered here.
  const std::array<const char*, 9> options = {"listening_ports",
                                              address.c_str(),
                                              "num_threads",
                                              "4",
                                              "request_timeout_ms",
                                              "5000",
                                              "enable_directory_listing",
                                              "no",
                                              nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = &AdminServer::OnRequest;
  // civetweb writes what is wrong to stderr else.
  callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
  server->context_ =
      mg_start(&callbacks, server.get(), const_cast<const char**>(options.data()));  // NOLINT
  if (server->context_ == nullptr) {
    return absl::UnavailableError(absl::StrCat(address, " cannot be listened on"));
  }
  std::array<mg_server_port, 1> ports{};
  mg_get_server_ports(server->context_, static_cast<int>(ports.size()), ports.data());
  server->address_ = absl::StrCat(address.substr(0, address.rfind(':')), ":", ports[0].port);
  return server;
}

// civetweb looks only every two seconds whether it is to stop, or when somebody connects.
AdminServer::~AdminServer() {
  if (context_ == nullptr) return;
  std::atomic<bool> has_stopped = false;
  std::thread stopping([&] {
    mg_stop(context_);
    has_stopped = true;
  });
  const size_t colon = address_.rfind(':');
  const bool is_any = absl::StartsWith(address_, "0.0.0.0:");
  const std::string host = is_any ? "127.0.0.1" : address_.substr(0, colon);
  const int port = std::stoi(address_.substr(colon + 1));
  while (!has_stopped) {
    std::array<char, 64> error{};
    mg_connection* const connection =
        mg_connect_client(host.c_str(), port, /*use_ssl=*/0, error.data(), error.size());
    if (connection != nullptr) mg_close_connection(connection);
    std::this_thread::sleep_for(kStopPoll);
  }
  stopping.join();
}

int AdminServer::OnRequest(mg_connection* connection) {
  const mg_request_info& request = *mg_get_request_info(connection);
  const auto& pages = static_cast<AdminServer*>(request.user_data)->pages_;
  const std::string verb = request.request_method;
  const bool is_head = verb == "HEAD";
  if (verb != "GET" && !is_head) {
    return Send(connection, {.status = kMethodNotAllowed, .body = "only GET and HEAD\n"}, true);
  }
  const auto page = pages.find(request.local_uri);
  if (page == pages.end()) {
    std::string known = "there is no such page; there are:\n";
    for (const auto& [path, make] : pages) absl::StrAppend(&known, path, "\n");
    return Send(connection, {.status = kNotFound, .body = std::move(known)}, !is_head);
  }
  const Request asked{request.query_string == nullptr ? "" : request.query_string};
  return Send(connection, page->second(asked), !is_head);
}

}  // namespace idv
