"""Holds the dashboards against the types that Grafana publishes for its JSON model (pip: grafana-foundation-sdk).

The SDK reads a dashboard into classes that are made from Grafana's own schema, down to the options of each kind of panel, and
writes it again. A key that the schema does not know gets lost on the way; and what was read must be of the types that the classes
declare, enumerations included, which the SDK itself does not look at. Run it with the Python of build/tools.
"""

import enum
import json
import pathlib
import sys
import types
import typing

from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard as model

DASHBOARDS = pathlib.Path(__file__).resolve().parents[2] / "deploy/grafana"


def lost(given, kept, path):
    """What of `given` is missing in `kept` or another value there. Defaults that were added are no loss."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept and value is not None:
                yield f"{path}.{key}: unknown to the schema"
            else:
                yield from lost(value, kept.get(key), f"{path}.{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, pair in enumerate(zip(given, kept)):
            yield from lost(*pair, f"{path}[{index}]")
    elif given != kept:
        yield f"{path}: {given!r} became {kept!r}"


def written(read):
    return json.loads(json.dumps(read, cls=encoder.JSONEncoder))


def fits(value, kind):
    """Whether a value that the SDK read is of a declared type. Objects of the SDK are looked into by mistyped()."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in (typing.Any, object):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list) and all(fits(one, arguments[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(one, arguments[1]) for one in value.values())
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, dict) and hasattr(kind, "from_json"):  # the SDK leaves some of them unread
        read = kind.from_json(value)
        return not any(lost(value, written(read), "")) and not any(mistyped(read, ""))
    if issubclass(kind, enum.Enum):
        return value in [member.value for member in kind]
    return isinstance(value, kind)


def mistyped(value, path):
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from mistyped(one, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from mistyped(one, f"{path}.{key}")
    elif type(value).__module__.startswith("grafana_foundation_sdk"):
        module = sys.modules[type(value).__module__]
        for name, kind in typing.get_type_hints(type(value), vars(module)).items():
            one = getattr(value, name)
            if not fits(one, kind):
                yield f"{path}.{name}: {one!r} is no {kind}"
            yield from mistyped(one, f"{path}.{name}")


def main():
    plugins.register_default_plugins()
    problems = []
    for file in sorted(DASHBOARDS.glob("*.json")):
        given = json.loads(file.read_text(encoding="utf-8"))
        read = model.Dashboard.from_json(given)
        problems += lost(given, written(read), file.name)
        problems += mistyped(read, file.name)
    print("\n".join(problems) or "The dashboards fit Grafana's schema.")
    return 1 if problems else 0


sys.exit(main())
