#ifndef TESTS_UPSTREAM_SANDBOX_CALLER_H_
#define TESTS_UPSTREAM_SANDBOX_CALLER_H_

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "upstream/sandbox/api.h"
#include "upstream/sandbox/json.h"
#include "upstream/sandbox/store.h"
#include "upstream/sandbox/tenants.h"

namespace idv::sandbox {

inline constexpr const char* kTenant = "550e8400-e29b-41d4-a716-446655440000";
inline constexpr const char* kOtherTenant = "11111111-2222-4333-8444-555555555555";

// Has a rate limit, the others do not.
inline constexpr const char* kLimitedTenant = "22222222-3333-4444-8555-666666666666";

inline IdGenerator CountingIds() {
  return [n = 0]() mutable { return "id-" + std::to_string(++n); };
}

// 2026-01-02T03:04:05Z.
inline Time StartOfTest() { return Time(std::chrono::seconds(1767323045)); }

struct Reply {
  int status;
  Json json;
};

// An API with two tenants, a clock that stands still unless moved, and a caller with every header
// right.
class Caller {
 public:
  Caller() : tenants_(MakeTenants()), store_(CountingIds()), api_(tenants_, store_, images_) {}

  Reply Get(const std::string& path) { return Send("GET", path, ""); }
  Reply Post(const std::string& path, const std::string& body = "") {
    return Send("POST", path, body);
  }

  // `path` is below /api/v1/idv and may have a query.
  Reply Send(const std::string& method, const std::string& path, const std::string& body) {
    return SendRaw(method, "/api/v1/idv" + path, body);
  }

  Reply SendRaw(const std::string& method, const std::string& target, const std::string& body) {
    last = Exchange(method, target, body);
    return {last.status, Json::parse(last.body)};
  }

  // For answers that are no JSON.
  Response Exchange(const std::string& method, const std::string& target,
                    const std::string& body = "") {
    const std::size_t question = target.find('?');
    RequestHead head{method, target.substr(0, question), "", headers};
    if (question != std::string::npos) head.query = target.substr(question + 1);
    return api_.Handle(head, body, now);
  }

  // The id of a new verification.
  std::string Create(const std::string& external_id) {
    return Post("/verifications", R"({"externalId":")" + external_id + R"("})").json["id"];
  }

  // One with a document, ready for /complete.
  std::string CreateWithDocument(const std::string& external_id) {
    std::string id = Create(external_id);
    Post("/verifications/" + id + "/document",
         R"({"documentType":"international_passport","imageBase64":"AA=="})");
    return id;
  }

  std::string StatusOf(const std::string& id) { return Get("/verifications/" + id).json["status"]; }

  void SetHeader(const std::string& name, const std::string& value) {
    RemoveHeader(name);
    headers.emplace_back(name, value);
  }

  void RemoveHeader(const std::string& name) {
    std::erase_if(headers, [&name](const auto& header) { return header.first == name; });
  }

  Api& api() { return api_; }

  Time now = StartOfTest();
  std::vector<std::pair<std::string, std::string>> headers = {
      {"authorization", "Bearer all"}, {"x-tenant-id", kTenant}, {"x-reviewer-id", "rev-1"}};
  Response last;

 private:
  static Tenants MakeTenants() {
    auto parsed = Tenants::Parse(R"(
tenants:
  - tenant_id: 550e8400-e29b-41d4-a716-446655440000
    keys:
      - {key: all, scopes: ["*"]}
      - {key: reader, scopes: ["verifications:read", "alerts:read", "reference:read"]}
      - {key: writer, scopes: ["verifications:write"]}
  - tenant_id: 11111111-2222-4333-8444-555555555555
    keys: [{key: other, scopes: ["*"]}]
  - tenant_id: 22222222-3333-4444-8555-666666666666
    plan: basic
    keys: [{key: limited, scopes: ["*"]}, {key: limited-reader, scopes: ["alerts:read"]}]
)");
    return std::get<Tenants>(std::move(parsed));
  }

  Tenants tenants_;
  Store store_;
  const ImageStorage images_{"http", "key of images"};
  Api api_;
};

}  // namespace idv::sandbox

#endif  // TESTS_UPSTREAM_SANDBOX_CALLER_H_
