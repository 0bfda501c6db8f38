"""Calls idv-gateway as a service would: all that a caller needs, in the order of a day at work.

It prints one line for each step, which tests/clients/run.py compares with tests/clients/expected.txt.
"""

import argparse
import pathlib
import sys
import threading
import time
import uuid

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from kora.idv.v1 import biometric_service_pb2 as biometric
from kora.idv.v1 import biometric_service_pb2_grpc
from kora.idv.v1 import document_service_pb2 as document
from kora.idv.v1 import document_service_pb2_grpc
from kora.idv.v1 import fraud_alert_service_pb2 as fraud
from kora.idv.v1 import fraud_alert_service_pb2_grpc
from kora.idv.v1 import liveness_pb2, verification_pb2
from kora.idv.v1 import liveness_service_pb2 as liveness
from kora.idv.v1 import liveness_service_pb2_grpc
from kora.idv.v1 import verification_service_pb2 as verification
from kora.idv.v1 import verification_service_pb2_grpc

from idv_channel import make_channel

DEADLINE = 15  # seconds; every call needs one, or it waits for as long as the gateway lets it
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(1000) + b"\xff\xd9"
FRAMES, FRAME_BYTES, FRAMES_PER_SECOND = 300, 20 * 1024, 30


def name(enum, value, prefix):
    """The name of an enum's value as the vendor's documentation has it, without the prefix that protobuf asks for. One that is
    newer than these stubs has none.
    """
    return enum.Name(value).removeprefix(prefix) if value in enum.values() else str(value)


def status_name(answer):
    return name(verification_pb2.VerificationStatus, answer.status, "VERIFICATION_STATUS_")


def decision_name(answer):
    return name(verification_pb2.VerificationDecision, answer.decision, "VERIFICATION_DECISION_")


class Client:
    """The stubs. They are cheap and safe to share between threads, as the one channel below them is."""

    def __init__(self, channel):
        self.verifications = verification_service_pb2_grpc.VerificationServiceStub(channel)
        self.documents = document_service_pb2_grpc.DocumentServiceStub(channel)
        self.biometrics = biometric_service_pb2_grpc.BiometricServiceStub(channel)
        self.liveness = liveness_service_pb2_grpc.LivenessServiceStub(channel)
        self.alerts = fraud_alert_service_pb2_grpc.FraudAlertServiceStub(channel)

    def create(self, kind, **options):
        """A verification of a new subject. In the sandbox the beginning of its id decides what becomes of it."""
        request = verification.CreateVerificationRequest(external_id=f"test-{kind}-{uuid.uuid4()}")
        return self.verifications.CreateVerification(request, timeout=DEADLINE, **options)

    def get(self, id, timeout=DEADLINE):
        return self.verifications.GetVerification(verification.GetVerificationRequest(verification_id=id), timeout=timeout)

    def start_liveness(self, id):
        request = liveness.CreateLivenessSessionRequest(verification_id=id)
        return self.liveness.CreateLivenessSession(request, timeout=DEADLINE).challenges

    def verify(self, kind):
        """A whole verification, until it is decided. Its calls come one after the other: the vendor wants it so."""
        id = self.create(kind).id
        self.documents.UploadDocument(
            document.UploadDocumentRequest(verification_id=id, document_type="passport", image=PICTURE, country="DE"),
            timeout=DEADLINE,
        )
        self.biometrics.UploadSelfie(biometric.UploadSelfieRequest(verification_id=id, image=PICTURE), timeout=DEADLINE)
        for challenge in self.start_liveness(id):
            # The spelling is sent for a challenge that is newer than these stubs.
            request = liveness.SubmitLivenessChallengeRequest(
                verification_id=id, challenge_type=challenge.type, challenge_type_raw=challenge.type_raw, image=PICTURE
            )
            self.liveness.SubmitLivenessChallenge(request, timeout=DEADLINE)
        answer = self.verifications.CompleteVerification(
            verification.CompleteVerificationRequest(verification_id=id), timeout=DEADLINE
        )
        while answer.status == verification_pb2.VERIFICATION_STATUS_PROCESSING:
            time.sleep(1)
            answer = self.get(id)
        return answer


