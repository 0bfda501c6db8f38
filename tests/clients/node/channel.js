// The channel to the gateway, and what every call has in common.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import grpc from "@grpc/grpc-js";
import { services } from "./protos.js";

const TENANT = "acme";
const DEADLINE = 15_000; // ms; every call needs one, or it waits for as long as the gateway lets it

/**
 * The stubs, over one channel for the whole process: it keeps its connection, and finds a new one when that is lost.
 *
 * The service config says which calls are repeated after which codes: those that cannot act twice. Of a call that was
 * refused for good the gateway says so, and the library heeds that. Its healthCheckConfig means nothing to this
 * library.
 */
export function connect(options) {
  const channel = new grpc.Channel(options.target, credentials(options), {
    "grpc.service_config": readFileSync(options["service-config"], "utf8"),
    "grpc.service_config_disable_resolution": 1, // none from DNS, which would come before this one
  });
  const stub = (Service) =>
    new Service(options.target, null, { channelOverride: channel, interceptors: [named] });
  return {
    verifications: stub(services.VerificationService),
    documents: stub(services.DocumentService),
    biometrics: stub(services.BiometricService),
    liveness: stub(services.LivenessService),
    alerts: stub(services.FraudAlertService),
    close: () => channel.close(),
  };
}

function credentials(options) {
  if (!options["tls-ca"]) return grpc.credentials.createInsecure();
  const tls = grpc.credentials.createSsl(
    readFileSync(options["tls-ca"]),
    options["tls-key"] ? readFileSync(options["tls-key"]) : null,
    options["tls-cert"] ? readFileSync(options["tls-cert"]) : null,
  );
  const file = options["token-file"];
  if (!file) return tls;
  readFileSync(file); // so that a wrong path is told at once
  return grpc.credentials.combineChannelCredentials(tls, grpc.credentials.createFromMetadataGenerator(token(file)));
}

/** Shows the token that is in the file now: a projected token of Kubernetes is replaced every hour or so. */
const token = (file) => async (_, done) => {
  try {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${(await readFile(file, "utf8")).trim()}`);
    done(null, metadata);
  } catch (error) {
    done(error);
  }
};

/** Tells the tenant of a call that does not itself, and gives it an id by which both sides' logs have it. */
function named(options, next) {
  return new grpc.InterceptingCall(next(options), {
    start(metadata, listener, start) {
      if (metadata.get("x-idv-tenant").length === 0) metadata.set("x-idv-tenant", TENANT);
      metadata.set("x-request-id", randomUUID());
      start(metadata, listener);
    },
  });
}

/**
 * Makes a unary call: `await call(alerts, "ListFraudAlerts", { status })`. What it throws has the code and the
 * trailers. It ends after `deadline` ms, or with CANCELLED when `signal` fires.
 */
export function call(stub, method, request, { deadline = DEADLINE, tenant, signal } = {}) {
  return new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    if (tenant) metadata.set("x-idv-tenant", tenant);
    const running = stub[method](request, metadata, { deadline: Date.now() + deadline }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
    signal?.addEventListener("abort", () => running.cancel(), { once: true });
  });
}
