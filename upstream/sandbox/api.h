#ifndef UPSTREAM_SANDBOX_API_H_
#define UPSTREAM_SANDBOX_API_H_

#include <string>
#include <string_view>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/image_storage.h"
#include "upstream/sandbox/rate_limiter.h"
#include "upstream/sandbox/store.h"
#include "upstream/sandbox/tenants.h"

namespace idv::sandbox {

// The vendor's REST API as a function from request to response: routes, header checks, rate limits,
// validation.
// Also what the URLs of images lead to. Knows nothing of sockets, faults or clocks. Borrows its
// arguments; belongs to the store's thread.
class Api {
 public:
  Api(const Tenants& tenants, Store& store, const ImageStorage& images)
      : tenants_(tenants), store_(store), images_(images) {}

  // Always an answer, errors as in upstream-api.md section 4. In this order: an unknown route 404,
  // a wrong method 405, no or unknown key 401, no tenant 400, another tenant's key 403, over the
  // limit of the tenant's plan 429, a missing scope 403, no reviewer 400; then what is wrong with
  // the body 400; then what the store says. From the limit on every answer has its headers. Of
  // images in `body`, the stand-ins of ImageFolding will do.
  Response Handle(const RequestHead& head, std::string_view body, Time now);

  // Forgets every record, and what of the limits is used up.
  void Reset();

  // Whether bodies of that route bear images, so that ImageFolding is to be used on them.
  static bool CarriesImages(const RequestHead& head);

  // "POST /verifications/*/selfie"; empty for a request to no endpoint.
  static std::string EndpointOf(const RequestHead& head);
  static bool IsEndpoint(std::string_view name);

  // The externalId that a request is about; empty for none. For faults on certain subjects only.
  std::string ExternalIdOf(const RequestHead& head, std::string_view body) const;

 private:
  const Tenants& tenants_;
  Store& store_;
  const ImageStorage& images_;
  RateLimiter limiter_;
  RateLimiter report_limiter_;
};

// The key behind "Bearer "; a bare key, as an early SDK sends it, is none (the docs demand Bearer).
std::string BearerKey(const RequestHead& head);

// The path of a request as faults see it: below the API's base, or else whole.
std::string_view FaultPath(const RequestHead& head);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_API_H_
