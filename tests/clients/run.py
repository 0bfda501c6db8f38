#!/usr/bin/env python3
"""Builds the client programs and runs each against a gateway and a sandbox of its own, as a caller with a token and as one
with a certificate. What it prints must be expected.txt, and what reached the sandbox must fit that. It must also say why it
fails where it cannot but fail.

    run.py [--build FOLDER] [--only-build] [LANGUAGE...]

LANGUAGE is python, go, java, node or cpp; all of them without one. FOLDER, "build" of this repository without the option, has
idv-gateway and idv-sandbox; the clients are built in FOLDER/clients/LANGUAGE, from copies of their sources and the protos.
Exit code 77 when nothing failed, but a language was skipped because its tools are missing.
"""

import argparse
import base64
import difflib
import json
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import running_programs  # noqa: E402, found by the line above

HERE = pathlib.Path(__file__).resolve().parent
SERVICE_CONFIG = ROOT / "proto/kora/idv/v1/service_config.json"
NEEDS = {  # commands that succeed where the language's tools are
    "python": ["python3 -c 'import ensurepip'"],
    "go": ["go version"],
    "java": ["javac -version", "mvn --version"],
    "node": ["node --version", "npm --version"],
    "cpp": ["g++ --version", "cmake --version", "protoc --version"],
}
TENANTS = {"acme": "550e8400-e29b-41d4-a716-446655440000", "small": "11111111-1111-4111-8111-111111111111"}
ISSUER, AUDIENCE = "https://kubernetes.default.svc", "idv-gateway"
ACCOUNT = "system:serviceaccount:kyc:onboarding"  # whom the token is of
SPIFFE_ID = "spiffe://cluster.local/ns/kyc/sa/onboarding"  # whom the certificate is of
FAULTS = [  # by the subjects' names
    {"kind": "status", "status": 503, "external_id_prefix": "test-retried-", "endpoint": "GET /verifications/*", "times": 1},
    {"kind": "latency", "milliseconds": 5000, "external_id_prefix": "test-late-", "endpoint": "GET /verifications/*"},
    {"kind": "hang", "external_id_prefix": "test-hung-", "endpoint": "GET /verifications/*"},
    {"kind": "slow_reading", "bytes_per_second": 4_000_000, "external_id_prefix": "test-frames-"},
]
FRAMES_REFUSED = {
    "kind": "status",
    "status": 409,
    "body": json.dumps({"code": "INVALID_STATE", "error": "the verification is decided"}),
    "early": True,
    "external_id_prefix": "test-frames-",
    "endpoint": "POST /verifications/*/liveness/frames",
}
FRAMES_BYTES = 300 * 20 * 1024 * 4 // 3  # of the frames in base64
RUN_LIMIT = 90  # seconds


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, **options).stdout


