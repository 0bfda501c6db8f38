#pragma once

#include <absl/strings/string_view.h>

#include <array>
#include <ostream>
#include <string>

namespace idv::fuzz {

// Something that reads bytes of others, and what must hold for it whatever the bytes. libFuzzer
// looks for bytes for which it does not (run.sh); a test tries the seed corpora (replay_test.cc).
struct Target {
  // Its seeds are in tests/fuzz/corpus/NAME/.
  absl::string_view name;
  // What is broken, for a person; empty when all holds. For one thread: some keep buffers.
  std::string (*check)(absl::string_view bytes);
};

// For GoogleTest.
inline void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

// An answer of the upstream, to every RPC.
std::string CheckDecode(absl::string_view bytes);
// A request message of the RPC that the first byte chooses, in protobuf's wire format.
std::string CheckEncode(absl::string_view bytes);
// A failed answer: see error_body.cc for its form.
std::string CheckErrorBody(absl::string_view bytes);
// A FileDescriptorProto in protobuf's text format, whose RPCs become routes.
std::string CheckRoute(absl::string_view bytes);
// A configuration file.
std::string CheckConfig(absl::string_view bytes);
// A Retry-After header and an RFC 3339 time.
std::string CheckTime(absl::string_view bytes);
// A caller's metadata: a line "name: value" each.
std::string CheckMetadata(absl::string_view bytes);
// An offset and a length, two bytes each, and the bytes to encode.
std::string CheckBase64(absl::string_view bytes);
// A bearer token: its header, its claims and its signature, a line each, as they are before base64.
std::string CheckToken(absl::string_view bytes);
// A JSON Web Key Set.
std::string CheckKeySet(absl::string_view bytes);

inline constexpr std::array kTargets = {
    Target{"decode", CheckDecode},        Target{"encode", CheckEncode},
    Target{"error_body", CheckErrorBody}, Target{"route", CheckRoute},
    Target{"config", CheckConfig},        Target{"time", CheckTime},
    Target{"metadata", CheckMetadata},    Target{"base64", CheckBase64},
    Target{"token", CheckToken},          Target{"key_set", CheckKeySet},
};

}  // namespace idv::fuzz
