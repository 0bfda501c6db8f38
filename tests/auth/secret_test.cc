#include "auth/secret.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace idv {
namespace {

class SecretTest : public testing::Test {
 protected:
  ~SecretTest() override { unlink(path_.c_str()); }

  void Write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  const std::string path_ = testing::TempDir() + "/secret_test_" + std::to_string(getpid());
};

TEST_F(SecretTest, ReadsAFileAndDropsOneNewline) {
  Write("test_sk_1\n");

  EXPECT_EQ(ReadSecretFile(path_)->value(), "test_sk_1");
}

TEST_F(SecretTest, RefusesWhatCannotStandInAHeaderAndNeverShowsIt) {
  for (const std::string text :
       {"", "\n", "canary\n\n", "can ary", "canary\r\nX-Evil: 1", "canary\xc3\xa4"}) {
    Write(text);

    const auto secret = ReadSecretFile(path_);

    EXPECT_EQ(secret.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(secret.status().ToString().find("canary"), std::string::npos);
    EXPECT_NE(secret.status().ToString().find(path_), std::string::npos);
  }
}

TEST_F(SecretTest, BoundsItsLength) {
  Write(std::string(4096, 'k'));
  EXPECT_EQ(ReadSecretFile(path_)->value().size(), 4096U);

  for (const size_t size : {4097U, 4098U, 5000U}) {
    Write(std::string(size, 'k'));
    EXPECT_EQ(ReadSecretFile(path_).status().code(), absl::StatusCode::kInvalidArgument) << size;
  }
}

TEST_F(SecretTest, NamesAFileThatCannotBeRead) {
  EXPECT_EQ(ReadSecretFile("/no/such/file").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(ReadSecretFile(testing::TempDir()).ok());
}

TEST_F(SecretTest, TakesAVariableAndWipesItFromTheEnvironment) {
  setenv("SECRET_TEST_KEY", "canary-in-the-environment", 1);
  const char* const value = std::getenv("SECRET_TEST_KEY");

  const auto secret = TakeSecretFromEnvironment("SECRET_TEST_KEY");

  EXPECT_EQ(secret->value(), "canary-in-the-environment");
  EXPECT_EQ(std::getenv("SECRET_TEST_KEY"), nullptr);
  EXPECT_EQ(*value, '\0');
  for (char** variable = environ; *variable != nullptr; ++variable) {  // what a child would get
    EXPECT_EQ(std::string(*variable).find("canary"), std::string::npos);
  }
}

TEST_F(SecretTest, NamesAVariableThatIsNotSet) {
  const auto secret = TakeSecretFromEnvironment("SECRET_TEST_NOT_SET");

  EXPECT_EQ(secret.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(secret.status().ToString().find("SECRET_TEST_NOT_SET"), std::string::npos);
}

}  // namespace
}  // namespace idv