class Programs(running_programs.Programs):
    """A sandbox and a gateway that run, and the files with which a caller is known."""

    def __init__(self, build):
        super().__init__(build)
        self.make_certificates()
        self.make_token()

    def path(self, name):
        return str(self.folder / name)

    def make_certificates(self):
        new = ["openssl", "req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        run(*new, "-subj", "/CN=test-ca", "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"))
        by_ca = ["-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"), "-addext", "basicConstraints=critical,CA:FALSE"]
        names = {"server": "DNS:localhost,IP:127.0.0.1", "client": f"URI:{SPIFFE_ID}"}
        for who, name in names.items():
            files = ["-keyout", self.path(f"{who}.key"), "-out", self.path(f"{who}.pem")]
            run(*new, *by_ca, "-subj", f"/CN={who}", "-addext", f"subjectAltName={name}", *files)

    def make_token(self):
        """A token as Kubernetes projects it, and the key set of its issuer."""

        def encode(part):
            return base64.urlsafe_b64encode(part).rstrip(b"=")

        key = self.path("issuer.key")
        run("openssl", "genrsa", "-out", key, "2048")
        modulus = bytes.fromhex(run("openssl", "rsa", "-in", key, "-noout", "-modulus", text=True).strip().partition("=")[2])
        jwk = {"kty": "RSA", "alg": "RS256", "kid": "key-1", "n": encode(modulus).decode(), "e": "AQAB"}
        self.write("jwks.json", json.dumps({"keys": [jwk]}))

        now = int(time.time())
        header = {"alg": "RS256", "kid": "key-1"}
        claims = {"iss": ISSUER, "aud": [AUDIENCE], "sub": ACCOUNT, "iat": now, "nbf": now, "exp": now + 3600}
        signed = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = run("openssl", "dgst", "-sha256", "-sign", key, input=signed)
        self.write("token", (signed + b"." + encode(signature)).decode() + "\n")

    def start_sandbox(self, faults):
        tenants = [{"tenant_id": id, "keys": [{"key": f"key-of-{name}", "scopes": ["*"]}]} for name, id in TENANTS.items()]
        flags = ["--tenants", self.write("tenants.yaml", json.dumps({"tenants": tenants})), "--attempts-per-day", "0"]
        flags += ["--faults", self.write("faults.yaml", json.dumps({"faults": faults}))]
        (address,) = self.start("idv-sandbox", "--listen", "127.0.0.1:0", *flags)
        return "http://" + address

    def start_gateway(self, sandbox):
        tenants = [
            {"name": name, "tenant_id": id, "api_key": {"file": self.write(f"key-of-{name}", f"key-of-{name}")}}
            for name, id in TENANTS.items()
        ]
        tenants[0]["plan"] = "unlimited"
        tenants[1]["allowance"] = {"requests_per_minute": 1}
        who = [{"identity": identity, "tenants": list(TENANTS), "methods": ["*"]} for identity in (ACCOUNT, SPIFFE_ID)]
        tls = {"cert_file": "server.pem", "key_file": "server.key", "client_ca_file": "ca.pem"}
        config = {
            "listen": {"grpc": ["127.0.0.1:0"], "tls": {key: self.path(name) for key, name in tls.items()}},
            "authentication": {"jwt": [{"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": self.path("jwks.json")}]},
            "upstream": {"base_url": sandbox + "/api/v1/idv"},
            "tenants": tenants,
            "callers": who,
            "retry": {"max_attempts": 1},  # so that it is the client that repeats
            "drain": {"settle": "0s"},
        }
        (address,) = self.start("idv-gateway", "--config", self.write("gateway.json", json.dumps(config)))
        return address


def missing_tools(language):
    """What keeps the language from being built here, or nothing."""
    for need in NEEDS[language]:
        if subprocess.run(need, shell=True, capture_output=True, check=False).returncode != 0:
            return f"no {need.removesuffix(' version').removesuffix(' --version').removesuffix(' -version')}"
    return ""


def build_client(language, build):
    """Builds it from a clean copy and returns the program, or nothing when that failed."""
    folder = build / "clients" / language
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / language, folder)
    shutil.copytree(ROOT / "proto", folder / "proto")
    start = time.monotonic()
    built = subprocess.run(["./build.sh"], cwd=folder, check=False)
    took = time.monotonic() - start
    print(f"{language}: built in {took:.0f} s" if built.returncode == 0 else f"{language}: does not build", flush=True)
    return folder / f"idv-client-{language}" if built.returncode == 0 else None


def expected_lines():
    return (HERE / "expected.txt").read_text(encoding="utf-8").splitlines()


def requests_of(sandbox):
    """What the sandbox received, when it has noticed the end of all of it."""
    for _ in range(50):
        with urllib.request.urlopen(sandbox + "/__sandbox/requests", timeout=10) as answer:
            requests = json.load(answer)["requests"]
        if not any(request["outcome"] == "pending" for request in requests):
            break
        time.sleep(0.1)
    return requests


def check_log(requests):
    """What of the scenario cannot be seen by its output."""
    problems = []

    def demand(what, there, wanted):
        if there != wanted:
            problems.append(f"the sandbox saw {there} {what} instead of {wanted}")

    reads = [request for request in requests if request["method"] == "GET" and "/verifications/" in request["path"]]
    demand("reads answered with 503", sum(request.get("status") == 503 for request in reads), 1)
    # Those of "deadline" and "cancel", which nobody waits for.
    aborted = [request for request in reads if request["outcome"] == "aborted"]
    demand("aborted reads", len(aborted), 2)
    late = [request for request in aborted if request["ended_at_ms"] - request["received_at_ms"] > 3000]
    demand("reads that were aborted too late", len(late), 0)
    streams = [request for request in requests if request["path"].endswith("/liveness/frames")]
    demand("frame streams", len(streams), 1)
    whole = [r for r in streams if r["body_complete"] and r.get("status") == 200 and r["body_bytes"] > FRAMES_BYTES]
    demand("whole frame streams", len(whole), 1)
    small = [request for request in requests if TENANTS["small"] in request["headers"].values()]
    demand("requests of the tenant small", len(small), 1)
    return problems


