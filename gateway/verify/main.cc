// Runs one whole verification against a gateway, through the public contract alone, and prints each
// step.

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "gateway/verify/channel.h"
#include "gateway/verify/json_report.h"
#include "gateway/verify/options.h"
#include "gateway/verify/person_report.h"
#include "gateway/verify/progress_bar.h"
#include "gateway/verify/session.h"
#include "gateway/verify/steps.h"

namespace idv::verify {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsScreen(int file) { return isatty(file) != 0 && Environment("TERM") != "dumb"; }

// See https://no-color.org.
bool WantsColours() { return IsScreen(STDOUT_FILENO) && Environment("NO_COLOR").empty(); }

std::optional<ProgressBar> MakeBar() {
  if (!IsScreen(STDERR_FILENO)) return std::nullopt;
  return ProgressBar(std::cerr, STDERR_FILENO);
}

std::unique_ptr<Report> MakeReport(bool json) {
  if (json) return std::make_unique<JsonReport>(std::cout);
  return std::make_unique<PersonReport>(std::cout, std::cerr, WantsColours(), MakeBar());
}

int Main(int argc, const char* const* argv) {
  const auto parsed = ParseOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<Options>(parsed);

  // The report tells what went wrong; gRPC's own log only when somebody asks for it.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const auto report = MakeReport(options.json);
  const Session session(options, MakeChannel(options.target, options.tls));
  return static_cast<int>(Steps(options, session, *report).Run());
}

}  // namespace
}  // namespace idv::verify

int main(int argc, char** argv) { return idv::verify::Main(argc, argv); }
