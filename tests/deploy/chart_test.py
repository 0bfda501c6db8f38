"""Tests the Helm chart deploy/helm/idv-gateway, as Helm 3 and Helm 4 render it. IDV_GATEWAY names the program."""

import base64
import concurrent.futures
import functools
import http.server
import itertools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import unittest

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/idv-gateway"
TOOLS = ROOT / "build/tools"
HELMS = ("helm3", "helm4")
KUBERNETES = ("1.30", "1.35")
EXAMPLES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir())
# Custom resources, of which Kubernetes has no schema: ServiceMonitorTest and RulesTest look at them.
WITHOUT_SCHEMA = {"ServiceMonitor", "PrometheusRule"}


def helm(program, *arguments, values=None):
    given = ["--values", "-"] if values is not None else []
    return subprocess.run([TOOLS / program, *arguments, *given], input=json.dumps(values), capture_output=True,
                          text=True, timeout=60, check=False)


def example(name):
    return yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text())


def merged(values, changes):
    """None takes a key away, and is handed on where the chart has a default to be taken away."""
    result = dict(values)
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(values.get(key), dict):
            result[key] = merged(values[key], change)
        elif change is None and key in values:
            del result[key]
        else:
            result[key] = change
    return result


def template(program, name, values=None):
    """Renders the example, with these values on top."""
    return helm(program, "template", "kyc", CHART, "--namespace", "idv", values=merged(example(name), values or {}))


@functools.cache
def rendered_text(program, name, values):
    result = template(program, name, json.loads(values))
    if result.returncode != 0:
        raise AssertionError(f"{program}, {name}: {result.stderr}")
    return result.stdout


def rendered(name="minimal", values=None, program="helm4"):
    """The objects that the example, with these values on top, makes."""
    text = rendered_text(program, name, json.dumps(values or {}))
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(objects, kind):
    return [each for each in objects if each["kind"] == kind]


def only(objects, kind):
    (one,) = of_kind(objects, kind)
    return one


def pods(objects):
    """The pod of the Deployment and those of the tests, each as a Pod."""
    template = only(objects, "Deployment")["spec"]["template"]
    return [template, *of_kind(objects, "Pod")]


def configmap(objects):
    return next(each for each in of_kind(objects, "ConfigMap") if "config.yaml" in each["data"])


def config_of(objects):
    return yaml.safe_load(configmap(objects)["data"]["config.yaml"])


def leaves(tree, path=()):
    """Of nested dictionaries: paths and values of what is none, or empty."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def with_path(path, value):
    """{"a": {"b": value}} of "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def matches(selector, labels):
    expressions = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", selector).items()
               if key != "matchExpressions") and all(labels.get(each["key"]) in each["values"] for each in expressions)


