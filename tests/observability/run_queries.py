#!/usr/bin/env python3
"""Asks a Prometheus that scrapes a gateway every query of the dashboards and of its rules.

    run_queries.py http://127.0.0.1:9090

Fails when a query is refused, or has no result and is not listed in empty.txt. Of an alert, which has no result while nothing
is wrong, each series that it reads must be there instead. Rules are those of deploy/prometheus/rules.yaml, which Prometheus must
have loaded, since dashboards and rules read what others record. It does not wait: after the load began, rules need their
interval twice, and rates a minute.
"""

import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

import promql
import rule_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
EMPTY = pathlib.Path(__file__).resolve().parent / "empty.txt"
# What Grafana puts in; of the variables, "All".
VARIABLES = {"$__rate_interval": "1m", "$__range": "10m", "$namespace": ".*", "$pod": ".*", "$tenant": ".*"}


def ask(base, expr):
    """Samples now; or an error's text."""
    url = f"{base.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': expr})}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]["result"], None
    except urllib.error.HTTPError as error:
        return [], json.load(error).get("error", str(error))


def has_data(samples):
    return any(sample["value"][1] != "NaN" for sample in samples)


def questions():
    """(name, expression); names are what empty.txt lists."""
    for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                expr = target["expr"]
                for name, value in VARIABLES.items():
                    expr = expr.replace(name, value)
                yield f"{path.stem} / {panel['title']} / {target['refId']}", expr
    for rule in rule_file.rules((ROOT / "deploy/prometheus/rules.yaml").read_text(encoding="utf-8")):
        if not rule.alert:
            yield f"rule / {rule.name}", rule.expr
            continue
        yield f"alert / {rule.name}", rule.expr
        for name, matchers in promql.selectors(rule.expr):
            yield f"series / {name}{matchers}", f"{name}{matchers}"


def reasons():
    """Why what is listed may have no result, by name."""
    listed = {}
    for line in EMPTY.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, reason = line.rsplit(": ", 1)
            listed[name] = reason
    return listed


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    listed, failures, answered = reasons(), [], 0
    asked = dict(questions())
    for name, expr in asked.items():
        samples, error = ask(sys.argv[1], expr)
        if error:
            failures.append(f"REFUSED {name}: {error}\n  {expr}")
        elif has_data(samples):
            answered += 1
        elif name in listed:
            print(f"empty {name}: {listed[name]}")
        elif not name.startswith("alert / "):
            failures.append(f"EMPTY {name}\n  {expr}")
    failures += [f"empty.txt lists {name}, which is asked nowhere" for name in listed.keys() - asked.keys()]
    print("\n".join(failures + [f"{len(asked)} queries, {answered} with a result, {len(failures)} failures"]))
    return 1 if failures else 0


sys.exit(main())
