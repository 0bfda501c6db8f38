// The gateway's services, made of its protos when the program starts, and the details of its errors.

import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import googleProtoFiles from "google-proto-files"; // google/api, which the protos import, and google/rpc

const definition = loader.loadSync(
  [
    "kora/idv/v1/verification_service.proto",
    "kora/idv/v1/document_service.proto",
    "kora/idv/v1/biometric_service.proto",
    "kora/idv/v1/liveness_service.proto",
    "kora/idv/v1/fraud_alert_service.proto",
    "google/rpc/status.proto",
    "google/rpc/error_details.proto",
  ],
  {
    includeDirs: [fileURLToPath(new URL("proto", import.meta.url)), googleProtoFiles.getProtoPath("..")],
    keepCase: true, // external_id, as in the protos, and not externalId
    enums: String, // "VERIFICATION_STATUS_VERIFIED" and not 3; a value that is newer than the protos stays a number
    longs: Number,
    defaults: true, // unset fields are there too, lists as []
    oneofs: true,
  },
);

export const services = grpc.loadPackageDefinition(definition).kora.idv.v1;

/**
 * What the gateway says of a call that failed: the details of google.rpc that it gives each failure. They come in a
 * trailer, which is not there when this side ended the call or found no gateway.
 */
export function explain(error) {
  const [status] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const details = status ? definition["google.rpc.Status"].deserialize(status).details : [];
  const detail = (type) => {
    const found = details.find(({ type_url }) => type_url.endsWith(`/${type}`));
    return found && definition[type].deserialize(found.value);
  };
  return {
    code: grpc.status[error.code],
    info: detail("google.rpc.ErrorInfo"),
    badRequest: detail("google.rpc.BadRequest"),
    retry: detail("google.rpc.RetryInfo"),
  };
}
