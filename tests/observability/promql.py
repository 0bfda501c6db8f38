"""Finds the series that a PromQL expression reads, without parsing the rest of it."""

import re

# A name, then perhaps matchers. What a quantile or a number looks like starts with no letter.
_SELECTOR = re.compile(r"(?<![\w:$.])([a-zA-Z_:][\w:]*)\s*(\{[^{}]*\})?")
_KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "inf", "nan"}
_LABEL_LIST = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")


def selectors(expr):
    """(name, matchers) of each series selector; matchers as text with braces, or empty. Matchers' values hold no braces."""
    bare = _RANGE.sub(" ", _LABEL_LIST.sub(" ", expr))
    found = []
    for match in _SELECTOR.finditer(_without_strings(bare)):
        name = match[1]
        is_function = not match[2] and bare[match.end() :].lstrip().startswith("(")
        if name.lower() not in _KEYWORDS and not is_function:
            found.append((name, bare[match.start(2) : match.end(2)] if match[2] else ""))
    return found


def labels(expr):
    """Names of labels by which it aggregates or joins."""
    return {name.strip() for _, names in _LABEL_LIST.findall(expr) for name in names.split(",") if name.strip()}


def matched(matchers):
    """Names of the labels in matchers."""
    return set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", _without_strings(matchers)))


def _without_strings(text):
    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda string: '"' + " " * (len(string[0]) - 2) + '"', text)
