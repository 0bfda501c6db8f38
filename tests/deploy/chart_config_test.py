"""Tests the configuration that the chart makes: by the gateway's own --check, and when it replaces pods. IDV_GATEWAY names
the program."""

import base64
import http.server
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import unittest

import yaml

import chart


class StandIn(http.server.BaseHTTPRequestHandler):
    """Vault, and an issuer of tokens."""

    jwks = {}

    def do_GET(self):
        if self.path.startswith("/v1/"):
            self.answer({"data": {"data": {"api_key": "from-vault"}, "metadata": {"version": 1}}})
        else:
            self.answer(self.jwks)

    def do_POST(self):
        self.answer({"auth": {"client_token": "token", "lease_duration": 3600}})

    def answer(self, body):
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_certificate(folder):
    """Of an authority and a server at once."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key", "-out", folder / "cert",
            "-subj", "/CN=idv-gateway", "-days", "2")
    return (folder / "cert").read_text(), (folder / "key").read_text()


def jwks_of(folder):
    modulus = subprocess.run(["openssl", "rsa", "-in", folder / "key", "-noout", "-modulus"], check=True,
                             capture_output=True, text=True).stdout.strip().partition("=")[2]
    number = base64.urlsafe_b64encode(bytes.fromhex(modulus)).decode().rstrip("=")
    return {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "n": number, "e": "AQAB"}]}


class GatewayCheckTest(unittest.TestCase):
    """Every configuration, with what is mounted where the pod has it, is to the gateway's liking."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cert, key = make_certificate(folder)
        StandIn.jwks = jwks_of(folder)
        # What the examples expect in the cluster.
        cls.there = {
            ("Secret", "idv-acme"): {"api_key": "k"},
            ("Secret", "idv-keys"): {"acme": "k", "globex": "k", "acme-2026": "k"},
            ("Secret", "idv-gateway-tls"): {"tls.crt": cert, "tls.key": key, "ca.crt": cert, "cert.pem": cert, "key.pem": key},
            ("Secret", "client-authorities"): {"authorities.pem": cert},
            ("ConfigMap", "workload-authorities"): {"bundle.pem": cert},
            ("ConfigMap", "company-authorities"): {"ca.crt": cert},
            ("Secret", "vendor-tls"): {"tls.crt": cert, "tls.key": key, "ca.crt": cert},
            ("Secret", "idv-redis"): {"password": "p", "redis-password": "p", "ca.crt": cert},
            ("Secret", "idv-redis-authorities"): {"redis.pem": cert},
            ("Secret", "idv-redis-client"): {"tls.crt": cert, "tls.key": key},
        }
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.folder.cleanup()

    def mount(self, pod, objects, root):
        """Lays files out below `root` as the kubelet would."""
        there = dict(self.there)
        for each in objects:
            if each["kind"] in ("Secret", "ConfigMap"):
                there[each["kind"], each["metadata"]["name"]] = each.get("data") or each["stringData"]
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        (container,) = pod["spec"]["containers"]
        for mount in container["volumeMounts"]:
            folder = root / mount["mountPath"].lstrip("/")
            folder.mkdir(parents=True)
            for path, text in files_of(volumes.pop(mount["name"]), there):
                (folder / path).write_text(text)
        self.assertEqual(volumes, {}, "volumes that are not mounted")

    def check(self, pod, objects):
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            self.mount(pod, objects, root)
            (container,) = pod["spec"]["containers"]
            path = root / container["args"][1].lstrip("/")
            config = here(yaml.safe_load(path.read_text()), root, address)
            path.write_text(yaml.safe_dump(config))
            return subprocess.run([os.environ["IDV_GATEWAY"], "--config", path, "--check"], capture_output=True, text=True,
                                  timeout=30, check=False)

    def test_likes_the_configuration_of_every_example(self):
        for name in chart.EXAMPLES:
            objects = chart.rendered(name)
            for pod in chart.pods(objects):
                if "verify" in pod["metadata"]["labels"]["app.kubernetes.io/component"]:
                    continue
                with self.subTest(example=name, pod=pod["metadata"]["labels"]["app.kubernetes.io/component"]):
                    result = self.check(pod, objects)

                    self.assertEqual(result.returncode, 0, result.stderr)

    def test_would_notice_a_key_that_is_not_where_the_configuration_says(self):
        objects = chart.rendered()
        (pod, *_) = chart.pods(objects)
        pod["spec"]["volumes"][1]["projected"]["sources"][0]["secret"]["items"][0]["path"] = "other"

        self.assertIn("/keys/acme", self.check(pod, objects).stderr)