def explain(error):
    """What a failed call says: its code, and the details of google.rpc that the gateway gives each failure."""
    info, bad_request, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    status = rpc_status.from_call(error)  # None when this side ended the call, or found no gateway
    for detail in status.details if status else []:
        for kind in (info, bad_request, retry):
            detail.Unpack(kind)  # does nothing for a detail of another kind
    return info, bad_request, retry


def failure_of(call):
    """The error that a call ends with, which it must."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise SystemExit("a call that should fail did not")


def code_reason_blame(error):
    info, _, _ = explain(error)
    return f"{error.code().name} {info.reason}, blame {info.metadata['blame']}"


def approve(client):
    answer = client.verify("approve")
    return f"{status_name(answer)} {decision_name(answer)}"


def reject(client):
    answer = client.verify("reject")
    return " ".join([status_name(answer), decision_name(answer), *answer.decision_codes])


def review(client):
    before = client.verify("review")
    request = verification.ReviewVerificationRequest(
        verification_id=before.id, reviewer_id="reviewer-1", decision=verification.REVIEW_DECISION_APPROVE
    )
    after = client.verifications.ReviewVerification(request, timeout=DEADLINE)
    return f"{status_name(before)}, then {status_name(after)} {decision_name(after)}"


def fraud_alert(client):
    answer = client.verify("fraud")
    request = fraud.ListFraudAlertsRequest(status=fraud.FRAUD_ALERT_STATUS_OPEN)
    alerts = client.alerts.ListFraudAlerts(request, timeout=DEADLINE).alerts
    alerts = [alert for alert in alerts if alert.verification_id == answer.id]
    if not alerts:
        raise SystemExit("no open alert of the verification")
    alert = alerts[0]
    request = fraud.ResolveFraudAlertRequest(
        alert_id=alert.id, reviewer_id="reviewer-1", status=fraud.FRAUD_ALERT_STATUS_CONFIRMED
    )
    resolved = client.alerts.ResolveFraudAlert(request, timeout=DEADLINE)
    severity = name(verification_pb2.Severity, alert.severity, "SEVERITY_")
    outcome = name(fraud.FraudAlertStatus, resolved.status, "FRAUD_ALERT_STATUS_")
    return f"{status_name(answer)}, {len(alerts)} open alert: {alert.alert_type} {severity}, then {outcome}"


def validation(client):
    request = document.UploadDocumentRequest(
        verification_id=client.create("approve").id, document_type="passport", image=PICTURE, country="Germany"
    )
    error = failure_of(lambda: client.documents.UploadDocument(request, timeout=DEADLINE))
    _, bad_request, _ = explain(error)
    fields = " ".join(violation.field for violation in bad_request.field_violations)
    return f"{code_reason_blame(error)}, field {fields}"


def not_found(client):
    return code_reason_blame(failure_of(lambda: client.get(str(uuid.uuid4()))))


def rate_limited(client):
    """A tenant with an allowance of one request a minute: the second is not even tried, and told when to come back."""
    small = {"metadata": [("x-idv-tenant", "small")]}
    client.create("approve", **small)
    error = failure_of(lambda: client.create("approve", **small))
    _, _, retry = explain(error)
    seconds = retry.retry_delay.ToTimedelta().total_seconds()
    after = "1 to 60 s" if 1 <= seconds <= 60 else f"{seconds} s"
    return f"{code_reason_blame(error)}, retry after {after}"


def retried(client):
    """The first answer is UNAVAILABLE. That it is asked again is the service config's doing, see make_channel()."""
    id = client.create("retried").id
    return status_name(client.get(id))


def deadline(client):
    id = client.create("late").id
    return failure_of(lambda: client.get(id, timeout=0.3)).code().name


