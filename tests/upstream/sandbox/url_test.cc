#include "upstream/sandbox/url.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

TEST(UrlTest, TakesHttpAndHttpsApart) {
  struct Row {
    const char* text;
    bool is_https;
    const char* host;
    const char* port;
    const char* target;
  };
  for (const Row& row : {
           Row{"http://kyc.test", false, "kyc.test", "80", "/"},
           Row{"HTTPS://kyc.test/", true, "kyc.test", "443", "/"},
           Row{"https://kyc.test:8443/a/b?c=d/e#f", true, "kyc.test", "8443", "/a/b?c=d/e"},
           Row{"http://kyc.test?c=d", false, "kyc.test", "80", "/?c=d"},
           Row{"http://127.0.0.1:81/x", false, "127.0.0.1", "81", "/x"},
           Row{"http://[::1]:81/x", false, "::1", "81", "/x"},
           Row{"http://[::1]", false, "::1", "80", "/"},
       }) {
    const auto url = ParseUrl(row.text);

    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->is_https, row.is_https) << row.text;
    EXPECT_EQ(url->host, row.host) << row.text;
    EXPECT_EQ(url->port, row.port) << row.text;
    EXPECT_EQ(url->target, row.target) << row.text;
  }
}

TEST(UrlTest, RefusesOtherTexts) {
  for (const char* const text :
       {"", "kyc.test", "ftp://kyc.test", "http://", "http:///x", "http://:80/", "https://?x",
        "http://me@kyc.test/", "http://kyc.test:x/", "http://kyc.test:123456/", "http://[::1",
        "http://[::1]x/", "http://kyc.test/a b", "http://kyc.test/\r\nX: y"}) {
    EXPECT_FALSE(ParseUrl(text)) << text;
  }
}

TEST(UrlTest, NamesTheHostAndPort) {
  EXPECT_EQ(ParseUrl("https://kyc.test")->Authority(), "kyc.test:443");
  EXPECT_EQ(ParseUrl("http://[::1]:81")->Authority(), "[::1]:81");
}

}  // namespace
}  // namespace idv::sandbox
