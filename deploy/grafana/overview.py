"""The dashboard that answers first: is it us, the caller or the vendor?"""

from panels import COLOURS, coloured, dashboard, graph, override, quantiles, query, stat, table, value_map

BY_BLAME = [coloured(name, colour) for name, colour in COLOURS.items()]
PHASES = [
    coloured("gateway", "red"),
    coloured("upstream", "purple"),
    coloured("receive", "blue"),
    coloured("wait", "yellow"),
]
# Where Prometheus scrapes other programs too: process series of gateways alone.
GATEWAYS = "and on (namespace, job, pod, instance) idv_gateway_build_info"


def share_of_failed(blame):
    return query(
        f'sum(rate(idv_gateway_errors_total{{$scope, blame="{blame}"}}[$__rate_interval]))'
        " / (sum(rate(grpc_server_handled_total{$calls}[$__rate_interval])) > 0)"
    )


def objective_left(blame):
    return query(
        f'1 - sum(avg_over_time(job_blame:idv_gateway_errors:rate5m{{namespace=~"$namespace", blame="{blame}"}}[30d]))'
        ' / (sum(avg_over_time(job:grpc_server_handled:rate5m{namespace=~"$namespace"}[30d])) > 0) / 0.001',
        blame,
        instant=True,
    )


FAILURES = ((None, "green"), (0.001, "yellow"), (0.0144, "red"))

whose_fault = [
    stat(
        "Failed by us",
        "Share of calls that fail by the gateway's or its operator's doing: keys, limits, overload. Yellow above what the "
        "objective allows (0.1 %), red where it pages.",
        share_of_failed("us"),
        "percentunit",
        4,
        steps=FAILURES,
        no_value="no calls",
        alert="IdvGatewayErrorsUs",
    ),
    stat(
        "Failed by the vendor",
        "Share of calls that fail by the vendor's doing: no answer, too late, 5xx, or an answer that cannot be read. Yellow "
        "above what the objective allows (0.1 %), red where it pages. Go on with the upstream dashboard.",
        share_of_failed("vendor"),
        "percentunit",
        4,
        steps=FAILURES,
        no_value="no calls",
        alert="IdvGatewayErrorsVendor",
    ),
    stat(
        "Failed by callers",
        "Share of calls that fail by their callers' doing: bad fields, no permission, more calls than the vendor's allowance "
        "has room for, cancelled. It wakes nobody; a sudden rise is a caller's new version.",
        share_of_failed("caller"),
        "percentunit",
        4,
        no_value="no calls",
    ),
    stat(
        "Failures left, of 30 days",
        "How much of the failures that the objective allows in 30 days (0.1 % of calls) has not happened yet, by side. "
        "Negative: the objective is missed. By deployment, whatever the pod.",
        [objective_left("us"), objective_left("vendor")],
        "percentunit",
        4,
        steps=((None, "red"), (0, "yellow"), (0.5, "green")),
        no_value="no calls",
        field_config={"max": 1, "decimals": 0},
    ),
    table(
        "Alerts that fire",
        "Those of this gateway, in the chosen namespaces. What to do about each is in the runbook.",
        query('ALERTS{alertname=~"IdvGateway.*", alertstate="firing", namespace=~"$namespace"}', table=True),
        8,
        6,
        {"alertname": "Alert", "severity": "Severity", "tenant": "Tenant", "pod": "Pod"},
        hidden=("Value", "__name__", "alertstate", "instance", "job", "namespace", "blame"),
        no_value="nothing fires",
    ),
    graph(
        "Failed calls by side",
        "Who is to mend it: us, the vendor, or the caller.",
        query("sum by (blame) (rate(idv_gateway_errors_total{$scope}[$__rate_interval]))", "{{blame}}"),
        "reqps",
        stack=True,
        overrides=BY_BLAME,
    ),
    graph(
        "Failed calls by reason",
        "The eight most frequent ErrorInfo reasons. The README's table of errors says what each means.",
        query(
            "topk(8, sum by (reason, blame) (rate(idv_gateway_errors_total{$scope}[$__rate_interval])) > 0)",
            "{{reason}} ({{blame}})",
        ),
        "reqps",
    ),
    graph(
        "Where a call's time goes",
        "Mean time of a call: in the gateway itself, waiting for the allowance or before a repeat, at the vendor, and reading "
        "an upload from the caller. The largest area is whose delay it is.",
        [
            query(
                "sum(rate(idv_gateway_overhead_seconds_sum{$scope}[$__rate_interval]))"
                " / (sum(rate(idv_gateway_overhead_seconds_count{$scope}[$__rate_interval])) > 0)",
                "gateway",
            ),
            query(
                "sum by (phase) (rate(idv_gateway_call_phase_seconds_sum{$scope}[$__rate_interval]))"
                " / on () group_left () (sum(rate(grpc_server_handled_total{$calls}[$__rate_interval])) > 0)",
                "{{phase}}",
            ),
        ],
        "s",
        stack=True,
        overrides=PHASES,
    ),
]

