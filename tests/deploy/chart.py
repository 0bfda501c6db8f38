"""The Helm chart deploy/helm/idv-gateway, rendered by Helm 3 and Helm 4, for the tests."""

import functools
import json
import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/idv-gateway"
TOOLS = ROOT / "build/tools"
HELMS = ("helm3", "helm4")
EXAMPLES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir())


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
