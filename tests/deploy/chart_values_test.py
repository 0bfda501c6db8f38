"""Tests what the chart makes of its values: which it refuses, what it computes, and whether they are written down."""

import concurrent.futures
import json
import re
import unittest

import yaml

import chart


class SchemaTest(unittest.TestCase):
    def test_everything_makes_every_kind_and_uses_every_key(self):
        kinds = {each["kind"] for each in chart.rendered("everything")}
        values = yaml.safe_load((chart.CHART / "ci/everything-values.yaml").read_text())
        defaults = yaml.safe_load((chart.CHART / "values.yaml").read_text())
        # Where it keeps defaults on purpose, since the other way leaves things out, or more of the same would tell nothing new.
        kept = ("image.tag", "replicas", "listen.insecure", "listen.tls.clientCa.existingConfigMap", "networkPolicy.egress",
                "probes", "tests.verify.tokenAudience")

        used = {".".join(path[:length]) for path, _ in chart.leaves(values) for length in range(1, len(path) + 1)}
        unused = [".".join(path) for path, value in chart.leaves(defaults) if ".".join(path) not in used and value is not True]
        same = {".".join(path) for path, value in chart.leaves(values) if dict(chart.leaves(defaults)).get(path, KeyError) == value}

        self.assertEqual(kinds, {"ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "Pod",
                                 "PodDisruptionBudget", "PrometheusRule", "Secret", "Service", "ServiceAccount",
                                 "ServiceMonitor"})
        self.assertEqual([path for path in unused if not f"{path}.".startswith(tuple(f"{key}." for key in kept))], [])
        self.assertEqual(same, set())

    def test_knows_the_keys_of_the_gateway(self):
        schema = json.loads((chart.CHART / "values.schema.json").read_text())

        def keys_of(part, path=()):
            part = schema["$defs"].get(part.get("$ref", "").removeprefix("#/$defs/"), part)
            part = part.get("items", part)
            part = schema["$defs"].get(part.get("$ref", "").removeprefix("#/$defs/"), part)
            for key, value in part.get("properties", {}).items():
                yield ".".join((*path, key))
                yield from keys_of(value, (*path, key))

        known = set(keys_of(schema["properties"]["config"]))
        # What the chart fills in.
        computed = {key for key in chart.proto_keys() if re.match(r"listen\.(?!reflection$)|budget\.redis\b", key)}

        self.assertEqual(known, chart.proto_keys() - computed)

    def test_refuses_unknown_keys_everywhere(self):
        schema = json.loads((chart.CHART / "values.schema.json").read_text())

        def open_objects(part, path):
            if part.get("type") == "object" and "properties" in part and part.get("additionalProperties") is not False:
                yield path
            for key, value in part.items():
                if isinstance(value, dict):
                    yield from open_objects(value, f"{path}.{key}")

        self.assertEqual([path for path in open_objects(schema, "") if path not in (
            ".$defs.quantities",  # huge pages and devices have names of their own
            ".properties.extraVolumeMounts.items")], [])


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


class GraceTest(unittest.TestCase):
    def grace(self, name="minimal", values=None):
        objects = chart.rendered(name, values)
        drain = chart.config_of(objects)["drain"]
        spec = chart.only(objects, "Deployment")["spec"]["template"]["spec"]
        sleep = spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        times = [seconds(drain[key]) for key in ("settle", "unary_grace", "stream_grace")]
        return spec["terminationGracePeriodSeconds"], sleep + sum(times), sleep + times[0] + max(times[1:])

    def test_is_longer_than_everything_that_happens_in_it(self):
        for name in chart.EXAMPLES:
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
                objects = chart.rendered(values={"resources": {"limits": {"cpu": cpu}}, "config": config})

                (container,) = chart.only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
                self.assertEqual(container["resources"]["limits"]["memory"], expected)


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
        ({"redis": None}, "redis"),
        ({"service": {"port": None}, "networkPolicy": {"egress": None}}, "egress"),
        ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "app.kubernetes.io/name"),
        ({"podLabels": {"app.kubernetes.io/component": "x"}}, "app.kubernetes.io/component"),
        ({"extraVolumeMounts": [{"name": "x", "mountPath": "/x", "subPath": "y"}]}, "subPath"),
        ({"networkPolicy": {"ingress": {"callers": [{}]}}}, "callers"),
    )

    def expect(self, cases, kind):
        """That each Helm refuses each case, with its message and this one: two at a time, since there are many."""
        todo = [(program, values, message) for program in chart.HELMS for values, message in cases]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda case: chart.template(case[0], "minimal", case[1]), todo)
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
        stderr = chart.helm("helm4", "template", "kyc", chart.CHART).stderr

        for what in ("listen.tls.existingSecret", "config.callers", "config.upstream.base_url", "config.tenants"):
            self.assertIn(f"\n- {what}: ", stderr)


class ReadmeTest(unittest.TestCase):
    def test_names_every_value_with_its_default(self):
        """A row is for a key, or for all below one."""
        defaults = yaml.safe_load((chart.CHART / "values.yaml").read_text())
        rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|", (chart.CHART / "README.md").read_text(), re.M))
        paths = {".".join(path): value for path, value in chart.leaves(defaults)}

        for path in paths:
            covering = [row for row in rows if f"{path}.".startswith(f"{row}.")]
            self.assertEqual(len(covering), 1, f"{path}: {covering}")
        for row, default in rows.items():
            self.assertTrue(any(f"{path}.".startswith(f"{row}.") for path in paths), f"{row} is no value")
            if row in paths and default != "see values.yaml":
                self.assertEqual(yaml.safe_load(default.strip("`") or '""'), paths[row], row)


if __name__ == "__main__":
    unittest.main()
