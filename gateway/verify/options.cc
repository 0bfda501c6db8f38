#include "gateway/verify/options.h"

#include <absl/status/status.h>
#include <absl/strings/str_format.h>
#include <absl/time/time.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <random>

#include "gateway/verify/file.h"
#include "gateway/verify/frame_flags.h"
#include "gateway/verify/sample_picture.h"
#include "gateway/verify/text.h"

namespace idv::verify {
namespace {

constexpr int kMistake = 2;

struct Files {
  std::string token;
  std::string roots;
  std::string certificate;
  std::string key;
  std::string image;
};

absl::Status Mistake(const std::string& text) { return absl::InvalidArgumentError(text); }

// In a sandbox, the prefix makes the verification succeed; the rest keeps subjects apart.
std::string RandomExternalId() {
  std::random_device random;
  return absl::StrFormat("test-approve-%08x", random());
}

void DescribeFlags(CLI::App& app, Options& options, Files& files, FrameFlags& frames) {
  app.set_version_flag("--version", std::string("idv-verify ") + IDV_VERSION,
                       "Print the version and exit");
  app.add_option("--target", options.target, "The gateway: HOST:PORT or unix:/PATH")
      ->capture_default_str();
  app.add_option("--tenant", options.tenant, "Which of the caller's tenants to act for");
  app.add_option("--external-id", options.external_id,
                 "The id of the subject [test-approve-<random>]");
  app.add_option("--token-file", files.token, "A file with the caller's token");
  app.add_option("--tls-ca", files.roots, "PEM certificates to trust; turns TLS on");
  app.add_option("--tls-cert", files.certificate, "The caller's PEM certificate; turns TLS on");
  app.add_option("--tls-key", files.key, "The key of --tls-cert");
  app.add_option("--image", files.image, "The picture for all uploads [a small built-in JPEG]");
  DescribeFrameFlags(app, frames);
  app.add_option("--document-type", options.document_type, "A code as of ListDocumentTypes")
      ->capture_default_str();
  app.add_option("--country", options.country, "The issuing country, ISO 3166-1 alpha-2");
  app.add_option("--timeout", options.timeout_text, "For everything together: 500ms, 60s, 2m")
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print one JSON object a line instead of a table");
}

absl::Status ReadTimeout(Options& options) {
  absl::Duration timeout;
  if (!absl::ParseDuration(options.timeout_text, &timeout)) {
    return Mistake("--timeout: '" + options.timeout_text +
                   "' is no duration such as 500ms, 60s or 2m");
  }
  if (timeout <= absl::ZeroDuration() || timeout > absl::Hours(24)) {
    return Mistake("--timeout: '" + options.timeout_text + "' is not between 0 and 24h");
  }
  options.timeout = absl::ToChronoNanoseconds(timeout);
  return absl::OkStatus();
}

// Replaces `content` with what is in the file, if one is named.
absl::Status ReadInto(std::string& content, const std::string& flag, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  auto file = ReadFile(path);
  if (!file.ok()) return Mistake(flag + ": " + std::string(file.status().message()));
  content = *std::move(file);
  return absl::OkStatus();
}

absl::Status ReadTls(const Files& files, Tls& tls) {
  if (files.certificate.empty() != files.key.empty()) {
    return Mistake("--tls-cert and --tls-key go together");
  }
  tls.enabled = !files.roots.empty() || !files.certificate.empty();
  if (auto read = ReadInto(tls.roots, "--tls-ca", files.roots); !read.ok()) return read;
  if (auto read = ReadInto(tls.certificate, "--tls-cert", files.certificate); !read.ok()) {
    return read;
  }
  return ReadInto(tls.key, "--tls-key", files.key);
}

absl::Status ReadToken(const Files& files, std::string& token) {
  if (files.token.empty()) return absl::OkStatus();
  if (auto read = ReadInto(token, "--token-file", files.token); !read.ok()) return read;
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  if (!FitsMetadata(token)) return Mistake("--token-file: holds no token of printable ASCII");
  return absl::OkStatus();
}

absl::Status Complete(Options& options, const Files& files, const FrameFlags& frames) {
  if (options.target.empty()) return Mistake("--target: is empty");
  if (!options.tenant.empty() && !FitsMetadata(options.tenant)) {
    return Mistake("--tenant: takes printable ASCII only");
  }
  if (auto read = ReadTimeout(options); !read.ok()) return read;
  const auto plan = ReadFramePlan(frames);
  if (!plan.ok()) return plan.status();
  options.frames = *plan;
  if (auto read = ReadTls(files, options.tls); !read.ok()) return read;
  if (auto read = ReadToken(files, options.token); !read.ok()) return read;
  if (options.external_id.empty()) options.external_id = RandomExternalId();
  options.image = SamplePicture();
  return ReadInto(options.image, "--image", files.image);
}

int Refuse(const std::string& mistake) {
  std::cerr << "idv-verify: " << OneLine(mistake) << " (see --help)\n";
  return kMistake;
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  Files files;
  FrameFlags frames;
  CLI::App app("Runs one whole identity verification through the gateway and prints each step.",
               "idv-verify");
  app.footer(
      "Exit code: 0 VERIFIED, 1 another decision, 2 no decision (a failed call, a timeout, a bad "
      "flag).");
  DescribeFlags(app, options, files, frames);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return Refuse(error.what());
  }
  if (auto complete = Complete(options, files, frames); !complete.ok()) {
    return Refuse(std::string(complete.message()));
  }
  return options;
}

}  // namespace idv::verify
