#!/usr/bin/env python3
"""Lets a real Prometheus scrape a gateway under mixed load with faults, and asks it every query of dashboards and rules.

    live.py BUILD_FOLDER

Checks too that promtool has nothing against /metrics, and that deploy/README.md has each series there is, with its type and
labels. Takes the better part of a minute.
"""

import json
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))
import running_programs  # noqa: E402, found by the line above

PROMETHEUS = ROOT / "build/prometheus/usr/bin"  # see deploy/setup.sh
TENANTS = {  # whose calls succeed, are too many, and wait
    "acme": "550e8400-e29b-41d4-a716-446655440000",
    "globex": "11111111-1111-4111-8111-111111111111",
    "initech": "22222222-2222-4222-8222-222222222222",
}
SCRAPES = "2s"  # and how often rules are evaluated
LOAD = 30  # seconds of it


def post(url, value):
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Programs(running_programs.Programs):
    """What runs, and where its output goes."""

    def sandbox(self):
        tenants = [{"tenant_id": id, "keys": [{"key": f"key-of-{name}", "scopes": ["*"]}]} for name, id in TENANTS.items()]
        file = self.write("tenants.yaml", json.dumps({"tenants": tenants}))
        (address,) = self.start("idv-sandbox", "--listen", "127.0.0.1:0", "--tenants", file)
        return "http://" + address

    def gateway(self, sandbox):
        tenants = [
            {"name": name, "tenant_id": id, "api_key": {"file": self.write(f"key-of-{name}", f"key-of-{name}")}}
            for name, id in TENANTS.items()
        ]
        tenants[0]["plan"] = "unlimited"
        tenants[1]["allowance"] = tenants[2]["allowance"] = {"requests_per_minute": 60}
        config = {
            "listen": {"grpc": ["127.0.0.1:0"], "admin": "127.0.0.1:0"},
            "upstream": {"base_url": sandbox + "/api/v1/idv"},
            "tenants": tenants,
            "callers": [{"identity": "local", "tenants": ["*"], "methods": ["*"]}],
            "breaker": {"failures": 5, "open_for": "1s"},
        }
        file = self.write("gateway.json", json.dumps(config))
        return self.start("idv-gateway", "--config", file, listeners=2)

    def prometheus(self, gateway):
        rules = (ROOT / "deploy/prometheus/rules.yaml").read_text(encoding="utf-8")
        config = {
            "global": {"scrape_interval": SCRAPES, "evaluation_interval": SCRAPES},
            "rule_files": [self.write("rules.yaml", re.sub(r"interval: \w+", f"interval: {SCRAPES}", rules))],
            "scrape_configs": [
                {
                    "job_name": "idv-gateway",
                    "static_configs": [{"targets": [gateway], "labels": {"namespace": "kyc", "pod": "gateway-0"}}],
                }
            ],
        }
        port = free_port()
        self.launch(
            "prometheus",
            PROMETHEUS / "prometheus",
            "--config.file=" + self.write("prometheus.json", json.dumps(config)),
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        return f"http://127.0.0.1:{port}"


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Load:
    """Verifications, one after the other for two tenants, until it is stopped."""

    def __init__(self, build, gateway):
        self.command = [build / "idv-verify", "--target", gateway, "--timeout", "3s"]
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(tenant,)) for tenant in ("acme", "globex")]
        for thread in self.threads:
            thread.start()

    def run(self, tenant):
        number = 0
        while not self.stopped.is_set():
            kind = ("approve", "reject", "review", "fraud")[number % 4]
            number += 1
            subprocess.run(
                [*self.command, "--tenant", tenant, "--external-id", f"test-{kind}-{number}"], capture_output=True, check=False
            )

    def break_off(self):
        """A frame stream whose caller goes."""
        streaming = subprocess.Popen(
            [*self.command, "--tenant", "acme", "--frames", "100"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(1.5)
        streaming.kill()
        streaming.wait()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


FAULTS = [
    {"kind": "status", "status": 503},
    {"kind": "hang"},
    {"kind": "status", "status": 429, "path_prefix": "/verifications"},  # after which all of a tenant's calls wait
    {"kind": "html"},
    {"kind": "unknown_keys"},
    {"kind": "unknown_enums"},
    {"kind": "reset", "at": "before_answer"},
    {"kind": "unauthorized", "until_key": "another"},
]


def stress(sandbox, load):
    end = time.monotonic() + LOAD
    while time.monotonic() < end:
        load.break_off()
        for fault in FAULTS:
            post(sandbox + "/__sandbox/faults", fault)
            time.sleep(0.7)
            clear(sandbox)
            time.sleep(1)


def clear(sandbox):
    request = urllib.request.Request(sandbox + "/__sandbox/faults", method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()


def documented():
    """Of each series in deploy/README.md, its type and its labels."""
    series = {}
    for line in (ROOT / "deploy/README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4 or not cells[0].startswith("`"):
            continue
        labels = re.findall(r"[a-z_]+", re.sub(r"\([^)]*\)", "", cells[2]))
        for name in re.findall(r"`(\w+)`", cells[0]):
            series[name] = (cells[1], set(labels))
    return series


def exposed(text):
    """The same of what /metrics says."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    series = {name: (kind, set()) for name, kind in types.items()}
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        base = name if name in series else re.sub(r"_(bucket|sum|count)$", "", name)
        series[base][1].update(set(re.findall(r'(\w+)="', labels)) - {"le"})
    return series


def compare(text):
    ours, there = documented(), exposed(text)
    problems = [f"{name} is not in deploy/README.md" for name in there.keys() - ours.keys()]
    problems += [f"{name} of deploy/README.md is not there" for name in ours.keys() - there.keys()]
    for name in sorted(ours.keys() & there.keys()):
        kind, labels = there[name]
        if ours[name][0] not in (kind, "as usual"):
            problems.append(f"{name} is a {kind}, and a {ours[name][0]} in deploy/README.md")
        # A family without a series at the moment shows no labels.
        if labels and labels != ours[name][1]:
            problems.append(f"{name} has the labels {sorted(labels)}, and {sorted(ours[name][1])} in deploy/README.md")
    return problems


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    build = pathlib.Path(sys.argv[1]).resolve()
    with Programs(build) as programs:
        sandbox = programs.sandbox()
        grpc, admin = programs.gateway(sandbox)
        prometheus = programs.prometheus(admin)
        programs.launch("poller", build / "idv_poller", grpc, "initech")
        load = Load(build, grpc)
        try:
            stress(sandbox, load)
            queries = subprocess.run([HERE / "run_queries.py", prometheus], check=False).returncode
        finally:
            load.stop()
        text = get(f"http://{admin}/metrics")
        checked = subprocess.run([PROMETHEUS / "promtool", "check", "metrics"], input=text, text=True, check=False).returncode
        problems = compare(text)
        print("\n".join(problems + [f"{len(exposed(text))} series compared with deploy/README.md, {len(problems)} problems"]))
        return 1 if queries or checked or problems else 0


sys.exit(main())