traffic = [
    graph(
        "Calls by RPC",
        "Calls that ended. Health checks and reflection are not among them.",
        query("sum by (grpc_method) (rate(grpc_server_handled_total{$calls}[$__rate_interval]))", "{{grpc_method}}"),
        "reqps",
        stack=True,
    ),
    graph(
        "Calls by status",
        "gRPC status with which calls ended.",
        query("sum by (grpc_code) (rate(grpc_server_handled_total{$calls}[$__rate_interval])) > 0", "{{grpc_code}}"),
        "reqps",
        stack=True,
        overrides=[coloured("OK", "green")],
    ),
    graph(
        "How long unary calls take",
        "From the first byte to the status, whatever the end.",
        quantiles("grpc_server_handling_seconds", '$calls, grpc_type="unary"'),
        "s",
    ),
    graph(
        "How long each RPC takes",
        "99th percentile. Uploads include the time that the caller takes to send them.",
        query(
            "histogram_quantile(0.99, sum by (le, grpc_method)"
            " (rate(grpc_server_handling_seconds_bucket{$calls}[$__rate_interval])))",
            "{{grpc_method}}",
        ),
        "s",
        width=12,
    ),
    graph(
        "Calls in flight and connections",
        "Calls that run, frame streams among them, and open connections of callers.",
        [
            query("sum(idv_gateway_calls_in_flight{$scope})", "calls"),
            query("sum(idv_gateway_frame_streams{$scope})", "frame streams"),
            query("sum(idv_gateway_connections{$scope})", "connections"),
        ],
        "short",
        width=12,
    ),
]

time_split = [
    graph(
        "Ours: in the gateway itself",
        "A unary call's time less waiting, receiving and the vendor. The objective: 99 % within 5 ms. Above it: too little "
        "processor time, or a stalled shard.",
        quantiles("idv_gateway_overhead_seconds", "$scope"),
        "s",
        limit=0.005,
        alert="IdvGatewaySlowUs",
    ),
    graph(
        "The vendor's: waiting for its answer",
        "All of a call's requests to the vendor, connecting included. The objective: 99 % within 5 s. The upstream dashboard "
        "splits it further.",
        quantiles("idv_gateway_call_phase_seconds", '$scope, phase="upstream"'),
        "s",
        limit=5,
        alert="IdvGatewaySlowVendor",
    ),
    graph(
        "The caller's, and waiting",
        "99th percentile of reading an upload from the caller, and of waiting for the vendor's allowance or before a repeat.",
        query(
            'histogram_quantile(0.99, sum by (le, phase) (rate(idv_gateway_call_phase_seconds_bucket{$scope, phase=~"receive|wait"}'
            "[$__rate_interval])))",
            "{{phase}}",
        ),
        "s",
        overrides=PHASES,
    ),
]

