#!/usr/bin/env python3
"""Writes overview.json and upstream.json, which are what ships, from overview.py and upstream.py.

    generate.py            writes them
    generate.py --check    exit 1 when one of them is not what would be written
"""

import json
import pathlib
import sys

from overview import OVERVIEW
from upstream import UPSTREAM


def main():
    here = pathlib.Path(__file__).resolve().parent
    result = 0
    for name, dashboard in (("overview.json", OVERVIEW), ("upstream.json", UPSTREAM)):
        text = json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"
        file = here / name
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            print(f"deploy/grafana/{name} is not what deploy/grafana/generate.py writes: run it")
            result = 1
    return result


sys.exit(main())
