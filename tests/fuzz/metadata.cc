#include "gateway/metadata.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>
#include <grpcpp/test/server_context_test_spouse.h>

#include <algorithm>
#include <map>

#include "tests/fuzz/target.h"

namespace idv::fuzz {
namespace {

using Metadata = std::multimap<std::string, std::string>;

constexpr size_t kMaxEntries = 16;  // gRPC's test class copies all with every one

Metadata MetadataIn(absl::string_view bytes) {
  Metadata metadata;
  for (const absl::string_view line : absl::StrSplit(bytes, '\n', absl::SkipEmpty())) {
    if (metadata.size() == kMaxEntries) break;
    const std::pair<absl::string_view, absl::string_view> entry =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    // A name is a C string to gRPC's test class.
    metadata.emplace(entry.first.substr(0, entry.first.find('\0')), entry.second);
  }
  return metadata;
}

bool IsUsable(absl::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

std::string CheckRequestId(const Metadata& metadata, const grpc::ServerContext& context) {
  const auto given = metadata.find("x-request-id");
  const std::string id = RequestIdOf(context);

  if (!IsUsable(id)) return "an unusable request id";
  const bool takes_given = given != metadata.end() && IsUsable(given->second);
  if (takes_given && id != given->second) return "the caller's request id is not taken";
  if (!takes_given && id.size() != 32) return "the gateway's own request id has another length";
  if (!takes_given && id == RequestIdOf(context)) return "the gateway's own request id twice";
  return "";
}

std::string CheckTenant(const Metadata& metadata, const grpc::ServerContext& context) {
  const size_t given = metadata.count("x-idv-tenant");
  const absl::StatusOr<std::string> tenant = AskedTenantOf(context);

  if (tenant.ok() != (given < 2)) return "a tenant of several, or none of one";
  if (!tenant.ok()) return "";
  const std::string expected = given == 0 ? "" : metadata.find("x-idv-tenant")->second;
  return *tenant == expected ? "" : "another tenant than the caller's";
}

}  // namespace

std::string CheckMetadata(absl::string_view bytes) {
  const Metadata metadata = MetadataIn(bytes);
  grpc::ServerContext context;
  grpc::testing::ServerContextTestSpouse spouse(&context);
  for (const auto& [name, value] : metadata) spouse.AddClientMetadata(name, value);

  std::string broken = CheckRequestId(metadata, context);
  return broken.empty() ? CheckTenant(metadata, context) : broken;
}

}  // namespace idv::fuzz
