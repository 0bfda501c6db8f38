"""Tests the objects that the chart makes: against the schemas of Kubernetes, and against each other."""

import itertools
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import kubernetes_validate
import yaml

import chart

KUBERNETES = ("1.30", "1.35")
# Custom resources, of which Kubernetes has no schema: ServiceMonitorTest and MonitoringTest look at them.
WITHOUT_SCHEMA = {"ServiceMonitor", "PrometheusRule"}


def matches(selector, labels):
    expressions = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", selector).items()
               if key != "matchExpressions") and all(labels.get(each["key"]) in each["values"] for each in expressions)


class LintTest(unittest.TestCase):
    def test_helm_has_nothing_to_say(self):
        for program, name in itertools.product(chart.HELMS, chart.EXAMPLES):
            with self.subTest(program=program, example=name):
                result = chart.helm(program, "lint", "--strict", chart.CHART, values=chart.example(name))

                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                self.assertNotRegex(result.stdout, r"\[(WARNING|ERROR)\]")

    def test_both_helms_render_the_same(self):
        for name in chart.EXAMPLES:
            with self.subTest(example=name):
                self.assertEqual(chart.rendered(name, program="helm3"), chart.rendered(name, program="helm4"))

    def test_notes_name_where_to_call(self):
        for name in chart.EXAMPLES:
            with self.subTest(example=name):
                # Helm 3 shows them to a cluster only.
                result = chart.helm("helm4", "install", "kyc", chart.CHART, "--namespace", "idv", "--dry-run=client", values=chart.example(name))

                headless = f"{chart.configmap(chart.rendered(name))['metadata']['name']}-headless"
                notes = result.stdout.partition("NOTES:")[2]
                self.assertIn(f"dns:///{headless}.idv.svc:{8080 if name == 'minimal' else 8443}\n", notes)

    def test_examples_are_not_packaged(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in chart.HELMS:
                chart.helm(program, "package", chart.CHART, "--destination", folder)
                (package,) = pathlib.Path(folder).glob("*.tgz")
                names = subprocess.run(["tar", "tzf", package], capture_output=True, text=True, check=True).stdout
                package.unlink()

                self.assertIn("idv-gateway/files/rules.yaml\n", names)
                self.assertNotIn("/ci/", names)


class SchemaTest(unittest.TestCase):
    def test_objects_fit_kubernetes(self):
        for version, name in itertools.product(KUBERNETES, chart.EXAMPLES):
            for each in chart.rendered(name):
                if each["kind"] in WITHOUT_SCHEMA:
                    continue
                with self.subTest(kubernetes=version, example=name, object=f"{each['kind']} {each['metadata']['name']}"):
                    kubernetes_validate.validate(each, version, strict=True)


class PodTest(unittest.TestCase):
    def test_is_restricted(self):
        """As Pod Security Standards say, and more."""
        for name in chart.EXAMPLES:
            for pod in chart.pods(chart.rendered(name)):
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
        context = chart.pods(chart.rendered())[0]["spec"]["securityContext"]
        self.assertEqual({context[key] for key in ("runAsUser", "runAsGroup", "fsGroup")}, {65532})

        context = chart.pods(chart.rendered(values={"runAsUser": None}))[0]["spec"]["securityContext"]
        self.assertEqual(set(context), {"runAsNonRoot", "seccompProfile"})

    def test_holds_no_key_outside_of_secrets(self):
        for name in chart.EXAMPLES:
            for each in chart.rendered(name):
                if each["kind"] != "Secret":
                    self.assertNotIn("test_sk_sandbox", json.dumps(each))
        self.assertEqual(chart.only(chart.rendered("everything"), "Secret")["stringData"], {"globex": "test_sk_sandbox"})

    def test_has_hooks_and_probes_on_the_admin_port(self):
        (container,) = chart.pods(chart.rendered("everything"))[0]["spec"]["containers"]

        self.assertEqual(container["lifecycle"], {"preStop": {"sleep": {"seconds": 5}}})
        self.assertEqual({key: container[key]["httpGet"] for key in ("startupProbe", "livenessProbe", "readinessProbe")}, {
            "startupProbe": {"path": "/livez", "port": "admin"}, "livenessProbe": {"path": "/livez", "port": "admin"},
            "readinessProbe": {"path": "/readyz", "port": "admin"}})
        self.assertNotIn("lifecycle", chart.pods(chart.rendered())[0]["spec"]["containers"][0])

    def test_has_the_version_of_the_build(self):
        version = re.search(r"project\(\w+ VERSION ([\d.]+)", (chart.ROOT / "CMakeLists.txt").read_text())[1]

        self.assertEqual(yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["appVersion"], version)
        self.assertEqual(chart.pods(chart.rendered())[0]["spec"]["containers"][0]["image"], f"idv-gateway:{version}")

    def test_shows_vault_a_token_where_the_configuration_says(self):
        objects = chart.rendered("vault")
        (pod, *_) = chart.pods(objects)

        self.assertEqual(chart.config_of(objects)["vault"]["auth"]["kubernetes"]["jwt_file"], "/var/run/secrets/idv/vault/token")
        (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == "vault")
        self.assertEqual(volume["projected"]["sources"], [
            {"serviceAccountToken": {"audience": "vault", "expirationSeconds": 3600, "path": "token"}}])

        own = {"config": {"vault": {"auth": {"kubernetes": {"jwt_file": "/mine"}}}}}
        objects = chart.rendered("vault", own)
        self.assertEqual(chart.config_of(objects)["vault"]["auth"]["kubernetes"]["jwt_file"], "/mine")
        self.assertNotIn("vault", [each["name"] for each in chart.pods(objects)[0]["spec"]["volumes"]])


class NetworkTest(unittest.TestCase):
    def test_selectors_find_the_gateway_and_nothing_else(self):
        for name in chart.EXAMPLES:
            objects = chart.rendered(name)
            gateway, *tests = (pod["metadata"]["labels"] for pod in chart.pods(objects))
            deployment = chart.only(objects, "Deployment")["spec"]["selector"]
            selectors = [deployment, chart.only(objects, "PodDisruptionBudget")["spec"]["selector"]]
            selectors += [each["spec"]["selector"] for each in chart.of_kind(objects, "Service")]
            with self.subTest(example=name):
                for selector in selectors:
                    self.assertTrue(matches(selector, gateway))
                    for labels in tests:
                        self.assertFalse(matches(selector, labels))
                for constraint in chart.pods(objects)[0]["spec"]["topologySpreadConstraints"]:
                    self.assertEqual(constraint["labelSelector"], deployment)
                policy = chart.only(objects, "NetworkPolicy")["spec"]["podSelector"]
                self.assertEqual([matches(policy, labels) for labels in (gateway, *tests)],
                                 [True] + [labels["app.kubernetes.io/component"] == "check" for labels in tests])

    def test_ports_have_the_names_that_are_asked_for(self):
        for name in chart.EXAMPLES:
            objects = chart.rendered(name)
            (container,) = chart.pods(objects)[0]["spec"]["containers"]
            with self.subTest(example=name):
                ports = {port["name"]: port["containerPort"] for port in container["ports"]}
                self.assertEqual(ports, {"grpc": 8080 if name == "minimal" else 8443, "admin": 9090})
                listen = chart.config_of(objects)["listen"]
                host = "[::]" if name == "everything" else "0.0.0.0"
                self.assertEqual(listen["grpc"], [f"{host}:{ports['grpc']}"])
                self.assertEqual(listen["admin"], f"0.0.0.0:{ports['admin']}")  # which knows no IPv6
                for service in chart.of_kind(objects, "Service"):
                    for port in service["spec"]["ports"]:
                        self.assertIn(port["targetPort"], ports)
                        if port["name"] == "grpc":
                            self.assertEqual(port["appProtocol"], "grpc" if name == "minimal" else "https")
                        if service["spec"].get("clusterIP") == "None":
                            self.assertEqual(port["port"], ports[port["targetPort"]])

    def egress(self, name, values=None):
        policy = chart.only(chart.rendered(name, values), "NetworkPolicy")["spec"]
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
        rules = chart.only(chart.rendered(), "NetworkPolicy")["spec"]["egress"]

        self.assertIn("169.254.0.0/16", rules[1]["to"][0]["ipBlock"]["except"])

    def test_only_those_named_may_come(self):
        first, second = chart.only(chart.rendered(), "NetworkPolicy")["spec"]["ingress"]

        self.assertEqual([port["port"] for rule in (first, second) for port in rule["ports"]], ["grpc", "admin"])
        self.assertEqual(first["from"], [{"namespaceSelector": {"matchLabels": {"idv-gateway/callers": "true"}}}])
        nobody = {"networkPolicy": {"ingress": {"callers": [], "admin": []}}}
        self.assertEqual(chart.only(chart.rendered(values=nobody), "NetworkPolicy")["spec"]["ingress"] or [], [])


class ServiceMonitorTest(unittest.TestCase):
    def test_finds_the_admin_port_once(self):
        objects = chart.rendered("everything")
        spec = chart.only(objects, "ServiceMonitor")["spec"]

        found = [each for each in chart.of_kind(objects, "Service") if matches(spec["selector"], each["metadata"]["labels"])]
        self.assertEqual([each["spec"].get("clusterIP") for each in found], ["None"])
        (endpoint,) = spec["endpoints"]
        self.assertIn(endpoint["port"], [port["name"] for port in found[0]["spec"]["ports"]])
        self.assertIn(spec["jobLabel"], found[0]["metadata"]["labels"])

    def test_has_known_fields_only(self):
        spec = chart.only(chart.rendered("everything"), "ServiceMonitor")["spec"]

        self.assertEqual(set(spec), {"jobLabel", "selector", "endpoints"})
        self.assertEqual(set(spec["endpoints"][0]),
                         {"port", "path", "interval", "scrapeTimeout", "relabelings", "metricRelabelings"})


class MonitoringTest(unittest.TestCase):
    """Rules and dashboards are those of deploy/. A chart may only read its own files, and links lead out of it."""

    def test_are_copies(self):
        for source, copy in (("prometheus/rules.yaml", "rules.yaml"), ("grafana/overview.json", "dashboards/overview.json"),
                             ("grafana/upstream.json", "dashboards/upstream.json")):
            self.assertEqual((chart.ROOT / "deploy" / source).read_bytes(), (chart.CHART / "files" / copy).read_bytes(),
                             f"cp deploy/{source} deploy/helm/idv-gateway/files/{copy}")
        self.assertEqual({path.name for path in (chart.CHART / "files/dashboards").iterdir()},
                         {path.name for path in (chart.ROOT / "deploy/grafana").glob("*.json")})

    def test_arrive_as_they_are(self):
        on = {"metrics": {"rules": {"enabled": True}, "dashboards": {"enabled": True}}}
        for program in chart.HELMS:
            objects = chart.rendered(values=on, program=program)
            dashboards = next(each for each in chart.of_kind(objects, "ConfigMap") if "config.yaml" not in each["data"])

            self.assertEqual(chart.only(objects, "PrometheusRule")["spec"],
                             yaml.safe_load((chart.ROOT / "deploy/prometheus/rules.yaml").read_text()))
            self.assertEqual(dashboards["metadata"]["labels"]["grafana_dashboard"], "1")
            self.assertEqual({name: json.loads(text) for name, text in dashboards["data"].items()}, {
                f"idv-gateway-{path.name}": json.loads(path.read_text()) for path in (chart.ROOT / "deploy/grafana").glob("*.json")})

    def test_have_links_that_lead_somewhere(self):
        text = chart.rendered_text("helm4", "everything", "{}")

        self.assertEqual(re.findall(r".{8}(?<!/blob/main/)deploy/README\.md#", text), [])
        self.assertIn("https://git.example.com/idv-gateway/blob/main/deploy/README.md#", text)

    def test_prometheus_takes_the_rules(self):
        spec = chart.only(chart.rendered("everything"), "PrometheusRule")["spec"]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(spec, file)
            file.flush()
            result = subprocess.run([chart.ROOT / "build/prometheus/usr/bin/promtool", "check", "rules", file.name],
                                    capture_output=True, text=True, check=False)

        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class AutoscalingTest(unittest.TestCase):
    def test_decides_on_the_replicas_alone(self):
        objects = chart.rendered("redis")

        self.assertNotIn("replicas", chart.only(objects, "Deployment")["spec"])
        target = chart.only(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
        self.assertEqual(target["name"], chart.only(objects, "Deployment")["metadata"]["name"])
        metrics = chart.only(objects, "HorizontalPodAutoscaler")["spec"]["metrics"]
        self.assertEqual([metric["type"] for metric in metrics], ["Resource", "Pods"])
        readme = (chart.ROOT / "deploy/README.md").read_text()
        self.assertIn(f"| `{metrics[1]['pods']['metric']['name']}` |", readme)


if __name__ == "__main__":
    unittest.main()
