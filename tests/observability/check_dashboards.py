#!/usr/bin/env python3
"""Fails when dashboards, rules and runbooks do not hold together:

- a panel lacks title, description, unit or query, or lies over another or beyond the 24 columns
- a dashboard or rule reads a series, or a label of it, that deploy/README.md does not list
- an alert has no section in deploy/README.md or no test in which it fires and one in which it does not, a section is of no
  alert, or a link leads nowhere

    check_dashboards.py             prints what is wrong
    check_dashboards.py --layout    also draws the dashboards
"""

import itertools
import json
import pathlib
import re
import sys

import promql
import rule_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = 24
# What Prometheus adds: from the scrape, of histograms, and its own series of alerts.
ADDED_LABELS = {"namespace", "pod", "job", "instance"}
ALERT_SERIES = {"ALERTS": {"alertname", "alertstate", "severity"}}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def known_series(readme):
    """Names as they are queried, with their labels, from the table of series."""
    series = {}
    for names, kind, labels in re.findall(r"^\| (`[a-z].*?) \| (.*?) \| (.*?) \|", readme, re.M):
        own = set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", labels)))
        for name in re.findall(r"`(\w+)`", names):
            if kind in ("histogram", "summary"):
                series |= {name + suffix: own for suffix in ("_sum", "_count")}
            else:
                series[name] = own
            if kind == "histogram":
                series[name + "_bucket"] = own | {"le"}
    return series


def anchors(readme):
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", readme, re.M)}


def panel_problems(panel):
    for key in ("title", "description"):
        if not panel.get(key):
            yield f"no {key}"
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "no unit"
    if not panel.get("targets") or not all(target.get("expr") for target in panel["targets"]):
        yield "no query"


def rectangle(panel):
    place = panel["gridPos"]
    return place["x"], place["y"], place["x"] + place["w"], place["y"] + place["h"]


def layout_problems(panels):
    for panel in panels:
        left, top, right, _ = rectangle(panel)
        if left < 0 or top < 0 or right > COLUMNS:
            yield f"{panel['title']}: beyond the {COLUMNS} columns"
    for one, other in itertools.combinations(panels, 2):
        a, b = rectangle(one), rectangle(other)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
            yield f"{one['title']}: lies over {other['title']}"


def query_problems(expr, series):
    used = promql.selectors(expr)
    for name, matchers in used:
        if name not in series:
            yield f"reads {name}, which is not in the table of series"
        elif unknown := promql.matched(matchers) - series[name] - ADDED_LABELS:
            yield f"{name} has no label {', '.join(sorted(unknown))}"
    has = ADDED_LABELS.union(*(series.get(name, set()) for name, _ in used))
    if unknown := promql.labels(expr) - has:
        yield f"no series in it has a label {', '.join(sorted(unknown))}: {expr}"


def drawing(dashboard):
    """A column of the dashboard is four characters, a unit of height one line."""
    wide, high = 4, 1
    panels = dashboard["panels"]
    lines = max(rectangle(panel)[3] for panel in panels) * high
    grid = [[" "] * (COLUMNS * wide + 1) for _ in range(lines + 1)]
    for panel in panels:
        left, top, right, bottom = (n * factor for n, factor in zip(rectangle(panel), (wide, high) * 2))
        if panel["type"] == "row":
            text = f"== {panel['title']} "
            grid[top][: COLUMNS * wide + 1] = text.ljust(COLUMNS * wide + 1, "=")
            continue
        for x in range(left, right + 1):
            grid[top][x] = grid[bottom - 1][x] = "-"
        for y in range(top, bottom):
            grid[y][left] = grid[y][right] = "|"
        for offset, text in enumerate((panel["title"], f"({panel['type']}, {panel['fieldConfig']['defaults']['unit']})"), 1):
            text = text[: right - left - 3]
            grid[top + offset][left + 2 : left + 2 + len(text)] = text
    return "\n".join("".join(line).rstrip() for line in grid)


def main():
    problems = []
    readme = read("deploy/README.md")
    rules = rule_file.rules(read("deploy/prometheus/rules.yaml"))
    series = known_series(readme) | ALERT_SERIES
    recorded = {rule.name for rule in rules if not rule.alert}
    # What is recorded has the labels that its name begins with, and blame; close enough to find slips.
    series |= {name: {"tenant", "blame"} for name in recorded}

    for rule in rules:
        problems += [f"rules.yaml: {rule.name}: {problem}" for problem in query_problems(rule.expr, series)]

    for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        dashboard = json.loads(text)
        found = list(layout_problems(dashboard["panels"]))
        for panel in dashboard["panels"]:
            if panel["type"] == "row":
                continue
            found += [f"{panel['title']}: {problem}" for problem in panel_problems(panel)]
            for target in panel["targets"]:
                found += [f"{panel['title']}: {problem}" for problem in query_problems(target["expr"], series)]
        titles = [panel["title"] for panel in dashboard["panels"]]
        found += [f"{title}: twice" for title in {title for title in titles if titles.count(title) > 1}]
        for anchor in set(re.findall(r"deploy/README\.md#([\w-]+)", text)) - anchors(readme):
            found.append(f"links to #{anchor}, which deploy/README.md has not")
        problems += [f"{path.name}: {problem}" for problem in found]
        if "--layout" in sys.argv:
            print(f"{path.name}: {dashboard['title']}\n{drawing(dashboard)}\n")

    alerts = {rule.name for rule in rules if rule.alert}
    sections = set(re.findall(r"^### (\w+)$", readme, re.M))
    problems += [f"{name}: no section in deploy/README.md" for name in sorted(alerts - sections)]
    problems += [f"deploy/README.md: {name} is no alert" for name in sorted(sections - alerts)]
    linked = re.findall(r"alert: (\w+)\n(?:    .*\n)*?      runbook_url: deploy/README\.md#(\w+)", read("deploy/prometheus/rules.yaml"))
    problems += [f"{name}: its runbook_url leads to #{anchor}" for name, anchor in linked if anchor != name.lower()]
    if len(linked) != sum(rule.alert for rule in rules):
        problems.append("rules.yaml: an alert has no runbook_url")
    fire, quiet = rule_file.tested("".join(read(f"deploy/prometheus/{name}_test.yaml") for name in ("rules", "rules_hours")))
    problems += [f"{name}: fires in no test" for name in sorted(alerts - fire)]
    problems += [f"{name}: no test says when it does not fire" for name in sorted(alerts - quiet)]

    for title in re.findall(r"\*([A-Z][^*\n]+)\*", re.sub(r"\*\*.*?\*\*", "", readme)):
        if not any(f'"title": "{title}"' in path.read_text(encoding="utf-8") for path in (ROOT / "deploy/grafana").glob("*.json")):
            problems.append(f"deploy/README.md: there is no panel {title}")

    print("\n".join(problems) or "Dashboards, rules and runbooks hold together.")
    return 1 if problems else 0


sys.exit(main())
