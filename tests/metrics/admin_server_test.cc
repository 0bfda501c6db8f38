#include "metrics/admin_server.h"

#include <absl/strings/str_cat.h>
#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>

namespace idv {
namespace {

using Request = AdminServer::Request;

// Headers and body of what it answers.
std::string Get(const AdminServer& server, const std::string& path) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  std::string answer;
  const auto append = [](char* data, size_t size, size_t count, void* text) -> size_t {
    static_cast<std::string*>(text)->append(data, size * count);
    return size * count;
  };
  curl_easy_setopt(curl.get(), CURLOPT_URL,
                   absl::StrCat("http://", server.address(), path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_HEADER, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, +append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  EXPECT_EQ(curl_easy_perform(curl.get()), CURLE_OK);
  return answer;
}

TEST(AdminServerTest, GivesThePageItsQuery) {
  auto server = AdminServer::Start("127.0.0.1:0",
                                   {{"/page", [](const Request& request) {
                                       return AdminServer::Page{.body = "<" + request.query + ">"};
                                     }}});
  ASSERT_TRUE(server.ok()) << server.status();

  EXPECT_THAT(Get(**server, "/page?format=json&x=%20"), testing::EndsWith("<format=json&x=%20>"));
  EXPECT_THAT(Get(**server, "/page?"), testing::EndsWith("<>"));
  EXPECT_THAT(Get(**server, "/page"), testing::EndsWith("<>"));
}

TEST(AdminServerTest, ReadsOneParameterOfAQuery) {
  const Request request{"a=1&format=j%73on+x&format=html&empty=&bare"};
  EXPECT_EQ(request.Parameter("a"), "1");
  EXPECT_EQ(request.Parameter("format"), "json x");
  EXPECT_EQ(request.Parameter("empty"), "");
  EXPECT_EQ(request.Parameter("orma"), std::nullopt);
  EXPECT_EQ(Request{""}.Parameter("format"), std::nullopt);
  EXPECT_EQ(Request{"format=" + std::string(3000, 'x')}.Parameter("format"),
            std::string(3000, 'x'));
}

TEST(AdminServerTest, LetsHtmlHaveItsOwnStylesOnly) {
  const auto page_of = [](const char* type) {
    return [type](const Request&) { return AdminServer::Page{.content_type = type, .body = "b"}; };
  };
  auto server =
      AdminServer::Start("127.0.0.1:0", {{"/html", page_of("text/html; charset=utf-8")},
                                         {"/text", page_of("text/plain; charset=utf-8")}});
  ASSERT_TRUE(server.ok()) << server.status();

  EXPECT_THAT(Get(**server, "/html"),
              testing::HasSubstr("\r\nContent-Security-Policy: default-src 'none'; "
                                 "style-src 'unsafe-inline'\r\n"));
  EXPECT_THAT(Get(**server, "/text"), testing::Not(testing::HasSubstr("Security")));
  EXPECT_THAT(Get(**server, "/text"), testing::EndsWith("\r\n\r\nb"));
}

}  // namespace
}  // namespace idv
