// Calls idv-gateway as a service would: all that a caller needs, in the order of a day at work.
//
// It prints one line for each step, which tests/clients/run.py compares with tests/clients/expected.txt.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { call, connect } from "./channel.js";
import { explain } from "./protos.js";

const PICTURE = Buffer.concat([
  Buffer.from("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", "latin1"),
  Buffer.alloc(1000),
  Buffer.from("\xff\xd9", "latin1"),
]);
const FRAMES = 300;
const FRAME_BYTES = 20 * 1024;
const FRAMES_PER_SECOND = 30;

/** Begins the verification of a new subject. In the sandbox the beginning of its id decides what becomes of it. */
const create = (gateway, kind, options) =>
  call(gateway.verifications, "CreateVerification", { external_id: `test-${kind}-${randomUUID()}` }, options);

const get = (gateway, id, options) =>
  call(gateway.verifications, "GetVerification", { verification_id: id }, options);

/** A whole verification, until it is decided. Its calls come one after the other: the vendor wants it so. */
async function verify(gateway, kind) {
  const { id: verification_id } = await create(gateway, kind);
  await call(gateway.documents, "UploadDocument", {
    verification_id,
    document_type: "passport",
    country: "DE",
    image: PICTURE,
  });
  await call(gateway.biometrics, "UploadSelfie", { verification_id, image: PICTURE });
  const { challenges } = await call(gateway.liveness, "CreateLivenessSession", { verification_id });
  for (const { type, type_raw } of challenges) {
    // The spelling is sent for a challenge that is newer than these protos.
    const request = { verification_id, challenge_type: type, challenge_type_raw: type_raw, image: PICTURE };
    await call(gateway.liveness, "SubmitLivenessChallenge", request);
  }
  let answer = await call(gateway.verifications, "CompleteVerification", { verification_id });
  while (answer.status === "VERIFICATION_STATUS_PROCESSING") {
    await sleep(1000);
    answer = await get(gateway, verification_id);
  }
  return answer;
}

/** The error that a call ends with, which it must. */
const failureOf = (answer) =>
  answer.then(
    () => Promise.reject(new Error("a call that should fail did not")),
    (error) => error,
  );

/**
 * The name of an enum's value as the vendor's documentation has it, without the prefix that protobuf asks for. One that
 * is newer than the protos is a number.
 */
const named = (value, prefix) => String(value).replace(prefix, "");
const statusOf = ({ status }) => named(status, "VERIFICATION_STATUS_");
const decisionOf = ({ decision }) => named(decision, "VERIFICATION_DECISION_");

function codeReasonBlame(error) {
  const { code, info } = explain(error);
  return `${code} ${info?.reason}, blame ${info?.metadata.blame}`;
}

const steps = {
  async approve(gateway) {
    const answer = await verify(gateway, "approve");
    return `${statusOf(answer)} ${decisionOf(answer)}`;
  },

  async reject(gateway) {
    const answer = await verify(gateway, "reject");
    return [statusOf(answer), decisionOf(answer), ...answer.decision_codes].join(" ");
  },

  async review(gateway) {
    const before = await verify(gateway, "review");
    const after = await call(gateway.verifications, "ReviewVerification", {
      verification_id: before.id,
      reviewer_id: "reviewer-1",
      decision: "REVIEW_DECISION_APPROVE",
    });
    return `${statusOf(before)}, then ${statusOf(after)} ${decisionOf(after)}`;
  },

  async fraud(gateway) {
    const answer = await verify(gateway, "fraud");
    const { alerts } = await call(gateway.alerts, "ListFraudAlerts", { status: "FRAUD_ALERT_STATUS_OPEN" });
    const open = alerts.filter((alert) => alert.verification_id === answer.id);
    if (open.length === 0) throw new Error("no open alert of the verification");
    const { id, alert_type, severity } = open[0];
    const { status } = await call(gateway.alerts, "ResolveFraudAlert", {
      alert_id: id,
      reviewer_id: "reviewer-1",
      status: "FRAUD_ALERT_STATUS_CONFIRMED",
    });
    const alert = `${alert_type} ${named(severity, "SEVERITY_")}`;
    const outcome = named(status, "FRAUD_ALERT_STATUS_");
    return `${statusOf(answer)}, ${open.length} open alert: ${alert}, then ${outcome}`;
  },

  async validation(gateway) {
    const { id } = await create(gateway, "approve");
    const request = { verification_id: id, document_type: "passport", country: "Germany", image: PICTURE };
    const error = await failureOf(call(gateway.documents, "UploadDocument", request));
    const fields = explain(error).badRequest?.field_violations.map(({ field }) => field);
    return `${codeReasonBlame(error)}, field ${fields?.join(" ")}`;
  },

  async "not found"(gateway) {
    return codeReasonBlame(await failureOf(get(gateway, randomUUID())));
  },

  // A tenant with an allowance of one request a minute. The second is not even tried, since its turn would come after
  // its deadline, and told when to come back.
  async "rate limited"(gateway) {
    const options = { tenant: "small", deadline: 5000 };
    await create(gateway, "approve", options);
    const error = await failureOf(create(gateway, "approve", options));
    const { seconds, nanos } = explain(error).retry?.retry_delay ?? { seconds: NaN, nanos: 0 };
    const delay = seconds + nanos / 1e9;
    return `${codeReasonBlame(error)}, retry after ${delay >= 1 && delay <= 60 ? "1 to 60" : delay} s`;
  },

  // The first answer is UNAVAILABLE. That it is asked again is the service config's doing, see connect().
  async retried(gateway) {
    const { id } = await create(gateway, "retried");
    return statusOf(await get(gateway, id));
  },

  async deadline(gateway) {
    const { id } = await create(gateway, "late");
    return explain(await failureOf(get(gateway, id, { deadline: 300 }))).code;
  },

  async cancel(gateway) {
    const { id } = await create(gateway, "hung");
    return explain(await failureOf(get(gateway, id, { signal: AbortSignal.timeout(200) }))).code;
  },

  async frames(gateway) {
    const { id: verification_id } = await create(gateway, "frames");
    const { challenges } = await call(gateway.liveness, "CreateLivenessSession", { verification_id });
    if (challenges.length === 0) throw new Error("a session without challenges");
    const header = { verification_id, challenge_type: challenges[0].type, frames_per_second: FRAMES_PER_SECOND };
    const { sent, result } = await streamFrames(gateway, header);
    const type = named(result.type, "LIVENESS_CHALLENGE_TYPE_");
    return `${sent} sent, ${type} ${result.completed ? "completed" : "not completed"} ${result.score.toFixed(1)}`;
  },
};

