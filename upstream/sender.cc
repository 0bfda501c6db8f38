#include "upstream/sender.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <string>
#include <vector>

#include "upstream/http_client.h"

namespace idv {
namespace {

constexpr absl::string_view kAuthorization = "Authorization: Bearer ";

}  // namespace

Sender::Sender(absl::string_view tenant_id, absl::string_view api_key)
    : headers_(std::make_shared<const HeaderLines>(
          std::vector<std::string>{absl::StrCat(kAuthorization, api_key),
                                   absl::StrCat("X-Tenant-ID: ", tenant_id)},
          &HttpClient::CommonHeaders())) {}

absl::string_view Sender::api_key() const {
  return absl::StripPrefix(headers_->first()->data, kAuthorization);
}

}  // namespace idv
