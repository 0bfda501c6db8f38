#include "upstream/sandbox/image_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using testing::StartsWith;

class ImageStorageTest : public testing::Test {
 protected:
  // The path and query of a URL for a selfie.
  std::string SignedTarget() const {
    const RequestHead request{"GET", "/", "", {{"host", "kora.test:81"}}};
    const std::string url = storage_.SignedUrl(request, "v-1", "selfie", StartOfTest());
    EXPECT_THAT(url, StartsWith("https://kora.test:81/storage/v-1/selfie.jpg?"));
    return url.substr(url.find("/storage/"));
  }

  Response Serve(const std::string& target, Time now = StartOfTest(),
                 const std::string& method = "GET") const {
    const std::size_t question = target.find('?');
    return storage_.Serve({method, target.substr(0, question), target.substr(question + 1), {}},
                          now);
  }

  const ImageStorage storage_{"https", "secret"};
};

TEST_F(ImageStorageTest, ServesAPictureToWhoeverHasTheUrl) {
  const Response response = Serve(SignedTarget());

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "image/jpeg");
  EXPECT_THAT(response.body, StartsWith("\xFF\xD8\xFF"));
  EXPECT_EQ(response.body.substr(response.body.size() - 2), "\xFF\xD9");
}

TEST_F(ImageStorageTest, ServesItForFifteenMinutes) {
  const std::string target = SignedTarget();

  EXPECT_EQ(
      Serve(target, StartOfTest() + ImageStorage::kUrlLifetime - std::chrono::seconds(1)).status,
      200);
  EXPECT_EQ(Serve(target, StartOfTest() + ImageStorage::kUrlLifetime).status, 400);
}

TEST_F(ImageStorageTest, RefusesWhatItDidNotSign) {
  const std::string target = SignedTarget();
  const auto with = [&target](const std::string& part, const std::string& other) {
    std::string changed = target;
    return changed.replace(changed.find(part), part.size(), other);
  };

  EXPECT_EQ(Serve(with("selfie", "document_front")).status, 403);
  EXPECT_EQ(Serve(with("v-1", "v-2")).status, 403);
  EXPECT_EQ(Serve(with("Expires=", "Expires=9")).status, 403);
  EXPECT_EQ(Serve(with("Signature=", "Signature=0")).status, 403);
  EXPECT_EQ(Serve(with("Signature=", "Other=")).status, 403);
  EXPECT_EQ(Serve("/storage/v-1/selfie.jpg?").status, 403);
}

TEST_F(ImageStorageTest, TakesNoOtherMethods) {
  EXPECT_EQ(Serve(SignedTarget(), StartOfTest(), "HEAD").status, 200);
  EXPECT_EQ(Serve(SignedTarget(), StartOfTest(), "PUT").status, 405);
}

}  // namespace
}  // namespace idv::sandbox
