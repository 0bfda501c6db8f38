// What the gateway gives away of its keys and of its callers' data: nothing, wherever one looks.

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/size.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/process.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {
namespace {

using chaos::kIsInstrumented;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

// Lets the programs that this one starts leave cores, in that directory.
class CoresWanted {
 public:
  explicit CoresWanted(const std::string& directory) {
    getrlimit(RLIMIT_CORE, &limit_before_);
    rlimit limit = limit_before_;
    limit.rlim_cur = limit.rlim_max;
    EXPECT_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
    std::filesystem::current_path(directory);
  }
  ~CoresWanted() {
    setrlimit(RLIMIT_CORE, &limit_before_);
    std::filesystem::current_path(directory_before_);
  }
  CoresWanted(const CoresWanted&) = delete;
  CoresWanted& operator=(const CoresWanted&) = delete;

 private:
  rlimit limit_before_{};
  const std::filesystem::path directory_before_ = std::filesystem::current_path();
};

TEST(CoreTest, AnAbortLeavesNone) {
  const Sandbox sandbox;
  const TempDir dir;
  const CoresWanted wanted(dir.Path(""));
  Gateway gateway(sandbox);
  const std::string limits = ProcFile(gateway.process().pid(), "limits");

  gateway.process().Signal(SIGABRT);

  EXPECT_EQ(gateway.process().WaitForSignal(), SIGABRT);
  for (const auto& file : std::filesystem::directory_iterator(dir.Path(""))) {
    ADD_FAILURE() << "there is " << file.path();
  }
  EXPECT_THAT(limits, ContainsRegex("Max core file size +0 +0 "));
}

// A program without any capability, even if its user is root.
std::unique_ptr<Process> RunWithoutRights(const std::vector<std::string>& command) {
  std::vector<std::string> arguments = {"--no-new-privs"};
  if (geteuid() == 0) {
    arguments.insert(arguments.end(), {"--bounding-set=-all", "--inh-caps=-all"});
  }
  arguments.insert(arguments.end(), command.begin(), command.end());
  return std::make_unique<Process>("/usr/bin/setpriv", arguments);
}

// The environment of a process, as others of its user see it.
std::string SeenEnvironment(const Process& process) {
  const std::string file = "/proc/" + std::to_string(process.pid()) + "/environ";
  const auto cat = RunWithoutRights({"cat", file});
  cat->Wait();
  return cat->Out();
}

// Which is known by its being hidden from others of its user, proc(5).
TEST(CoreTest, TheKernelPipesNoneToAnyProgram) {
  const TempDir dir;
  Json config = BasicConfig("http://127.0.0.1:9/api/v1/idv");
  config["tenants"][0]["api_key"] = {{"file", dir.Write("key", kApiKey)}};
  const auto sleep = RunWithoutRights({"sleep", "60"});
  const auto gateway =
      RunWithoutRights({GatewayProgram(), "--config", dir.Write("gateway.yaml", config.dump())});
  ASSERT_EQ(gateway->OutLines(1).size(), 1U) << gateway->Err();

  EXPECT_THAT(SeenEnvironment(*sleep), HasSubstr("PATH="));
  if (kIsInstrumented) return;  // it hides nothing then
  EXPECT_THAT(SeenEnvironment(*gateway), IsEmpty());
}

}  // namespace
}  // namespace idv::e2e
