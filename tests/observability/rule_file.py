"""Reads deploy/prometheus/*.yaml as far as tests need it, without a YAML library: they are written one way, see there."""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    alert: bool
    name: str
    expr: str


def rules(text):
    """All rules of a rule file, in its order."""
    found = []
    for block in re.split(r"^  - ", text, flags=re.M)[1:]:
        kind, name = re.match(r"(alert|record): (\S+)", block).groups()
        folded = re.search(r"^    expr: \|\n((?:      .*\n)+)", block, re.M)
        expr = folded[1] if folded else re.search(r"^    expr: (.*)$", block, re.M)[1]
        found.append(Rule(kind == "alert", name, expr))
    return found


def tested(text):
    """Of a file of rule tests: the alerts that fire in one of them, and those that do not."""
    fire, quiet = set(), set()
    for name, rest in re.findall(r"alertname: (\S+)\n    exp_alerts:(.*)$", text, re.M):
        (quiet if rest.strip() == "[]" else fire).add(name)
    return fire, quiet