/**
 * Streams what a camera would take. write() keeps every message that it is given; its "false" says that enough of them
 * wait, and "drain" that there is room again. Whoever does not heed it has the whole stream in memory when the vendor
 * is slow. The gateway may end the call before the stream's end, as when it refuses; then "drain" never comes.
 */
async function streamFrames({ liveness }, header) {
  let stream;
  let ended = false;
  const answer = new Promise((resolve, reject) => {
    stream = liveness.StreamLivenessFrames({ deadline: Date.now() + 60_000 }, (error, result) => {
      ended = true;
      return error ? reject(error) : resolve(result);
    });
  });
  answer.catch(() => {}); // it is thrown where it is awaited, which may be later than Node.js allows without this
  let sent = 0;
  const send = async (message) => {
    if (!stream.write(message)) await Promise.race([once(stream, "drain"), answer]);
  };

  await send({ header });
  const image = Buffer.alloc(FRAME_BYTES);
  PICTURE.copy(image);
  for (; sent < FRAMES && !ended; ++sent) {
    const milliseconds = (sent * 1000) / FRAMES_PER_SECOND;
    const seconds = Math.floor(milliseconds / 1000);
    const nanos = Math.floor((milliseconds % 1000) * 1e6);
    await send({ frame: { image, capture_offset: { seconds, nanos } } });
  }
  stream.end({ end: { frame_count: sent } });
  return { sent, result: await answer };
}

const FLAGS = {
  target: { type: "string", default: "127.0.0.1:8080" },
  "tls-ca": { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "token-file": { type: "string" },
  "service-config": { type: "string" },
  help: { type: "boolean" },
};
const USAGE = `idv-client-node --service-config FILE [--target HOST:PORT] [--tls-ca FILE [--token-file FILE] [...]]
  --service-config FILE  service_config.json beside the protos
  --target HOST:PORT     the gateway, or unix:///PATH; 127.0.0.1:8080 without the flag
  --tls-ca FILE          PEM of who signed the gateway's certificate; without it: plaintext
  --tls-cert FILE, --tls-key FILE    PEM of this client's certificate and its key
  --token-file FILE      a file with a bearer token, instead of a certificate`;

function flags() {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) return values;
  if (!values["service-config"]) throw new Error("--service-config is missing");
  if ((values["tls-cert"] || values["tls-key"] || values["token-file"]) && !values["tls-ca"]) {
    throw new Error("a certificate or a token goes over TLS only: --tls-ca is missing");
  }
  if (!values["tls-cert"] !== !values["tls-key"]) throw new Error("--tls-cert and --tls-key come together");
  return values;
}

/** Names the step, and adds to a call's error what the person needs who looks for it in the gateway's log. */
function described(step, error) {
  if (error.metadata === undefined) return `${step}: ${error.message}`; // not of a call
  const { code, info } = explain(error);
  return `${step}: ${code}${info ? ` (${info.reason}, request ${info.metadata.request_id})` : ""}: ${error.details}`;
}

async function main() {
  const options = flags();
  if (options.help) return console.log(USAGE);
  const gateway = connect(options);
  try {
    for (const [name, act] of Object.entries(steps)) {
      const line = await act(gateway).catch((error) => Promise.reject(described(name, error)));
      console.log(`${name}: ${line}`);
    }
  } finally {
    gateway.close();
  }
}

main().catch((error) => {
  console.error(`idv-client-node: ${error.message ?? error}`);
  process.exitCode = 1;
});