class LintTest(unittest.TestCase):
    def test_helm_has_nothing_to_say(self):
        for program, name in itertools.product(HELMS, EXAMPLES):
            with self.subTest(program=program, example=name):
                result = helm(program, "lint", "--strict", CHART, values=example(name))

                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                self.assertNotRegex(result.stdout, r"\[(WARNING|ERROR)\]")

    def test_both_helms_render_the_same(self):
        for name in EXAMPLES:
            with self.subTest(example=name):
                self.assertEqual(rendered(name, program="helm3"), rendered(name, program="helm4"))

    def test_notes_name_where_to_call(self):
        for name in EXAMPLES:
            with self.subTest(example=name):
                # Helm 3 shows them to a cluster only.
                result = helm("helm4", "install", "kyc", CHART, "--namespace", "idv", "--dry-run=client", values=example(name))

                headless = f"{configmap(rendered(name))['metadata']['name']}-headless"
                notes = result.stdout.partition("NOTES:")[2]
                self.assertIn(f"dns:///{headless}.idv.svc:{8080 if name == 'minimal' else 8443}\n", notes)

    def test_examples_are_not_packaged(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in HELMS:
                helm(program, "package", CHART, "--destination", folder)
                (package,) = pathlib.Path(folder).glob("*.tgz")
                names = subprocess.run(["tar", "tzf", package], capture_output=True, text=True, check=True).stdout
                package.unlink()

                self.assertIn("idv-gateway/files/rules.yaml\n", names)
                self.assertNotIn("/ci/", names)


class SchemaTest(unittest.TestCase):
    def test_objects_fit_kubernetes(self):
        for version, name in itertools.product(KUBERNETES, EXAMPLES):
            for each in rendered(name):
                if each["kind"] in WITHOUT_SCHEMA:
                    continue
                with self.subTest(kubernetes=version, example=name, object=f"{each['kind']} {each['metadata']['name']}"):
                    kubernetes_validate.validate(each, version, strict=True)

    def test_everything_makes_every_kind_and_uses_every_key(self):
        kinds = {each["kind"] for each in rendered("everything")}
        values = yaml.safe_load((CHART / "ci/everything-values.yaml").read_text())
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        # Where it keeps the default on purpose, since the other way leaves things out.
        kept = {"listen.insecure", "listen.tls.clientCa.existingConfigMap", "replicas", "tests.verify.tokenAudience", "image.tag"}

        unused = {".".join(path) for path, _ in leaves(defaults)} - {
            ".".join(path[:length]) for path, _ in leaves(values) for length in range(1, len(path) + 1)}
        same = {".".join(path) for path, value in leaves(values) if dict(leaves(defaults)).get(path, KeyError) == value}

        self.assertEqual(kinds, {"ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "Pod",
                                 "PodDisruptionBudget", "PrometheusRule", "Secret", "Service", "ServiceAccount",
                                 "ServiceMonitor"})
        self.assertLessEqual({path for path in unused if not is_enabled_by_default(defaults, path)}, kept)
        self.assertEqual(same, set())

    def test_knows_the_keys_of_the_gateway(self):
        schema = json.loads((CHART / "values.schema.json").read_text())

        def keys_of(part, path=()):
            part = schema["$defs"].get(part.get("$ref", "").removeprefix("#/$defs/"), part)
            part = part.get("items", part)
            part = schema["$defs"].get(part.get("$ref", "").removeprefix("#/$defs/"), part)
            for key, value in part.get("properties", {}).items():
                yield ".".join((*path, key))
                yield from keys_of(value, (*path, key))

        known = set(keys_of(schema["properties"]["config"]))
        # What the chart fills in.
        computed = {key for key in proto_keys() if re.match(r"listen\.(?!reflection$)|(budget|idempotency)\.redis\b", key)}

        self.assertEqual(known - PENDING_KEYS, proto_keys() - computed - PENDING_KEYS)

    def test_refuses_unknown_keys_everywhere(self):
        schema = json.loads((CHART / "values.schema.json").read_text())

        def open_objects(part, path):
            if part.get("type") == "object" and "properties" in part and part.get("additionalProperties") is not False:
                yield path
            for key, value in part.items():
                if isinstance(value, dict):
                    yield from open_objects(value, f"{path}.{key}")

        self.assertEqual([path for path in open_objects(schema, "") if path not in (
            ".$defs.quantities",  # huge pages and devices have names of their own
            ".properties.extraVolumeMounts.items")], [])


def is_enabled_by_default(defaults, path):
    """Whether it is a switch that is on already, or stands below one that everything-values.yaml need not repeat."""
    value = defaults
    for key in path.split("."):
        value = value[key]
    return value is True or path.startswith(("probes.", "networkPolicy.egress.upstream", "networkPolicy.egress.")) or (
        path in ("topologySpreadConstraints", "tests.check.enabled"))


# Keys of configurations to come, which the gateway may not know yet.
PENDING_KEYS = {"idempotency", "idempotency.keep"}


def proto_keys():
    """The keys of config.proto, each with its path."""
    text = (ROOT / "proto/kora/idv/gateway/v1/config.proto").read_text()
    text = re.sub(r"//.*", "", text)
    messages = {}
    for name, body in re.findall(r"^message (\w+) \{(.*?)^\}", text, re.M | re.S):
        messages[name] = re.findall(r"([\w.]+) (\w+) = \d+;", body)

    def keys_of(message, path):
        for kind, key in messages[message]:
            yield ".".join((*path, key))
            if kind in messages:
                yield from keys_of(kind, (*path, key))

    return set(keys_of("Config", ()))


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
            config = here(without_pending(yaml.safe_load(path.read_text())), root, address)
            path.write_text(yaml.safe_dump(config))
            return subprocess.run([os.environ["IDV_GATEWAY"], "--config", path, "--check"], capture_output=True, text=True,
                                  timeout=30, check=False)

    def test_likes_the_configuration_of_every_example(self):
        for name in EXAMPLES:
            objects = rendered(name)
            for pod in pods(objects):
                if "verify" in pod["metadata"]["labels"]["app.kubernetes.io/component"]:
                    continue
                with self.subTest(example=name, pod=pod["metadata"]["labels"]["app.kubernetes.io/component"]):
                    result = self.check(pod, objects)

                    self.assertEqual(result.returncode, 0, result.stderr)

    def test_would_notice_a_key_that_is_not_where_the_configuration_says(self):
        objects = rendered()
        (pod, *_) = pods(objects)
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


def without_pending(config):
    """Without what a gateway that keeps no request ids does not know."""
    if "idempotency" not in proto_keys():
        config.pop("idempotency", None)
    return config


def here(value, root, address, key=""):
    """The configuration with its paths below `root`, and what it asks for secrets and keys at `address`."""
    if isinstance(value, dict):
        return {name: here(below, root, address, name) for name, below in value.items()}
    if isinstance(value, list):
        return [here(below, root, address) for below in value]
    if key in ("address", "jwks_url") and str(value).startswith("https:"):
        return address
    return f"{root}{value}" if isinstance(value, str) and value.startswith("/") else value


class GraceTest(unittest.TestCase):
    def grace(self, name="minimal", values=None):
        objects = rendered(name, values)
        drain = config_of(objects)["drain"]
        spec = only(objects, "Deployment")["spec"]["template"]["spec"]
        sleep = spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        times = [seconds(drain[key]) for key in ("settle", "unary_grace", "stream_grace")]
        return spec["terminationGracePeriodSeconds"], sleep + sum(times), sleep + times[0] + max(times[1:])

    def test_is_longer_than_everything_that_happens_in_it(self):
        for name in EXAMPLES:
            with self.subTest(example=name):
                given, every, needed = self.grace(name)

                self.assertGreater(given, every)
                self.assertGreater(given, needed + 10)  # when the gateway ends itself, see gateway/main.cc

    def test_is_the_sum_rounded_up(self):
        for settle, unary, stream, sleep, expected in (
            ("5s", "10s", "30s", 0, 55),
            ("0s", "1ms", "1ms", 0, 11),
            ("250ms", "250ms", "500ms", 0, 11),
            ("250ms", "250ms", "501ms", 0, 12),
            ("15s", "1m", "2m", 20, 225),
            ("1m", "1h", "1h", 0, 7270),
            ("5s", "10s", "1d", 7, 86432),
        ):
            drain = {"settle": settle, "unary_grace": unary, "stream_grace": stream}
            with self.subTest(drain=drain, sleep=sleep):
                given, every, _ = self.grace(values={"config": {"drain": drain}, "preStop": {"sleepSeconds": sleep}})

                self.assertEqual(given, expected)
                self.assertGreater(given, every)

    def test_can_be_longer(self):
        self.assertEqual(self.grace(values={"terminationGracePeriodSeconds": 55})[0], 55)
        self.assertEqual(self.grace(values={"terminationGracePeriodSeconds": 600})[0], 600)


class MemoryTest(unittest.TestCase):
    def test_is_what_the_gateway_may_use(self):
        for cpu, config, expected in (
            ("2", {}, "560Mi"),
            (1, {}, "560Mi"),
            ("500m", {}, "560Mi"),
            ("3500m", {}, "672Mi"),
            ("4", {}, "672Mi"),
            ("4", {"shards": 1}, "560Mi"),
            ("2", {"shards": 3}, "784Mi"),
            (None, {"shards": 1}, "560Mi"),
            ("2", {"limits": {"upload_memory": "1GiB"}}, "1328Mi"),
            ("2", {"limits": {"max_image": "20MiB"}}, "640Mi"),
            ("2", {"limits": {"max_message": "1KiB", "max_image": "1KiB", "upload_memory": "300000KiB"}}, "485Mi"),
        ):
            with self.subTest(cpu=cpu, config=config):
                objects = rendered(values={"resources": {"limits": {"cpu": cpu}}, "config": config})

                (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
                self.assertEqual(container["resources"]["limits"]["memory"], expected)


class RestartTest(unittest.TestCase):
    def checksum(self, values):
        return only(rendered(values=values), "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    def test_follows_what_the_gateway_takes_at_its_next_start(self):
        for path, value, restarts in (
            ("config.log.level", "debug", False),
            ("config.callers", [{"identity": "x", "tenants": ["*"], "methods": ["*"]}], False),
            ("config.drain.settle", "6s", False),
            ("config.budget.queue", 7, False),
            ("config.limits.upload_memory", "300MiB", False),
            ("config.limits.max_message", "5MiB", True),
            ("config.upstream.base_url", "https://other.example.com", True),
            ("config.connection.max_age", "3m", True),
            ("config.shards", 1, True),
            ("listen.host", "[::]", True),
            ("redis.address", "redis:6379", True),
            ("redis.tls.enabled", False, False),  # there is none
        ):
            with self.subTest(path=path):
                before = self.checksum(with_path(path.rsplit(".", 1)[0], {}))
                after = self.checksum(with_path(path, value))

                self.assertEqual(before != after, restarts)

    def test_can_follow_every_change(self):
        every = {"restartOnEveryConfigChange": True}

        self.assertNotEqual(self.checksum(every), self.checksum(every | with_path("config.log.level", "debug")))

    def test_knows_what_that_is(self):
        source = (ROOT / "gateway/config_change.cc").read_text()
        taken = re.findall(r'"([\w.]+)"', re.search(r"kLive = \{(.*?)\}", source, re.S)[1])
        template = (CHART / "templates/_config.tpl").read_text()
        listed = re.findall(r"^- ([\w.]+)$", template, re.M)

        def is_below(path, others):
            return any(f"{path}.".startswith(f"{other}.") for other in others)

        self.assertEqual([path for path in listed if not is_below(path, taken)], [])
        self.assertEqual([path for path in taken if not any(is_below(other, [path]) for other in listed)], [])


JWT = {"issuer": "https://a", "audience": "b", "jwks_url": "https://c"}
TLS = {"listen": {"insecure": False, "tls": {"existingSecret": "tls"}}}
ACME = {"name": "acme", "tenant_id": "550e8400-e29b-41d4-a716-446655440000"}
VAULT_KEY = {"vault": {"path": "secret/data/x", "field": "y"}}


class RefusalTest(unittest.TestCase):
    """Each of these, on top of the minimal values, is refused with that in the message."""

    contradictions = (
        ({"listen": {"insecure": False}}, "listen.tls.existingSecret: expected the name of a Secret"),
        ({"listen": {"tls": {"existingSecret": "tls"}}}, "listen.insecure contradicts listen.tls.existingSecret"),
        ({"config": {"authentication": None}}, "listen.insecure needs config.authentication.jwt"),
        ({"config": {"authentication": None}, "listen": {"insecure": False, "tls": {"existingSecret": "t", "clientCa": {
            "enabled": False}}}}, "listen.tls.clientCa.enabled: false needs config.authentication.jwt"),
        ({"config": {"authentication": {"mtls": {"identity": "dns"}}}}, "config.authentication.mtls needs listen.tls.clientCa"),
        ({"listen": {"tls": {"clientCa": {"existingSecret": "a", "existingConfigMap": "b"}}}},
         "listen.tls.clientCa: existingSecret contradicts existingConfigMap"),
        ({"config": {"callers": []}}, "config.callers: expected at least one"),
        ({"config": {"callers": [{"identity": "local", "tenants": ["*"], "methods": ["*"]}]}}, "nobody is 'local'"),
        ({"config": {"upstream": {"base_url": None}}}, "config.upstream.base_url: expected the URL"),
        ({"config": {"tenants": []}}, "config.tenants: expected at least one"),
        ({"config": {"tenants": [ACME | {"api_key": {"file": "/x"}}]}}, "acme has an api_key, which contradicts apiKeys.acme"),
        ({"apiKeys": {"acme": None}}, "config.tenants: acme has no key"),
        ({"apiKeys": {"acme": None}, "config": {"tenants": [ACME | {"api_key": VAULT_KEY}]}},
         "the api_key of acme needs config.vault"),
        ({"config": {"tenants": [ACME, ACME]}}, "two have the same name"),
        ({"apiKeys": {"acne": {"value": "x"}}}, "apiKeys.acne: no tenant of config.tenants is called so"),
        ({"apiKeys": {"acme": {"value": "x"}}}, "apiKeys.acme: existingSecret contradicts value"),
        ({"apiKeys": {"acme": {"existingSecret": ""}}}, "apiKeys.acme: expected existingSecret or value"),
        ({"redis": {"existingSecret": "x"}}, "redis: its Secrets need redis.address"),
        ({"redis": {"address": "a:1", "tls": {"enabled": False, "caSecret": "x"}}}, "caSecret and clientSecret contradict enabled: false"),
        ({"config": {"cache": {"reference": {"snapshot_dir": "/var/cache/idv"}}}, "extraVolumeMounts": [
            {"name": "x", "mountPath": "/var/cache/id"}]}, "config.cache.reference.snapshot_dir: no volume"),
        ({"config": {"drain": None}}, "config.drain.settle: expected a duration"),
        ({"config": {"limits": {"max_image": None}}}, "config.limits.max_image: expected a size"),
        ({"terminationGracePeriodSeconds": 54}, "54 cuts calls off: preStop and config.drain take up to 55"),
        ({"terminationGracePeriodSeconds": 55, "preStop": {"sleepSeconds": 1}}, "take up to 56"),
        ({"resources": {"limits": {"cpu": None}}}, "config.shards: expected a number"),
        ({"resources": {"limits": {"memory": "559Mi"}}}, "559Mi is less than the 560Mi that the gateway may use"),
        ({"resources": {"limits": {"memory": "0.5G"}}}, "0.5G is less than the 560Mi"),
        ({"autoscaling": {"enabled": True, "minReplicas": 9}}, "autoscaling.minReplicas: expected at most maxReplicas"),
        ({"autoscaling": {"enabled": True, "cpuUtilization": 0}}, "autoscaling: expected cpuUtilization or callsInFlight"),
        ({"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}, "needs resources.requests.cpu"),
        ({"podDisruptionBudget": {"minAvailable": 1}}, "podDisruptionBudget: expected one of"),
        ({"podDisruptionBudget": {"maxUnavailable": ""}}, "podDisruptionBudget: expected one of"),
        ({"strategy": {"maxSurge": "0%"}}, "no pod can be replaced"),
        (TLS | {"tests": {"verify": {"enabled": True}}}, "tests.verify.tlsSecret: expected the name of a Secret"),
        ({"tests": {"verify": {"enabled": True}}}, "tests.verify.tokenAudience: expected an audience"),
        ({"tests": {"verify": {"enabled": True, "tlsSecret": "x"}}}, "tests.verify.tlsSecret contradicts listen.insecure"),
    )
    mistakes = (
        ({"replica": 2}, "replica"),
        ({"image": {"name": "x"}}, "name"),
        ({"config": {"upstreams": {}}}, "upstreams"),
        ({"config": {"listen": {"grpc": []}}}, "grpc"),
        ({"config": {"budget": {"redis": {}}}}, "redis"),
        ({"config": {"tenants": [ACME | {"api-key": "x"}]}}, "api-key"),
        ({"config": {"drain": {"settle": "5"}}}, "settle"),
        ({"config": {"drain": {"settle": 5}}}, "settle"),
        ({"config": {"limits": {"upload_memory": "256MB"}}}, "upload_memory"),
        ({"config": {"vault": {"address": "https://v", "auth": {"token_file": "/x", "jwt": {"role": "y"}}}}}, "auth"),
        ({"apiKeys": {"acme": {"existing": "x"}}}, "existing"),
        ({"apiKeys": {"Acme": {"value": "x"}}}, "Acme"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"listen": {"tls": {"existingSecret": "Not_A_Name"}}}, "existingSecret"),
        ({"resources": {"limits": {"memory": "lots"}}}, "memory"),
        ({"runAsUser": 0}, "runAsUser"),
        ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "app.kubernetes.io/name"),
        ({"podLabels": {"app.kubernetes.io/component": "x"}}, "app.kubernetes.io/component"),
        ({"extraVolumeMounts": [{"name": "x", "mountPath": "/x", "subPath": "y"}]}, "subPath"),
        ({"networkPolicy": {"ingress": {"callers": [{}]}}}, "callers"),
    )

    def expect(self, cases, kind):
        """That each Helm refuses each case, with its message and this one: two at a time, since there are many."""
        todo = [(program, values, message) for program in HELMS for values, message in cases]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda case: template(case[0], "minimal", case[1]), todo)
            for (program, values, message), result in zip(todo, results):
                with self.subTest(program=program, values=values):
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(message, result.stderr)
                    self.assertIn(kind, result.stderr)

    def test_refuses_contradictions(self):
        self.expect(self.contradictions, "The values of idv-gateway cannot be used:")

    def test_refuses_mistakes_by_the_schema(self):
        self.expect(self.mistakes, "don't meet the specifications of the schema")

    def test_tells_all_at_once(self):
        stderr = helm("helm4", "template", "kyc", CHART).stderr

        for what in ("listen.tls.existingSecret", "config.callers", "config.upstream.base_url", "config.tenants"):
            self.assertIn(f"\n- {what}: ", stderr)


class PodTest(unittest.TestCase):
    def test_is_restricted(self):
        """As Pod Security Standards say, and more."""
        for name in EXAMPLES:
            for pod in pods(rendered(name)):
                spec = pod["spec"]
                with self.subTest(example=name, pod=pod["metadata"]["labels"]["app.kubernetes.io/component"]):
                    self.assertIs(spec["automountServiceAccountToken"], False)
                    self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
                    self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    for container in (*spec["containers"], *spec.get("initContainers", [])):
                        self.assertEqual(container["securityContext"], {
                            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
                    for mount in spec["containers"][0]["volumeMounts"]:
                        self.assertNotIn("subPath", mount)

    def test_is_run_by_the_user_of_the_image_unless_told(self):
        context = pods(rendered())[0]["spec"]["securityContext"]
        self.assertEqual({context[key] for key in ("runAsUser", "runAsGroup", "fsGroup")}, {65532})

        context = pods(rendered(values={"runAsUser": None}))[0]["spec"]["securityContext"]
        self.assertEqual(set(context), {"runAsNonRoot", "seccompProfile"})

    def test_holds_no_key_outside_of_secrets(self):
        for name in EXAMPLES:
            for each in rendered(name):
                if each["kind"] != "Secret":
                    self.assertNotIn("test_sk_sandbox", json.dumps(each))
        self.assertEqual(only(rendered("everything"), "Secret")["stringData"], {"globex": "test_sk_sandbox"})

    def test_has_hooks_and_probes_on_the_admin_port(self):
        (container,) = pods(rendered("everything"))[0]["spec"]["containers"]

        self.assertEqual(container["lifecycle"], {"preStop": {"sleep": {"seconds": 5}}})
        self.assertEqual({key: container[key]["httpGet"] for key in ("startupProbe", "livenessProbe", "readinessProbe")}, {
            "startupProbe": {"path": "/livez", "port": "admin"}, "livenessProbe": {"path": "/livez", "port": "admin"},
            "readinessProbe": {"path": "/readyz", "port": "admin"}})
        self.assertNotIn("lifecycle", pods(rendered())[0]["spec"]["containers"][0])

    def test_has_the_version_of_the_build(self):
        version = re.search(r"project\(\w+ VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]

        self.assertEqual(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"], version)
        self.assertEqual(pods(rendered())[0]["spec"]["containers"][0]["image"], f"idv-gateway:{version}")

    def test_shows_vault_a_token_where_the_configuration_says(self):
        objects = rendered("vault")
        (pod, *_) = pods(objects)

        self.assertEqual(config_of(objects)["vault"]["auth"]["kubernetes"]["jwt_file"], "/var/run/secrets/idv/vault/token")
        (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == "vault")
        self.assertEqual(volume["projected"]["sources"], [
            {"serviceAccountToken": {"audience": "vault", "expirationSeconds": 3600, "path": "token"}}])

        own = {"config": {"vault": {"auth": {"kubernetes": {"jwt_file": "/mine"}}}}}
        objects = rendered("vault", own)
        self.assertEqual(config_of(objects)["vault"]["auth"]["kubernetes"]["jwt_file"], "/mine")
        self.assertNotIn("vault", [each["name"] for each in pods(objects)[0]["spec"]["volumes"]])


class NetworkTest(unittest.TestCase):
    def test_selectors_find_the_gateway_and_nothing_else(self):
        for name in EXAMPLES:
            objects = rendered(name)
            gateway, *tests = (pod["metadata"]["labels"] for pod in pods(objects))
            deployment = only(objects, "Deployment")["spec"]["selector"]
            selectors = [deployment, only(objects, "PodDisruptionBudget")["spec"]["selector"]]
            selectors += [each["spec"]["selector"] for each in of_kind(objects, "Service")]
            with self.subTest(example=name):
                for selector in selectors:
                    self.assertTrue(matches(selector, gateway))
                    for labels in tests:
                        self.assertFalse(matches(selector, labels))
                for constraint in pods(objects)[0]["spec"]["topologySpreadConstraints"]:
                    self.assertEqual(constraint["labelSelector"], deployment)
                policy = only(objects, "NetworkPolicy")["spec"]["podSelector"]
                self.assertEqual([matches(policy, labels) for labels in (gateway, *tests)],
                                 [True] + [labels["app.kubernetes.io/component"] == "check" for labels in tests])

    def test_ports_have_the_names_that_are_asked_for(self):
        for name in EXAMPLES:
            objects = rendered(name)
            (container,) = pods(objects)[0]["spec"]["containers"]
            with self.subTest(example=name):
                ports = {port["name"]: port["containerPort"] for port in container["ports"]}
                self.assertEqual(ports, {"grpc": 8080 if name == "minimal" else 8443, "admin": 9090})
                listen = config_of(objects)["listen"]
                host = "[::]" if name == "everything" else "0.0.0.0"
                self.assertEqual(listen["grpc"], [f"{host}:{ports['grpc']}"])
                self.assertEqual(listen["admin"], f"0.0.0.0:{ports['admin']}")  # which knows no IPv6
                for service in of_kind(objects, "Service"):
                    for port in service["spec"]["ports"]:
                        self.assertIn(port["targetPort"], ports)
                        if service["spec"].get("clusterIP") == "None":
                            self.assertEqual(port["port"], ports[port["targetPort"]])

    def egress(self, name, values=None):
        policy = only(rendered(name, values), "NetworkPolicy")["spec"]
        return [sorted(port["port"] for port in rule["ports"]) for rule in policy["egress"]]

    def test_egress_leads_where_the_configuration_does(self):
        self.assertEqual(self.egress("minimal"), [[53, 53], [443], [443]])  # DNS, vendor, issuer
        self.assertEqual(self.egress("mtls"), [[53, 53], [443]])
        self.assertEqual(self.egress("vault"), [[53, 53], [443], [8200]])
        self.assertEqual(self.egress("redis"), [[53, 53], [443], [6379]])
        self.assertEqual(self.egress("everything"), [[5353, 5353], [443], [8200], [6380], [4318], [8443], [3128]])
        other = {"config": {"upstream": {"base_url": "https://[2001:db8::1]:8444/x", "health_url": "https://idv/health"}}}
        self.assertEqual(self.egress("mtls", other), [[53, 53], [443, 8444]])
        sandbox = {"config": {"upstream": {"base_url": "http://127.0.0.1:8081/api/v1/idv"}}}
        self.assertEqual(self.egress("mtls", sandbox), [[53, 53]])

    def test_the_vendor_is_in_no_private_network(self):
        rules = only(rendered(), "NetworkPolicy")["spec"]["egress"]

        self.assertIn("169.254.0.0/16", rules[1]["to"][0]["ipBlock"]["except"])

    def test_only_those_named_may_come(self):
        first, second = only(rendered(), "NetworkPolicy")["spec"]["ingress"]

        self.assertEqual([port["port"] for rule in (first, second) for port in rule["ports"]], ["grpc", "admin"])
        self.assertEqual(first["from"], [{"namespaceSelector": {"matchLabels": {"idv-gateway/callers": "true"}}}])
        nobody = {"networkPolicy": {"ingress": {"callers": [], "admin": []}}}
        self.assertEqual(only(rendered(values=nobody), "NetworkPolicy")["spec"]["ingress"] or [], [])


class ServiceMonitorTest(unittest.TestCase):
    def test_finds_the_admin_port_once(self):
        objects = rendered("everything")
        spec = only(objects, "ServiceMonitor")["spec"]

        found = [each for each in of_kind(objects, "Service") if matches(spec["selector"], each["metadata"]["labels"])]
        self.assertEqual([each["spec"].get("clusterIP") for each in found], ["None"])
        (endpoint,) = spec["endpoints"]
        self.assertIn(endpoint["port"], [port["name"] for port in found[0]["spec"]["ports"]])
        self.assertIn(spec["jobLabel"], found[0]["metadata"]["labels"])

    def test_has_known_fields_only(self):
        spec = only(rendered("everything"), "ServiceMonitor")["spec"]

        self.assertEqual(set(spec), {"jobLabel", "selector", "endpoints"})
        self.assertEqual(set(spec["endpoints"][0]),
                         {"port", "path", "interval", "scrapeTimeout", "relabelings", "metricRelabelings"})


class MonitoringTest(unittest.TestCase):
    """Rules and dashboards are those of deploy/. A chart may only read its own files, and links lead out of it."""

    def test_are_copies(self):
        for source, copy in (("prometheus/rules.yaml", "rules.yaml"), ("grafana/overview.json", "dashboards/overview.json"),
                             ("grafana/upstream.json", "dashboards/upstream.json")):
            self.assertEqual((ROOT / "deploy" / source).read_bytes(), (CHART / "files" / copy).read_bytes(),
                             f"cp deploy/{source} deploy/helm/idv-gateway/files/{copy}")
        self.assertEqual({path.name for path in (CHART / "files/dashboards").iterdir()},
                         {path.name for path in (ROOT / "deploy/grafana").glob("*.json")})

    def test_arrive_as_they_are(self):
        on = {"metrics": {"rules": {"enabled": True}, "dashboards": {"enabled": True}}}
        for program in HELMS:
            objects = rendered(values=on, program=program)
            dashboards = next(each for each in of_kind(objects, "ConfigMap") if "config.yaml" not in each["data"])

            self.assertEqual(only(objects, "PrometheusRule")["spec"],
                             yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text()))
            self.assertEqual(dashboards["metadata"]["labels"]["grafana_dashboard"], "1")
            self.assertEqual({name: json.loads(text) for name, text in dashboards["data"].items()}, {
                f"idv-gateway-{path.name}": json.loads(path.read_text()) for path in (ROOT / "deploy/grafana").glob("*.json")})

    def test_have_links_that_lead_somewhere(self):
        text = rendered_text("helm4", "everything", "{}")

        self.assertEqual(re.findall(r".{8}(?<!/blob/main/)deploy/README\.md#", text), [])
        self.assertIn("https://git.example.com/idv-gateway/blob/main/deploy/README.md#", text)

    def test_prometheus_takes_the_rules(self):
        spec = only(rendered("everything"), "PrometheusRule")["spec"]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(spec, file)
            file.flush()
            result = subprocess.run([ROOT / "build/prometheus/usr/bin/promtool", "check", "rules", file.name],
                                    capture_output=True, text=True, check=False)

        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class AutoscalingTest(unittest.TestCase):
    def test_decides_on_the_replicas_alone(self):
        objects = rendered("redis")

        self.assertNotIn("replicas", only(objects, "Deployment")["spec"])
        target = only(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
        self.assertEqual(target["name"], only(objects, "Deployment")["metadata"]["name"])
        metrics = only(objects, "HorizontalPodAutoscaler")["spec"]["metrics"]
        self.assertEqual([metric["type"] for metric in metrics], ["Resource", "Pods"])
        readme = (ROOT / "deploy/README.md").read_text()
        self.assertIn(f"| `{metrics[1]['pods']['metric']['name']}` |", readme)


class ReadmeTest(unittest.TestCase):
    def test_names_every_value_with_its_default(self):
        """A row is for a key, or for all below one."""
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|", (CHART / "README.md").read_text(), re.M))
        paths = {".".join(path): value for path, value in leaves(defaults)}

        for path in paths:
            covering = [row for row in rows if f"{path}.".startswith(f"{row}.")]
            self.assertEqual(len(covering), 1, f"{path}: {covering}")
        for row, default in rows.items():
            self.assertTrue(any(f"{path}.".startswith(f"{row}.") for path in paths), f"{row} is no value")
            if row in paths and default != "see values.yaml":
                self.assertEqual(yaml.safe_load(default.strip("`") or '""'), paths[row], row)


if __name__ == "__main__":
    unittest.main()
