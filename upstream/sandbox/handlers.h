#ifndef UPSTREAM_SANDBOX_HANDLERS_H_
#define UPSTREAM_SANDBOX_HANDLERS_H_

#include <string>
#include <string_view>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/image_storage.h"
#include "upstream/sandbox/store.h"

namespace idv::sandbox {

// A request that may be served: the route is known and the headers were checked.
struct Call {
  Store& store;
  const ImageStorage& images;
  const RequestHead& head;
  std::string_view body;
  std::string_view tenant_id;
  std::string reviewer;    // empty unless the route demands one
  std::string id;          // the first variable of the path: of a verification, subject or alert
  std::string image_type;  // the second
  Time now;

  Ref Target() const { return {tenant_id, id, now}; }
};

// One function per endpoint, upstream-api.md section 9 in its order.
Response CreateVerification(const Call& call);
Response GetVerification(const Call& call);
Response ListSubjectVerifications(const Call& call);
Response CompleteVerification(const Call& call);
Response ReviewVerification(const Call& call);
Response UploadDocument(const Call& call);
Response UploadDocumentBack(const Call& call);
Response UploadSelfie(const Call& call);
Response CreateLivenessSession(const Call& call);
Response SubmitLivenessChallenge(const Call& call);
Response SubmitLivenessFrames(const Call& call);
Response GetLiveness(const Call& call);
Response ListImages(const Call& call);
Response GetImageUrl(const Call& call);
Response ListAlerts(const Call& call);
Response ResolveAlert(const Call& call);
Response ListDocumentTypes(const Call& call);
Response GetHealth(const Call& call);

// Section 14.
Response GetReport(const Call& call);
Response GetReports(const Call& call);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_HANDLERS_H_