allowance = [
    graph(
        "Allowance left",
        "Share of the requests that the vendor allows each tenant in a minute which is still free. At 0 calls wait, then end "
        "with BUDGET_EXHAUSTED. Only tenants with a limit that is known.",
        query(
            "min by (tenant) (idv_gateway_budget_remaining{$tenants} / (idv_gateway_budget_limit{$tenants} > 0))", "{{tenant}}"
        ),
        "percentunit",
        field_config={"max": 1},
        alert="IdvGatewayBudgetExhausted",
    ),
    graph(
        "Calls that wait for it",
        "In turn, interactive ones first, for as long as their deadlines allow.",
        query("sum by (tenant) (idv_gateway_budget_queue_length{$tenants})", "{{tenant}}"),
        "short",
        alert="IdvGatewayBudgetExhausted",
    ),
    graph(
        "How long they waited",
        "Mean of the waits that ended, by tenant. Batch calls wait by design; interactive ones only when the allowance is short.",
        query(
            "sum by (tenant) (rate(idv_gateway_budget_wait_seconds_sum{$tenants}[$__rate_interval]))"
            " / (sum by (tenant) (rate(idv_gateway_budget_wait_seconds_count{$tenants}[$__rate_interval])) > 0)",
            "{{tenant}}",
        ),
        "s",
    ),
    graph(
        "Requests to the vendor by tenant",
        "What spends the allowance, in requests a minute.",
        query("60 * sum by (tenant) (rate(idv_gateway_tenant_requests_total{$tenants}[$__rate_interval]))", "{{tenant}}"),
        "short",
        width=12,
        stack=True,
    ),
    graph(
        "Reads by how they were answered",
        "miss asked the vendor; hit, stale and joined cost nothing.",
        query("sum by (result) (rate(idv_gateway_cache_lookups_total{$scope}[$__rate_interval]))", "{{result}}"),
        "reqps",
        width=12,
        stack=True,
    ),
]

keys = [
    table(
        "API keys",
        "What each tenant's key is worth, at the worst instance. A key in a file is read when the file changes, one in a vault "
        "all the time; so an old read is bad only with failures beside it.",
        [
            query("min by (tenant) (idv_gateway_secret_usable{$tenants})", table=True),
            query("max by (tenant) (idv_gateway_secret_rejected{$tenants})", table=True),
            query("time() - min by (tenant) (idv_gateway_secret_read_timestamp_seconds{$tenants})", table=True),
            query("time() - min by (tenant) (idv_gateway_secret_changed_timestamp_seconds{$tenants})", table=True),
            query("sum by (tenant) (increase(idv_gateway_secret_refresh_failures_total{$tenants}[1h]))", table=True),
            query("sum by (tenant) (idv_gateway_secret_changes_total{$tenants})", table=True),
        ],
        16,
        8,
        {
            "tenant": "Tenant",
            "Value #A": "Usable",
            "Value #B": "At the vendor",
            "Value #C": "Last read",
            "Value #D": "Last new key",
            "Value #E": "Failed reads in 1 h",
            "Value #F": "New keys",
        },
        overrides=[
            override("Usable", mappings=value_map(_0=("no", "red"), _1=("yes", "green")), custom__cellOptions={"type": "color-text"}),
            override(
                "At the vendor",
                mappings=value_map(_0=("taken", "green"), _1=("refused", "red")),
                custom__cellOptions={"type": "color-text"},
            ),
            override("Last read", unit="dtdurations"),
            override("Last new key", unit="dtdurations"),
            override("Failed reads in 1 h", decimals=0),
        ],
        alert="IdvGatewayCredentialRejected",
    ),
    stat(
        "Certificates end in",
        "Of the gateway's own certificate and of its client certificate at the vendor, at the instance where that is soonest. "
        "Yellow: renew within two weeks, red: now.",
        query(
            "min by (certificate) (idv_gateway_certificate_expiry_timestamp_seconds{$scope}) - time()",
            "{{certificate}}",
            instant=True,
        ),
        "dtdurations",
        8,
        8,
        steps=((None, "red"), (2 * 86400, "yellow"), (14 * 86400, "green")),
        no_value="no TLS of its own",
        alert="IdvGatewayCertificateExpiring",
    ),
]

