#ifndef IDV_CLIENT_CALL_H_
#define IDV_CLIENT_CALL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "google/rpc/error_details.pb.h"

// The deadline and the metadata that every call has. Without a deadline it would wait for as long
// as the gateway lets it. A context is for one call only.
struct CallContext : grpc::ClientContext {
  explicit CallContext(std::chrono::milliseconds time = std::chrono::seconds(15),
                       const std::string& tenant = "acme") {
    set_deadline(std::chrono::system_clock::now() + time);
    AddMetadata("x-idv-tenant", tenant);
  }
};

// A call that failed: its code and message, and the details of google.rpc that the gateway gives
// each failure. They are empty when this side ended the call, or found no gateway.
struct CallFailed : std::runtime_error {
  explicit CallFailed(const grpc::Status& failure);
  // Such as "NOT_FOUND".
  std::string Code() const;

  grpc::Status status;
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
};

// Returns the answer, or throws CallFailed.
template <typename Stub, typename Request, typename Answer>
Answer Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
            const Request& request, CallContext& context) {
  Answer answer;
  const auto status = (stub.*method)(&context, request, &answer);
  if (!status.ok()) throw CallFailed(status);
  return answer;
}

// The same in a context of its own.
template <typename Stub, typename Request, typename Answer>
Answer Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
            const Request& request) {
  CallContext context;
  return Call(stub, method, request, context);
}

#endif  // IDV_CLIENT_CALL_H_
