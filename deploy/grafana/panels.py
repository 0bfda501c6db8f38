"""Builds Grafana dashboards as dictionaries, in the JSON model of Grafana 10 and later (schema version 39).

Panels are laid out row by row in the order in which they are given. In queries, `$scope` stands for the matchers of the
variables that every series has, `$tenants` for those and the tenant, `$calls` for the RPCs of this gateway alone, since other
services export the grpc_server series too.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
RUNBOOKS = "deploy/README.md"  # replaced when the dashboards are loaded, see there

SCOPE = 'namespace=~"$namespace", pod=~"$pod"'
MATCHERS = {
    "$scope": SCOPE,
    "$tenants": SCOPE + ', tenant=~"$tenant"',
    "$calls": SCOPE + ', grpc_service=~"kora[.]idv[.].*"',
}

# The same side has the same colour everywhere.
COLOURS = {"us": "red", "vendor": "purple", "caller": "blue"}


def query(expr, legend="__auto", instant=False, table=False):
    for name, matchers in MATCHERS.items():
        expr = expr.replace(name, matchers)
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expr,
        "format": "table" if table else "time_series",
        "instant": instant or table,
        "legendFormat": legend,
        "range": not (instant or table),
    }


def quantiles(histogram, matchers, by=""):
    """The median and the 99th percentile, one query each, by a label if one is named."""
    labels = f"le, {by}" if by else "le"
    suffix = f" {{{{{by}}}}}" if by else ""
    return [
        query(
            f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{{{matchers}}}[$__rate_interval])))",
            f"{name}{suffix}",
        )
        for q, name in ((0.5, "median"), (0.99, "99 %"))
    ]


def thresholds(*steps):
    """From (value, colour) pairs; the first value is None."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def coloured(name, colour):
    return override(name, color={"mode": "fixed", "fixedColor": colour})


def override(name, **properties):
    """Of the field called so; `custom__x` is the property custom.x."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def value_map(**texts):
    """Texts for values: value_map(_0=("closed", "green"))."""
    return [
        {
            "type": "value",
            "options": {
                value.lstrip("_"): {"text": text, "color": colour, "index": index}
                for index, (value, (text, colour)) in enumerate(texts.items())
            },
        }
    ]


def panel(kind, title, description, queries, unit, width, height, alert=None, **more):
    """`alert` names one whose runbook section the panel links to."""
    queries = queries if isinstance(queries, list) else [queries]
    field_config = more.pop("field_config", {})
    built = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"x": 0, "y": 0, "w": width, "h": height},
        "targets": [{"refId": chr(ord("A") + i)} | target for i, target in enumerate(queries)],
        "fieldConfig": {
            "defaults": {"unit": unit, "color": {"mode": "palette-classic"}} | field_config,
            "overrides": more.pop("overrides", []),
        },
    } | more
    if alert:
        built["links"] = [
            {"title": f"Runbook: {alert}", "url": f"{RUNBOOKS}#{alert.lower()}", "targetBlank": True, "type": "link"}
            | {"icon": "doc", "tooltip": "", "tags": [], "asDropdown": False, "includeVars": False, "keepTime": False}
        ]
    return built


def stat(title, description, queries, unit, width, height=6, steps=((None, "text"),), no_value="none", alert=None, **more):
    """The newest value in large, coloured by the threshold that it is over."""
    field_config = {"thresholds": thresholds(*steps), "color": {"mode": "thresholds"}, "noValue": no_value}
    options = {
        "colorMode": "background" if len(steps) > 1 else "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto",
    }
    field_config |= more.pop("field_config", {})
    return panel(
        "stat", title, description, queries, unit, width, height, alert, field_config=field_config, options=options, **more
    )


def graph(title, description, queries, unit, width=8, height=8, stack=False, limit=None, alert=None, **more):
    """Lines over time, or areas on each other; `limit` is drawn as a dashed line."""
    field_config = {
        "min": 0,
        "custom": {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": 40 if stack else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if stack else "none", "group": "A"},
            "thresholdsStyle": {"mode": "off" if limit is None else "dashed"},
        },
    }
    if limit is not None:
        field_config["thresholds"] = thresholds((None, "transparent"), (limit, "red"))
    field_config |= more.pop("field_config", {})
    options = {
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel(
        "timeseries", title, description, queries, unit, width, height, alert, field_config=field_config, options=options, **more
    )


def timeline(title, description, queries, width, height, mappings, alert=None):
    """What state each thing was in, as bars over time."""
    field_config = {"mappings": mappings, "custom": {"fillOpacity": 80, "lineWidth": 0}}
    options = {
        "showValue": "never",
        "mergeValues": True,
        "rowHeight": 0.85,
        "alignValue": "left",
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel(
        "state-timeline",
        title,
        description,
        queries,
        "short",
        width,
        height,
        alert,
        field_config=field_config,
        options=options,
    )


def table(title, description, queries, width, height, names, hidden=(), overrides=(), unit="short", no_value="none", alert=None):
    """The queries joined by their labels, a row each. `names` renames columns ("Value #A" is the first query's value)."""
    transformations = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {name: True for name in ("Time", *hidden)},
                "indexByName": {name: index for index, name in enumerate(names)},
                "renameByName": names,
            },
        },
    ]
    field_config = {"noValue": no_value, "custom": {"align": "auto", "inspect": False, "filterable": False}}
    return panel(
        "table",
        title,
        description,
        queries,
        unit,
        width,
        height,
        alert,
        field_config=field_config,
        overrides=list(overrides),
        options={"showHeader": True, "cellHeight": "sm"},
        transformations=transformations,
    )


def laid_out(rows):
    """Panels with their places and ids, each row under a heading."""
    placed, y = [], 0
    for title, panels in rows:
        heading = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append(heading | {"gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y, x, line = y + 1, 0, 0
        for one in panels:
            place = one["gridPos"]
            if x + place["w"] > COLUMNS:
                y, x, line = y + line, 0, 0
            placed.append(one | {"gridPos": place | {"x": x, "y": y}})
            x, line = x + place["w"], max(line, place["h"])
        y += line
    return [{"id": index + 1} | one for index, one in enumerate(placed)]


def variable(name, label, series):
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "query": {"query": f"label_values({series}, {name})", "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",  # also where a series has no such label
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
        "regex": "",
        "hide": 0,
        "skipUrlSync": False,
    }


def dashboard(uid, title, description, rows, other):
    """`other`: title and uid of the dashboard to link to."""
    datasource = {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "refresh": 1,
        "options": [],
        "regex": "",
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
    }
    link = {"type": "link", "tags": [], "asDropdown": False, "targetBlank": False, "includeVars": True, "keepTime": True}
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["idv-gateway"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "timepicker": {},
        "refresh": "30s",
        "fiscalYearStartMonth": 0,
        "annotations": {"list": []},
        "links": [
            link | {"title": other[0], "url": f"/d/{other[1]}", "icon": "dashboard", "tooltip": other[0]},
            link
            | {"title": "Runbooks", "url": f"{RUNBOOKS}#alerts", "icon": "doc", "tooltip": "What to do about each alert"}
            | {"includeVars": False, "keepTime": False, "targetBlank": True},
        ],
        "templating": {
            "list": [
                datasource,
                variable("namespace", "Namespace", "idv_gateway_build_info"),
                variable("pod", "Pod", 'idv_gateway_build_info{namespace=~"$namespace"}'),
                variable("tenant", "Tenant", 'idv_gateway_secret_usable{namespace=~"$namespace"}'),
            ]
        },
        "panels": laid_out(rows),
    }