process = [
    table(
        "Instances",
        "Every instance, what it runs, and since when. /statusz of its admin port has more.",
        [
            query("max by (pod, instance, version, grpc, curl, tracing) (idv_gateway_build_info{$scope})", table=True),
            query("max by (pod, instance) (idv_gateway_ready{$scope})", table=True),
            query("max by (pod, instance) (idv_gateway_draining{$scope})", table=True),
            query(f"time() - max by (pod, instance) (process_start_time_seconds{{$scope}} {GATEWAYS})", table=True),
            query("time() - max by (pod, instance) (idv_gateway_config_reload_timestamp_seconds{$scope})", table=True),
            query("max by (pod, instance) (increase(idv_gateway_config_reload_failures_total{$scope}[1h]))", table=True),
        ],
        16,
        8,
        {
            "pod": "Pod",
            "instance": "Instance",
            "version": "Version",
            "Value #B": "Ready",
            "Value #C": "Draining",
            "Value #D": "Up for",
            "Value #E": "Configuration's age",
            "Value #F": "Refused in 1 h",
            "grpc": "gRPC",
            "curl": "libcurl",
            "tracing": "Tracing",
        },
        hidden=("Value #A",),
        overrides=[
            override("Ready", mappings=value_map(_0=("no", "red"), _1=("yes", "green")), custom__cellOptions={"type": "color-text"}),
            override("Draining", mappings=value_map(_0=("no", "text"), _1=("yes", "orange"))),
            override("Up for", unit="dtdurations"),
            override("Configuration's age", unit="dtdurations"),
            override("Refused in 1 h", decimals=0),
        ],
        alert="IdvGatewayNotReady",
    ),
    graph(
        "How full it is",
        "The fullest instance: calls in flight, memory of uploads and open files, as shares of their limits. At 100 % calls end "
        "with GATEWAY_OVERLOADED.",
        [
            query("max(idv_gateway_calls_in_flight{$scope} / idv_gateway_calls_in_flight_limit{$scope})", "calls"),
            query("max(idv_gateway_upload_memory_bytes{$scope} / idv_gateway_upload_memory_limit_bytes{$scope})", "upload memory"),
            query(f"max(process_open_fds{{$scope}} / process_max_fds{{$scope}} {GATEWAYS})", "open files"),
        ],
        "percentunit",
        limit=0.9,
        alert="IdvGatewayNearlyFull",
    ),
    graph(
        "Shards: lag",
        "How long each shard takes to answer an echo, asked once a second. One that stops keeps its last value here: look at "
        "the heartbeats.",
        query("max by (pod, instance, shard) (idv_gateway_shard_lag_seconds{$scope})", "{{pod}} {{instance}} {{shard}}"),
        "s",
        alert="IdvGatewayShardStalled",
    ),
    graph(
        "Shards: since the last heartbeat",
        "Seconds between a shard's last echo and the scrape: about one. A shard that climbs has stopped, and its calls hang.",
        query(
            "max by (pod, instance, shard) (timestamp(idv_gateway_shard_heartbeat_timestamp_seconds{$scope})"
            " - idv_gateway_shard_heartbeat_timestamp_seconds{$scope})",
            "{{pod}} {{instance}} {{shard}}",
        ),
        "s",
        limit=10,
        alert="IdvGatewayShardStalled",
    ),
    graph(
        "Processor time",
        "Processors used by each instance.",
        query(f"rate(process_cpu_seconds_total{{$scope}}[$__rate_interval]) {GATEWAYS}", "{{pod}} {{instance}}"),
        "short",
        alert="IdvGatewaySlowUs",
    ),
    graph(
        "Memory",
        "Resident memory of each instance.",
        query(f"process_resident_memory_bytes{{$scope}} {GATEWAYS}", "{{pod}} {{instance}}"),
        "bytes",
    ),
    graph(
        "Restarts",
        "Starts of each instance in the last half hour. Three wake somebody.",
        query(f"changes(process_start_time_seconds{{$scope}}[30m]) {GATEWAYS}", "{{pod}} {{instance}}"),
        "short",
        alert="IdvGatewayRestarting",
    ),
    graph(
        "What was not recorded",
        "Log lines and spans that were dropped, since what takes them is too slow. The log has gaps where this is above 0.",
        [
            query("sum(rate(idv_gateway_log_lines_dropped_total{$scope}[$__rate_interval]))", "log lines dropped"),
            query("sum(rate(idv_gateway_spans_dropped_total{$scope}[$__rate_interval]))", "spans dropped"),
            query("sum(rate(idv_gateway_spans_exported_total{$scope}[$__rate_interval]))", "spans exported"),
        ],
        "cps",
        alert="IdvGatewayLogLinesDropped",
    ),
]

OVERVIEW = dashboard(
    "idv-gateway-overview",
    "idv-gateway: overview",
    "Is it us, the caller or the vendor? From the top: whose fault, what callers get, where the time goes, what is left of the "
    "vendor's allowance, keys and certificates, the process.",
    [
        ("Is it us, the caller or the vendor?", whose_fault),
        ("What do callers get?", traffic),
        ("Where does the time go?", time_split),
        ("Is there allowance left?", allowance),
        ("Are keys and certificates good?", keys),
        ("Is the gateway itself well?", process),
    ],
    ("idv-gateway: upstream", "idv-gateway-upstream"),
)