def files_of(volume, there):
    if "configMap" in volume:
        yield from there["ConfigMap", volume["configMap"]["name"]].items()
    elif "secret" in volume:
        yield from there["Secret", volume["secret"]["secretName"]].items()
    for source in volume.get("projected", {}).get("sources", []):
        if "serviceAccountToken" in source:
            yield source["serviceAccountToken"]["path"], "a.token.of-a-service-account"
            continue
        for kind, key in (("Secret", "secret"), ("ConfigMap", "configMap")):
            for item in source.get(key, {}).get("items", []):
                yield item["path"], there[kind, source[key]["name"]][item["key"]]


def here(value, root, address, key=""):
    """The configuration with its paths below `root`, and what it asks for secrets and keys at `address`."""
    if isinstance(value, dict):
        return {name: here(below, root, address, name) for name, below in value.items()}
    if isinstance(value, list):
        return [here(below, root, address) for below in value]
    if key in ("address", "jwks_url") and str(value).startswith("https:"):
        return address
    return f"{root}{value}" if isinstance(value, str) and value.startswith("/") else value


def with_path(path, value):
    """{"a": {"b": value}} of "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


class RestartTest(unittest.TestCase):
    def checksum(self, values):
        values |= {"extraVolumeMounts": [{"name": "snapshots", "mountPath": "/snapshots"}]}
        return chart.only(chart.rendered(values=values), "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    def test_follows_what_the_gateway_takes_at_its_next_start(self):
        for path, value, restarts in (
            ("config.log.level", "debug", False),
            ("config.callers", [{"identity": "x", "tenants": ["*"], "methods": ["*"]}], False),
            ("config.drain.settle", "6s", False),
            ("config.budget.queue", 7, False),
            ("config.limits.upload_memory", "300MiB", False),
            ("config.tracing.sample_ratio", 0.5, False),
            ("config.cache.reference.fresh", "2h", False),
            ("config.cache.reference.snapshot_dir", "/snapshots", True),
            ("config.tracing.otlp_endpoint", "http://otel:4318", True),
            ("config.limits.max_message", "5MiB", True),
            ("config.upstream.base_url", "https://other.example.com", True),
            ("config.connection.max_age", "3m", True),
            ("config.shards", 1, True),
            ("listen.host", "[::]", True),
            ("redis.address", "redis:6379", True),
            ("redis.tls.enabled", False, False),  # there is none
        ):
            with self.subTest(path=path):
                self.assertEqual(self.checksum({}) != self.checksum(with_path(path, value)), restarts)

    def test_can_follow_every_change(self):
        every = {"restartOnEveryConfigChange": True}

        self.assertNotEqual(self.checksum(every), self.checksum(every | with_path("config.log.level", "debug")))

    def test_knows_what_that_is(self):
        source = (chart.ROOT / "gateway/config_change.cc").read_text()
        taken = re.findall(r'"([\w.]+)"', re.search(r"kLive = \{(.*?)\}", source, re.S)[1])
        template = (chart.CHART / "templates/_config.tpl").read_text()
        listed = re.findall(r"^- ([\w.]+)$", template, re.M)

        def is_below(path, others):
            return any(f"{path}.".startswith(f"{other}.") for other in others)

        self.assertEqual([path for path in listed if not is_below(path, taken)], [])
        self.assertEqual([path for path in taken if not any(is_below(other, [path]) for other in listed)], [])


if __name__ == "__main__":
    unittest.main()
