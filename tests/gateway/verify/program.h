#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace idv::verify {

// What a program left behind.
struct Outcome {
  int exit_code = -1;  // -1: it did not end by itself
  std::string out;
  std::string err;
  std::chrono::milliseconds took{};
};

// Runs idv-verify.
Outcome Verify(const std::vector<std::string>& arguments);

// The same, with a terminal of so many columns for its stderr; that is in `err` as it was written.
Outcome VerifyOnTerminal(const std::vector<std::string>& arguments, int columns);

// Runs a program (a path, or a name to look up) with these arguments and waits for its end.
Outcome RunProgram(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace idv::verify
