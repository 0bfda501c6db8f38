#pragma once

#include <absl/strings/string_view.h>
#include <sys/types.h>

#include <optional>
#include <string>

namespace idv {

// What the texts of a configuration may be.

// The parts of a URL that matter here.
struct Url {
  // Nothing for what is no URL.
  static std::optional<Url> Parse(const std::string& text);

  std::string scheme;
  std::string host;
  bool has_extras = false;  // user, query or fragment
};

// Whether the host, an address or "localhost", is this machine.
bool IsLoopback(absl::string_view host);

// Of "HOST:PORT", the host of an IPv6 address in brackets; nothing for what is none.
std::optional<std::string> HostOf(absl::string_view address);

// "unix:...".
bool IsUnixAddress(absl::string_view address);

// 8-4-4-4-12 hexadecimal digits.
bool IsUuid(absl::string_view text);

// "sha256//" and 32 bytes in base64, as curl writes them: it compares the texts.
bool IsPin(absl::string_view text);

// Three or four octal digits.
std::optional<mode_t> ParseMode(absl::string_view text);

// 1 to 63 lower-case letters, digits, '-' or '_'.
bool IsName(absl::string_view text);

// 1 to 63 characters that stand in JSON as they are.
bool IsJsonKey(absl::string_view text);

// Segments that stand in a URL as they are, without a '/' around them.
bool IsUrlPath(absl::string_view text);

}  // namespace idv
