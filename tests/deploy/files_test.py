"""Holds the Dockerfile, compose.yaml and the sidecar against the rules of those who read them, and runs what they configure.

    files_test.py BUILD_FOLDER

Run it with the Python of build/tools, as files.sh does. The images themselves are built and run by image.sh, which takes too long
for every change.
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

import kubernetes_validate
import yaml

from programs import PROMTOOL, ROOT, TOOLS, Programs, output

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
VERSION = re.search(r"^project\(idv_gateway VERSION (\S+) ", CMAKE, re.M)[1]
BUILD = ROOT / "build"
SANDBOX_KEY = "test_sk_sandbox"


class ImageTest(unittest.TestCase):
    def test_hadolint_has_nothing_to_say(self):
        output(TOOLS / "hadolint", DEPLOY / "Dockerfile")

    def test_labels_say_the_projects_version(self):
        versions = re.findall(r"^ARG VERSION=(.*)$", DOCKERFILE, re.M)

        self.assertEqual(versions, [VERSION, VERSION])

    def test_what_is_compiled_is_copied(self):
        copied = set(re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.M))

        for folder in re.findall(r"^add_subdirectory\((\w+)\)", CMAKE, re.M):
            self.assertTrue(folder in copied or folder == "tests", folder)

    def test_what_is_copied_is_sent(self):
        sent = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)

        for source in re.findall(r"^COPY (?!--)(\S+) \S+$", DOCKERFILE, re.M):
            self.assertTrue((ROOT / source).exists(), source)
            self.assertTrue(any(source == one or source.startswith(f"{one}/") for one in sent), source)

    def test_a_root_has_all_that_its_programs_need(self):
        become_root = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
        with tempfile.TemporaryDirectory() as root:
            programs = ["idv-gateway", "idv-sandbox", "idv-verify"]
            output(DEPLOY / "image/root.sh", root, *(BUILD / name for name in programs))

            for name in programs:
                self.assertIn(VERSION, output(*become_root, "chroot", root, f"/usr/bin/{name}", "--version"))
            self.assertEqual(sorted(path.name for path in pathlib.Path(root, "usr/bin").iterdir()), programs)
            for name in ("libc6", "libgrpc29", "libcurl4", "libssl3"):
                self.assertIn(f"Package: {name}\n", pathlib.Path(root, "var/lib/dpkg/status.d", name).read_text("utf-8"))


class ComposeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [TOOLS / "docker-compose", "--file", DEPLOY / "compose.yaml", "--profile", "verify", "config"]
        cls.services = json.loads(output(*command, "--format", "json"))["services"]

    def test_nothing_is_reachable_from_elsewhere(self):
        ports = [port for service in self.services.values() for port in service.get("ports", [])]

        self.assertGreater(len(ports), 4)
        self.assertEqual({port.get("host_ip") for port in ports}, {"127.0.0.1"})
        self.assertEqual(len({port["published"] for port in ports}), len(ports))

    def test_what_is_mounted_is_there(self):
        # Docker would make a folder of what is missing.
        for name, service in self.services.items():
            for volume in service.get("volumes", []):
                if volume["type"] == "bind":
                    self.assertTrue(pathlib.Path(volume["source"]).exists(), f"{name}: {volume['source']}")

    def test_our_containers_are_confined(self):
        for name in ("certificates", "sandbox", "gateway", "verify"):
            service = self.services[name]
            self.assertTrue(service["read_only"], name)
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertEqual(service["security_opt"], ["no-new-privileges:true"], name)

    def test_prometheus_watches_the_gateway_with_our_rules(self):
        text = (DEPLOY / "compose/prometheus.yaml").read_text(encoding="utf-8")
        config = yaml.safe_load(text)
        mounted = {volume["target"]: volume["source"] for volume in self.services["prometheus"]["volumes"]}
        for rules in config["rule_files"]:
            text = text.replace(rules, mounted[rules])
        with tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path(folder, "prometheus.yaml")
            here.write_text(text, encoding="utf-8")
            self.assertRegex(output(PROMTOOL, "check", "config", "--lint-fatal", here), r"SUCCESS: [1-9]\d* rules found")

        admin = self.gateway_config()["listen"]["admin"].rpartition(":")[2]
        targets = [target for job in config["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
        self.assertEqual(targets, [f"gateway:{admin}"])

    def test_grafana_has_prometheus_and_the_dashboards(self):
        mounted = {volume["target"]: pathlib.Path(volume["source"]) for volume in self.services["grafana"]["volumes"]}
        provisioning = pathlib.PurePosixPath("/etc/grafana/provisioning")
        (source,) = self.only_file(mounted[str(provisioning / "datasources")])["datasources"]
        (provider,) = self.only_file(mounted[str(provisioning / "dashboards")])["providers"]
        port = self.services["prometheus"]["ports"][0]["target"]

        self.assertEqual((source["type"], source["url"]), ("prometheus", f"http://prometheus:{port}"))
        self.assertTrue(source["isDefault"])  # the dashboards take the default
        dashboards = mounted[provider["options"]["path"]]
        self.assertEqual(sorted(path.name for path in dashboards.glob("*.json")), ["overview.json", "upstream.json"])
        home = pathlib.PurePosixPath(self.services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
        self.assertTrue((mounted[str(home.parent)] / home.name).exists())

    def test_a_verification_goes_through(self):
        # The same certificates, flags and configuration, but on this machine: other addresses and another folder.
        with Programs(BUILD) as programs:
            certificates = str(programs.folder)
            output(DEPLOY / "compose/certificates.sh", certificates)

            def here(words):
                return [word.replace("/certificates", certificates) for word in words]

            sandbox = here(self.services["sandbox"]["command"])
            sandbox[sandbox.index("0.0.0.0:8081")] = "127.0.0.1:0"
            (address,) = programs.start("idv-sandbox", *sandbox)
            config = yaml.safe_load((DEPLOY / "compose/gateway.yaml").read_text("utf-8").replace("/certificates", certificates))
            config["upstream"]["base_url"] = config["upstream"]["base_url"].replace("sandbox:8081", address)
            del config["upstream"]["private_hosts"]  # needed for names alone
            config["listen"] |= {"grpc": ["127.0.0.1:0"], "admin": "127.0.0.1:0"}
            environment = self.services["gateway"]["environment"]
            grpc, _ = programs.start(
                "idv-gateway", "--config", programs.write("gateway.json", json.dumps(config)), listeners=2, env=environment
            )
            program, *verify = here(self.services["verify"]["entrypoint"])
            verify[verify.index("gateway:8443")] = grpc

            self.assertEqual(program, "/usr/bin/idv-verify")
            self.assertIn("VERIFIED", programs.verify(*verify))

    def test_the_configuration_is_good_as_it_is(self):
        with Programs(BUILD) as programs:
            output(DEPLOY / "compose/certificates.sh", programs.folder)
            text = (DEPLOY / "compose/gateway.yaml").read_text("utf-8").replace("/certificates", str(programs.folder))
            environment = self.services["gateway"]["environment"]

            output(BUILD / "idv-gateway", "--check", "--config", programs.write("gateway.yaml", text), env=environment)

    def test_good_certificates_are_kept_and_others_made_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            made = [output(DEPLOY / "compose/certificates.sh", folder)]
            made.append(output(DEPLOY / "compose/certificates.sh", folder))
            pathlib.Path(folder, "client.key").unlink()
            made.append(output(DEPLOY / "compose/certificates.sh", folder))

            self.assertEqual([text.split()[0] for text in made], ["Made", "The", "Made"])

    def gateway_config(self):
        return yaml.safe_load((DEPLOY / "compose/gateway.yaml").read_text("utf-8"))

    def only_file(self, folder):
        (path,) = folder.iterdir()
        return yaml.safe_load(path.read_text("utf-8"))


def named(items, name):
    (one,) = [item for item in items if item["name"] == name]
    return one


class SidecarTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = cls.build(DEPLOY / "sidecar/example")
        cls.config = yaml.safe_load(cls.objects["ConfigMap"]["data"]["config.yaml"])
        cls.pod = cls.objects["Deployment"]["spec"]["template"]["spec"]

    @staticmethod
    def build(folder):
        objects = list(yaml.safe_load_all(output(TOOLS / "kubectl", "kustomize", folder)))
        by_kind = {one["kind"]: one for one in objects}
        assert len(by_kind) == len(objects)
        return by_kind

    def with_component(self, deployment, patch=""):
        """A Deployment as the component leaves it."""
        # Kustomize takes no absolute path.
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            kustomization = {
                "resources": ["deployment.json"],
                "components": [os.path.relpath(DEPLOY / "sidecar/component", folder)],
                "patches": [{"patch": patch, "target": {"kind": "Deployment"}}] if patch else [],
            }
            pathlib.Path(folder, "deployment.json").write_text(json.dumps(deployment), encoding="utf-8")
            pathlib.Path(folder, "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
            return self.build(folder)["Deployment"]

    def deployment(self, **pod):
        labels = {"app": "any"}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "any", "annotations": {"idv-gateway/sidecar": "true"}},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
        }

    def test_the_example_is_valid(self):
        for version in ("1.30", "1.35"):
            for one in self.objects.values():
                kubernetes_validate.validate(one, version, strict=True)

    def test_starts_before_the_application_and_ends_after_it(self):
        gateway = self.pod["initContainers"][0]

        self.assertEqual((gateway["name"], gateway["restartPolicy"]), ("idv-gateway", "Always"))
        self.assertIn("startupProbe", gateway)

    def test_all_speak_of_the_same_socket(self):
        (application,) = self.pod["containers"]
        gateway = named(self.pod["initContainers"], "idv-gateway")
        target = named(application["env"], "IDV_TARGET")["value"]
        socket = pathlib.PurePosixPath(target.removeprefix("unix://"))

        self.assertEqual(self.config["listen"]["grpc"], [f"unix:{socket}"])
        for container in (application, gateway):
            self.assertEqual(named(container["volumeMounts"], "idv-gateway-socket")["mountPath"], str(socket.parent))
        self.assertEqual(named(self.pod["volumes"], "idv-gateway-socket")["emptyDir"]["medium"], "Memory")
        self.assertEqual(self.config["listen"]["unix_mode"], "0660")
        self.assertIn("fsGroup", self.pod["securityContext"])

    def test_all_speak_of_the_same_files_and_ports(self):
        gateway = named(self.pod["initContainers"], "idv-gateway")
        mounts = {one["name"]: one["mountPath"] for one in gateway["volumeMounts"]}
        (tenant,) = self.config["tenants"]

        self.assertEqual(gateway["args"], ["--config", f"{mounts['idv-gateway-config']}/config.yaml"])
        self.assertEqual(str(pathlib.PurePosixPath(tenant["api_key"]["file"]).parent), mounts["idv-gateway-key"])
        volume = named(self.pod["volumes"], "idv-gateway-config")
        self.assertEqual(volume["configMap"]["name"], self.objects["ConfigMap"]["metadata"]["name"])
        port = named(gateway["ports"], "idv-admin")["containerPort"]
        self.assertEqual(self.config["listen"]["admin"], f"0.0.0.0:{port}")

    def test_the_key_is_the_gateways_alone(self):
        for container in self.pod["containers"]:
            self.assertNotIn("idv-gateway-key", [one["name"] for one in container["volumeMounts"]])

    def test_the_image_is_this_version(self):
        gateway = named(self.pod["initContainers"], "idv-gateway")
        bare = self.with_component(self.deployment(containers=[{"name": "one"}]))["spec"]["template"]["spec"]

        self.assertEqual(named(bare["initContainers"], "idv-gateway")["image"], f"idv-gateway:{VERSION}")
        self.assertTrue(gateway["image"].endswith(f"/idv-gateway:{VERSION}"))

    def test_what_the_application_has_is_kept(self):
        container = {
            "name": "one",
            "image": "one:1",
            "env": [{"name": "A", "value": "1"}],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        helper = {"name": "two", "image": "two:1"}
        before = {"name": "before", "image": "before:1"}
        deployment = self.deployment(
            containers=[container, helper],
            initContainers=[before],
            volumes=[{"name": "data", "emptyDir": {}}],
            securityContext={"runAsUser": 1000, "fsGroup": 2000},
        )
        group = json.dumps([{"op": "replace", "path": "/spec/template/spec/securityContext/fsGroup", "value": 2000}])

        pod = self.with_component(deployment, group)["spec"]["template"]["spec"]

        self.assertEqual([one["name"] for one in pod["initContainers"]], ["idv-gateway", "before"])
        self.assertEqual(pod["initContainers"][1], before)
        self.assertEqual([one["name"] for one in pod["containers"]], ["one", "two"])
        self.assertEqual(pod["containers"][1], helper)
        self.assertEqual([one["name"] for one in pod["containers"][0]["env"]], ["A", "IDV_TARGET"])
        self.assertEqual([one["name"] for one in pod["containers"][0]["volumeMounts"]], ["data", "idv-gateway-socket"])
        self.assertIn("data", [one["name"] for one in pod["volumes"]])
        self.assertEqual(pod["securityContext"], {"runAsUser": 1000, "fsGroup": 2000})

    def test_a_deployment_without_the_annotation_is_left_alone(self):
        deployment = self.deployment(containers=[{"name": "one", "image": "one:1"}])
        del deployment["metadata"]["annotations"]

        self.assertEqual(self.with_component(deployment), deployment)

    def test_a_verification_goes_through(self):
        # The same configuration, but on this machine: another folder, another port, and the sandbox for the vendor.
        with Programs(BUILD) as programs:
            (sandbox,) = programs.start("idv-sandbox", "--listen", "127.0.0.1:0")
            programs.write("api_key", SANDBOX_KEY)
            text = self.objects["ConfigMap"]["data"]["config.yaml"]
            for there, here in (
                ("/run/idv", str(programs.folder)),
                ("/var/run/secrets/idv-gateway", str(programs.folder)),
                ("0.0.0.0:19090", "127.0.0.1:0"),
                ("https://api.korastratum.com", f"http://{sandbox}"),
            ):
                self.assertIn(there, text)
                text = text.replace(there, here)
            config = programs.write("config.yaml", text)
            output(BUILD / "idv-gateway", "--check", "--config", config)
            grpc, _ = programs.start("idv-gateway", "--config", config, listeners=2)

            self.assertIn("VERIFIED", programs.verify("--target", grpc))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