def cancel(client):
    id = client.create("hung").id
    request = verification.GetVerificationRequest(verification_id=id)
    call = client.verifications.GetVerification.future(request, timeout=DEADLINE)
    threading.Timer(0.2, call.cancel).start()
    try:
        call.result()
    except grpc.FutureCancelledError:  # what result() raises for a call that was cancelled on this side
        return call.code().name
    raise SystemExit("a call that was cancelled has an answer")


def frames(client):
    """Frames of a camera. gRPC asks the iterator for the next message when it has taken the one before, which it does no
    faster than the gateway takes them; and no more when the call has ended, as with the gateway's refusal.
    """
    id = client.create("frames").id
    challenge = client.start_liveness(id)[0]
    sent = 0

    def messages():
        nonlocal sent
        header = liveness.LivenessFramesHeader(
            verification_id=id, challenge_type=challenge.type, frames_per_second=FRAMES_PER_SECOND
        )
        yield liveness.StreamLivenessFramesRequest(header=header)
        for number in range(FRAMES):
            offset = duration_pb2.Duration()
            offset.FromMilliseconds(number * 1000 // FRAMES_PER_SECOND)
            frame = liveness.LivenessFrame(image=PICTURE.ljust(FRAME_BYTES, b"\0"), capture_offset=offset)
            yield liveness.StreamLivenessFramesRequest(frame=frame)
            sent += 1
        yield liveness.StreamLivenessFramesRequest(end=liveness.LivenessFramesEnd(frame_count=sent))

    result = client.liveness.StreamLivenessFrames(messages(), timeout=60)
    kind = name(liveness_pb2.LivenessChallengeType, result.type, "LIVENESS_CHALLENGE_TYPE_")
    return f"{sent} sent, {kind} {'completed' if result.completed else 'not completed'} {result.score:.1f}"


STEPS = {
    "approve": approve,
    "reject": reject,
    "review": review,
    "fraud": fraud_alert,
    "validation": validation,
    "not found": not_found,
    "rate limited": rate_limited,
    "retried": retried,
    "deadline": deadline,
    "cancel": cancel,
    "frames": frames,
}


def options():
    parser = argparse.ArgumentParser(prog="idv-client-python", description=__doc__.partition("\n")[0])
    parser.error = lambda message: sys.exit(f"{parser.prog}: {message}; see --help")  # exits with 1, as all failures here
    parser.add_argument("--target", default="127.0.0.1:8080", help="HOST:PORT of the gateway, or unix:///PATH")
    parser.add_argument("--tls-ca", type=pathlib.Path, help="PEM of who signed the gateway's certificate; else plaintext")
    parser.add_argument("--tls-cert", type=pathlib.Path, help="PEM of this client's certificate")
    parser.add_argument("--tls-key", type=pathlib.Path, help="PEM of its key")
    parser.add_argument("--token-file", type=pathlib.Path, help="a file with a bearer token, instead of a certificate")
    parser.add_argument("--service-config", type=pathlib.Path, help="service_config.json beside the protos", required=True)
    chosen = parser.parse_args()
    if (chosen.tls_cert or chosen.tls_key or chosen.token_file) and not chosen.tls_ca:
        parser.error("a certificate or a token goes over TLS only: --tls-ca is missing")
    if bool(chosen.tls_cert) != bool(chosen.tls_key):
        parser.error("--tls-cert and --tls-key come together")
    return chosen


def main():
    try:
        with make_channel(options()) as channel:
            client = Client(channel)
            for step, act in STEPS.items():
                try:
                    print(f"{step}: {act(client)}", flush=True)
                except grpc.RpcError as error:
                    info, _, _ = explain(error)
                    details = f" ({info.reason}, request {info.metadata['request_id']})" if info.reason else ""
                    sys.exit(f"{step}: {error.code().name}{details}: {error.details()}")
    except OSError as error:
        sys.exit(f"idv-client-python: {error}")


main()
