"""Drives idv-sandbox by the vendor's own server SDK, as its users would, over real sockets.

    PYTHONPATH=<directory of the package> sdk_test.py IDV_SANDBOX [UNITTEST ARGUMENTS...]
"""

import base64
import dataclasses
import http.server
import inspect
import io
import queue
import subprocess
import sys
import threading
import unittest
import zipfile

import koraidv

PROGRAM = sys.argv.pop(1)
TENANT = "550e8400-e29b-41d4-a716-446655440000"
KEY = "test_sk_sandbox"
SECRET = "whsec_of_the_test"
IMAGE = base64.b64encode(b"an image").decode()
DOUBLED = "/api/v1/idv"  # to which the SDK adds /api/v1: its default


class Sandbox:
    """The real program on a port of its own."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", "127.0.0.1:0", *flags], stdout=subprocess.PIPE, text=True
        )
        self.url = "http://" + self.process.stdout.readline().split()[-1]

    def client(self, base="", key=KEY, tenant=TENANT):
        return koraidv.KoraIDVClient(key, tenant, base_url=self.url + base, timeout=10)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks: (headers, body) of each in `received`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.received = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/hooks"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.received.put((self.headers, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass


class Recorder:
    """A client that notes which methods were called."""

    called = set()

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        Recorder.called.add(name)
        return getattr(self._client, name)


def unset(value, path=""):
    """Paths of whatever the answer did not set."""
    if dataclasses.is_dataclass(value):
        return [
            p
            for field in dataclasses.fields(value)
            for p in unset(getattr(value, field.name), f"{path}.{field.name}")
        ]
    return [path] if value in (None, "") else []


class MethodsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--attempts-per-day", "0")

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.end()

    def client(self, base=""):
        return Recorder(self.sandbox.client(base))

    def with_document(self, client, external_id):
        verification = client.create_verification(external_id)
        client.upload_document(verification.id, "ghana_card", IMAGE)
        return verification.id

    def test_create_and_get(self):
        client = self.client()

        created = client.create_verification(
            "test-approve-1",
            tier="enhanced",
            callback_url="https://kyc.test/hooks",
            document_type="ghana_card",
            metadata={"source": "web"},
        )

        self.assertEqual(created.status, "pending")
        self.assertEqual(created.tier, "enhanced")
        self.assertEqual(created.tenant_id, TENANT)
        self.assertEqual(created.external_id, "test-approve-1")
        self.assertEqual(created.metadata, {"source": "web"})
        self.assertGreaterEqual(created.attempt_count, 1)
        self.assertEqual(client.get_verification(created.id), created)

    def test_a_whole_verification(self):
        for base in ("", "/api/v1", DOUBLED):
            with self.subTest(base=base):
                client = self.client(base)
                verification = client.create_verification("test-approve-1", metadata={"a": 1}).id

                front = client.upload_document(verification, "international_passport", IMAGE)
                self.assertEqual(front.document_type, "international_passport")
                self.assertEqual(unset(front), [])
                back = client.upload_document_back(verification, IMAGE)
                self.assertEqual(back.document_type, "international_passport_back")
                selfie = client.upload_selfie(verification, IMAGE)
                self.assertTrue(selfie.face_detected)
                self.assertEqual((selfie.face_count, selfie.warnings), (1, []))

                session = client.create_liveness_session(verification)
                self.assertEqual(
                    [(c.type, c.completed, c.score) for c in session.challenges],
                    [("blink", False, 0), ("turn_left", False, 0), ("turn_right", False, 0)],
                )
                for challenge in session.challenges:
                    result = client.submit_liveness_challenge(verification, challenge.type, IMAGE)
                    self.assertEqual((result.challenge_type, result.completed), (challenge.type, True))
                    self.assertGreater(result.score, 1)  # of 100
                self.assertTrue(result.all_completed)
                liveness = client.get_liveness_result(verification)
                self.assertTrue(liveness.passed)
                self.assertEqual(liveness.id, session.id)
                self.assertEqual(unset(liveness), [".anti_spoof_result.spoof_type"])

                completed = client.complete_verification(verification)
                self.assertEqual((completed.status, completed.decision), ("verified", "auto_approve"))
                self.assertEqual(completed.scores.overall, 96.3)
                self.assertEqual(
                    unset(completed),
                    [
                        ".scores.anti_spoof_scores.spoof_type",
                        ".scores.doc_auth_scores.tamper_type",
                        ".reviewed_by",
                        ".review_notes",
                    ],
                )
                self.assertEqual(client.get_verification(verification), completed)

    def test_list_verifications(self):
        client = self.client()
        first = client.create_verification("cust-list")
        second = client.create_verification("cust-list")

        self.assertEqual(client.list_verifications("cust-list"), [second, first])
        self.assertEqual(client.list_verifications("nobody"), [])

    def test_review(self):
        client = self.client()
        verification = self.with_document(client, "test-review-1")
        self.assertEqual(client.complete_verification(verification).status, "manual_review")

        reviewed = client.review_verification(
            verification, "rev-1", "approve", notes="by hand", override_reason="glare"
        )

        self.assertEqual((reviewed.status, reviewed.decision), ("verified", "approve"))
        self.assertEqual((reviewed.reviewed_by, reviewed.review_notes), ("rev-1", "by hand"))

    def test_fraud_alerts(self):
        client = self.client()
        verification = self.with_document(client, "test-fraud-1")
        self.assertEqual(client.complete_verification(verification).status, "rejected")
        [alert] = client.list_fraud_alerts("open")
        self.assertEqual((alert.verification_id, alert.status), (verification, "open"))
        self.assertEqual(unset(alert), [])

        self.assertIsNone(client.resolve_fraud_alert(alert.id, "rev-1", "dismissed", notes="no"))

        self.assertEqual(client.list_fraud_alerts("open"), [])
        self.assertEqual([a.status for a in client.list_fraud_alerts()], ["dismissed"])

    def test_document_types(self):
        client = self.client()

        types = client.get_document_types()
        self.assertTrue(types.success)
        self.assertEqual(len(types.document_types), types.total)
        self.assertEqual(unset(types), [])
        known = {country.code for country in types.countries}
        self.assertEqual({t.country for t in types.document_types} - known, set())
        [ghana] = client.get_document_types("GH").countries
        self.assertEqual(ghana.name, "Ghana")
        self.assertEqual(client.get_document_types("ZZ").document_types, [])

    def test_health(self):
        for base in ("", "/api/v1", DOUBLED):
            self.assertIsNone(self.client(base).health())
        self.assertIsNone(self.sandbox.client(key="").health())

    def test_reports(self):
        client = self.client()
        ids = [self.with_document(client, "test-approve-1") for _ in range(2)]
        for verification in ids:
            client.complete_verification(verification)

        report = client.generate_compliance_report(ids[0])
        archive = zipfile.ZipFile(io.BytesIO(client.generate_compliance_reports_bulk(ids)))

        self.assertTrue(report.startswith(b"%PDF-"))
        self.assertIsNone(archive.testzip())
        self.assertEqual(archive.namelist(), [f"{verification}.pdf" for verification in ids])
        self.assertEqual(archive.read(f"{ids[0]}.pdf"), report)

    def test_z_every_method_was_called(self):
        methods = {
            name
            for name, _ in inspect.getmembers(koraidv.KoraIDVClient, inspect.isfunction)
            if not name.startswith("_")
        }

        self.assertEqual(methods - Recorder.called, set())


class ErrorsTest(unittest.TestCase):
    def error(self, call, *arguments, flags=(), **client):
        sandbox = Sandbox(*flags)
        self.addCleanup(sandbox.end)
        with self.assertRaises(koraidv.KoraIDVError) as caught:
            call(sandbox.client(**client), *arguments)
        return caught.exception

    def test_kinds(self):
        get = koraidv.KoraIDVClient.get_verification
        create = koraidv.KoraIDVClient.create_verification

        missing = self.error(get, "unknown")
        self.assertIsInstance(missing, koraidv.NotFoundError)
        self.assertEqual(missing.code, "VERIFICATION_NOT_FOUND")
        self.assertIsInstance(self.error(get, "x", key="wrong"), koraidv.UnauthorizedError)
        self.assertIsInstance(self.error(get, "x", key=""), koraidv.UnauthorizedError)
        bad = self.error(create, "")
        self.assertEqual((bad.status_code, bad.code), (400, "VALIDATION_ERROR"))
        self.assertEqual(bad.details, {"field": "externalId", "constraint": "required"})

    def test_rate_limit(self):
        def often(client):
            for _ in range(11):
                client.list_fraud_alerts()

        error = self.error(often, flags=("--plan", "basic"))

        self.assertIsInstance(error, koraidv.RateLimitedError)
        self.assertEqual(error.code, "RATE_LIMIT_EXCEEDED")
        self.assertIn(error.details["retryAfter"], range(50, 61))


class WebhooksTest(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.server_close)
        self.addCleanup(self.receiver.shutdown)
        flags = ("--webhook-url", self.receiver.url, "--webhook-secret", SECRET)
        self.sandbox = Sandbox(*flags)
        self.addCleanup(self.sandbox.end)

    def receive(self, count):
        webhooks = [self.receiver.received.get(timeout=10) for _ in range(count)]
        return sorted(webhooks, key=lambda webhook: webhook[0]["X-Event-Type"])

    def is_valid(self, headers, body, secret=SECRET):
        verify = koraidv.verify_webhook_signature
        if "timestamp" in inspect.signature(verify).parameters:
            return verify(body, headers["X-Signature"], headers["X-Timestamp"], secret)
        return verify(body, headers["X-Kora-Signature"], secret)  # before 1.5.1

    def test_signatures_and_payloads(self):
        client = self.sandbox.client()
        created = client.create_verification("test-fraud-1", callback_url=self.receiver.url + "/2")
        client.upload_document(created.id, "ghana_card", IMAGE)
        client.complete_verification(created.id)
        [alert] = client.list_fraud_alerts()

        webhooks = self.receive(6)  # each of three at both URLs

        for headers, body in webhooks:
            self.assertTrue(self.is_valid(headers, body))
            self.assertFalse(self.is_valid(headers, body + b" "))
            self.assertFalse(self.is_valid(headers, body, "other"))
        payloads = [koraidv.parse_webhook_payload(body) for _, body in webhooks]
        self.assertEqual(
            [payload.event_type for payload in payloads],
            ["fraud_alert.created"] * 2
            + ["verification.completed"] * 2
            + ["verification.rejected"] * 2,
        )
        for payload, (headers, _) in zip(payloads, webhooks):
            self.assertEqual(unset(payload), [])
            self.assertEqual(payload.tenant_id, TENANT)
            self.assertEqual(headers["X-Webhook-ID"], payload.id)
        self.assertEqual(payloads[0].resource_id, alert.id)
        self.assertEqual(payloads[0].data, {"alertType": alert.alert_type, "severity": "high"})
        self.assertEqual(payloads[2].resource_id, created.id)
        self.assertEqual(payloads[2].data["status"], "rejected")


if __name__ == "__main__":
    unittest.main()
