#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "gateway/verify/frame_plan.h"

namespace idv::verify {

// What to prove to the gateway, and what to trust. Contents of PEM files; empty means not given.
struct Tls {
  bool enabled = false;
  std::string roots;
  std::string certificate;
  std::string key;
};

// What the command line asks for, with every file already read.
struct Options {
  std::string target = "127.0.0.1:8080";
  std::string tenant;  // empty: the gateway chooses, which it can when the caller has one tenant
  std::string external_id;
  std::string token;  // empty: none is sent
  Tls tls;
  std::string image;
  FramePlan frames;
  std::string document_type = "international_passport";
  std::string country;
  std::string timeout_text = "60s";
  std::chrono::nanoseconds timeout{};  // for everything together
  bool json = false;
};

// Reads the command line and the files it names. When there is nothing to run, that is the exit
// code instead, and what there was to say has been printed: 0 after --help and --version, 2 after a
// mistake (one line on stderr).
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace idv::verify