def run_client(program, build, way, faults):
    """Runs the scenario with programs of its own. Returns how it ended, and what the sandbox received."""
    with Programs(build) as programs:
        sandbox = programs.start_sandbox(faults)
        command = [program, "--target", programs.start_gateway(sandbox), "--tls-ca", programs.path("ca.pem")]
        command += ["--service-config", SERVICE_CONFIG]
        if way == "token":
            command += ["--token-file", programs.path("token")]
        else:
            command += ["--tls-cert", programs.path("client.pem"), "--tls-key", programs.path("client.key")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_LIMIT, check=False)
        return done, requests_of(sandbox)


def compare(done, expected):
    """What of its output and its exit code is not as it should be."""
    problems = list(difflib.unified_diff(expected, done.stdout.splitlines(), "expected", "printed", lineterm=""))
    return problems + [f"it says: {line}" for line in done.stderr.splitlines()] if problems else []


def check_scenario(program, build, way):
    done, requests = run_client(program, build, way, FAULTS)
    problems = compare(done, expected_lines())
    if done.returncode != 0:
        problems.append(f"exit code {done.returncode}")
    return problems or check_log(requests)


def check_refusals(program, build):
    """What is wrong with how the program fails: it must say why, as to a person, and exit with 1."""
    problems = []
    works = ["--service-config", SERVICE_CONFIG]
    for command in (
        [*works, "--target", "127.0.0.1:1"],  # where nobody listens
        [*works, "--no-such-flag", "1"],
        ["--service-config", "/no/such/file"],
        [*works, "--token-file", "/no/such/file", "--tls-ca", "/no/such/file"],
    ):
        done = subprocess.run([program, *command], capture_output=True, text=True, timeout=RUN_LIMIT, check=False)
        problems += compare(done, []) + check_explanation(done, "with " + " ".join(map(str, command)))
    # The frames of a verification that is decided already: the vendor answers while they are still sent.
    done, _ = run_client(program, build, "token", [*FAULTS, FRAMES_REFUSED])
    problems += compare(done, expected_lines()[:-1]) + check_explanation(done, "with frames that are refused")
    if "INVALID_STATE" not in done.stderr:
        problems.append("with frames that are refused it does not say INVALID_STATE")
    return problems


def check_explanation(done, when):
    traces = [mark for mark in ("Traceback", "\n\tat ", "\n    at ", "goroutine ", "terminate called") if mark in done.stderr]
    fits = done.returncode == 1 and done.stderr and not traces
    return [] if fits else [f"{when}: exit code {done.returncode}, and it says: {done.stderr}"]


def try_client(language, build, only_build):
    """Returns "passed", "failed" or "skipped"."""
    missing = missing_tools(language)
    if missing:
        print(f"SKIPPED clients.{language}: {missing}", flush=True)
        return "skipped"
    program = build_client(language, build)
    if program is None:
        return "failed"
    if only_build:
        return "passed"
    tries = {
        "with a token": lambda: check_scenario(program, build, "token"),
        "with a certificate": lambda: check_scenario(program, build, "certificate"),
        "refused": lambda: check_refusals(program, build),
    }
    failed = False
    for name, attempt in tries.items():
        start = time.monotonic()
        try:
            problems = attempt()
        except subprocess.TimeoutExpired as late:
            problems = [str(late)]
        print(f"{language}, {name}: {'failed' if problems else 'passed'} in {time.monotonic() - start:.1f} s")
        print("".join(f"  {problem}\n" for problem in problems), end="", flush=True)
        failed = failed or bool(problems)
    return "failed" if failed else "passed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--only-build", action="store_true", help="build the clients, and do not run them")
    parser.add_argument("language", nargs="*", metavar="LANGUAGE")
    chosen = parser.parse_args()
    for language in chosen.language:
        if language not in NEEDS:
            parser.error(f"there is no client in {language}, but in {', '.join(NEEDS)}")
    results = [try_client(language, chosen.build.resolve(), chosen.only_build) for language in chosen.language or NEEDS]
    if "failed" in results:
        return 1
    return 77 if "skipped" in results else 0


if __name__ == "__main__":
    sys.exit(main())
