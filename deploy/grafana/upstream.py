"""The dashboard about the vendor: what is asked of it, and what it answers."""

from panels import coloured, dashboard, graph, override, query, stat, table, timeline, value_map

CLASSES = [
    coloured("2xx", "green"),
    coloured("3xx", "yellow"),
    coloured("4xx", "blue"),
    coloured("429", "orange"),
    coloured("5xx", "red"),
    coloured("none", "purple"),
]
REQUESTS = "sum(rate(idv_gateway_upstream_requests_total{$scope}[$__rate_interval])) > 0"


def share_answered(classes):
    return query(
        f'sum(rate(idv_gateway_upstream_requests_total{{$scope, status_class=~"{classes}"}}[$__rate_interval])) / ({REQUESTS})'
    )


well = [
    stat(
        "Requests that failed",
        "Share of requests that the vendor answered with 5xx, or not at all.",
        share_answered("5xx|none"),
        "percentunit",
        4,
        steps=((None, "green"), (0.001, "yellow"), (0.0144, "red")),
        no_value="no requests",
        alert="IdvGatewayErrorsVendor",
    ),
    stat(
        "Requests refused with 429",
        "Share of requests that were over the vendor's allowance by the vendor's own count: somebody else spends it too, or "
        "the plan in the configuration is not the tenant's.",
        share_answered("429"),
        "percentunit",
        4,
        steps=((None, "green"), (0.01, "yellow"), (0.1, "red")),
        no_value="no requests",
        alert="IdvGatewayBudgetExhausted",
    ),
    stat(
        "First byte, 99 %",
        "From the request's last byte, or from the connection's readiness, to the answer's first. Yellow above 2 s, red above "
        "the objective's 5 s.",
        query(
            'histogram_quantile(0.99, sum by (le) (rate(idv_gateway_upstream_phase_seconds_bucket{$scope, phase="first_byte"}'
            "[$__rate_interval])))"
        ),
        "s",
        4,
        steps=((None, "green"), (2, "yellow"), (5, "red")),
        no_value="no requests",
        alert="IdvGatewaySlowVendor",
    ),
    stat(
        "Breakers not closed",
        "Tenants' reads, writes or uploads for which the vendor is being left alone or tried out.",
        query("count(max by (tenant, operation_class) (idv_gateway_breaker_state{$tenants}) > 0) or vector(0)"),
        "short",
        4,
        steps=((None, "green"), (1, "red")),
        alert="IdvGatewayBreakerOpen",
    ),
    table(
        "Operations",
        "Mean over the time shown of what is asked of the vendor, and of what it fails.",
        [
            query("60 * sum by (operation) (rate(idv_gateway_upstream_requests_total{$scope}[$__range]))", table=True),
            query(
                'sum by (operation) (rate(idv_gateway_upstream_requests_total{$scope, status_class=~"5xx|none"}[$__range]))'
                " / (sum by (operation) (rate(idv_gateway_upstream_requests_total{$scope}[$__range])) > 0)",
                table=True,
            ),
        ],
        8,
        6,
        {"operation": "RPC", "Value #A": "Requests a minute", "Value #B": "Failed"},
        overrides=[override("Requests a minute", decimals=1), override("Failed", unit="percentunit")],
        alert="IdvGatewayErrorsVendor",
    ),
]

answers = [
    graph(
        "Requests by answer",
        "By HTTP status; 429 is not in 4xx, none is no answer.",
        query("sum by (status_class) (rate(idv_gateway_upstream_requests_total{$scope}[$__rate_interval]))", "{{status_class}}"),
        "reqps",
        stack=True,
        overrides=CLASSES,
    ),
    graph(
        "Requests by RPC",
        "Repeats included, reads that were answered without the vendor not.",
        query("sum by (operation) (rate(idv_gateway_upstream_requests_total{$scope}[$__rate_interval])) > 0", "{{operation}}"),
        "reqps",
        stack=True,
    ),
    graph(
        "Failed requests by RPC",
        "5xx and no answer. One RPC alone: an endpoint of the vendor's; all of them: the vendor or the way to it.",
        query(
            'sum by (operation) (rate(idv_gateway_upstream_requests_total{$scope, status_class=~"5xx|none"}[$__rate_interval])) > 0',
            "{{operation}}",
        ),
        "reqps",
        alert="IdvGatewayErrorsVendor",
    ),
    graph(
        "Requests of tenants by answer",
        "One tenant alone with 4xx or 429: its key, plan or callers; all of them: the vendor.",
        query(
            "sum by (tenant, status_class) (rate(idv_gateway_tenant_requests_total{$tenants}[$__rate_interval])) > 0",
            "{{tenant}} {{status_class}}",
        ),
        "reqps",
        width=24,
    ),
]

phases = [
    graph(
        "Phases, median",
        "Each from the end of the one before: name, connection and TLS only where a connection was opened.",
        query(
            "histogram_quantile(0.5, sum by (le, phase) (rate(idv_gateway_upstream_phase_seconds_bucket{$scope}[$__rate_interval])))",
            "{{phase}}",
        ),
        "s",
    ),
    graph(
        "Phases, 99 %",
        "Long dns or connect: the network or the resolver is ours to look at. Long tls or first_byte: the vendor's.",
        query(
            "histogram_quantile(0.99, sum by (le, phase) (rate(idv_gateway_upstream_phase_seconds_bucket{$scope}[$__rate_interval])))",
            "{{phase}}",
        ),
        "s",
        alert="IdvGatewaySlowVendor",
    ),
    graph(
        "Connections opened",
        "Share of requests that needed a new connection. It is small while connections are kept; near 100 % somebody on the way "
        "closes them.",
        query(
            'sum(rate(idv_gateway_upstream_phase_seconds_count{$scope, phase="connect"}[$__rate_interval]))'
            ' / (sum(rate(idv_gateway_upstream_phase_seconds_count{$scope, phase="total"}[$__rate_interval])) > 0)',
            "of requests",
        ),
        "percentunit",
    ),
]

repeats = [
    graph(
        "Repeats by reason",
        "Requests made again, by why the one before failed. Repeats spend allowance; retry.budget bounds them.",
        query("sum by (reason) (rate(idv_gateway_retries_total{$scope}[$__rate_interval]))", "{{reason}}"),
        "reqps",
        stack=True,
    ),
    timeline(
        "Breakers",
        "Each tenant's reads, writes and uploads, at the worst instance. Open: nothing is sent, calls end with "
        "UPSTREAM_CIRCUIT_OPEN; half open: one request finds out.",
        query("max by (tenant, operation_class) (idv_gateway_breaker_state{$tenants})", "{{tenant}} {{operation_class}}"),
        16,
        8,
        value_map(_0=("closed", "green"), _1=("half open", "yellow"), _2=("open", "red")),
        alert="IdvGatewayBreakerOpen",
    ),
]

uploads = [
    graph(
        "Frame streams",
        "Streams that run, and frames that are sent on in a second.",
        [
            query("sum(idv_gateway_frame_streams{$scope})", "streams"),
            query("sum(rate(idv_gateway_frame_stream_frames_total{$scope}[$__rate_interval]))", "frames a second"),
        ],
        "short",
        width=6,
    ),
    graph(
        "Image bytes of streams",
        "Sent on to the vendor.",
        query("sum(rate(idv_gateway_frame_stream_bytes_total{$scope}[$__rate_interval]))", "bytes a second"),
        "Bps",
        width=6,
    ),
    graph(
        "Streams that broke off",
        "Frame streams that did not end with OK, by reason. CALLER_CANCELLED and STREAM_IDLE are callers'.",
        query("sum by (reason) (rate(idv_gateway_frame_streams_aborted_total{$scope}[$__rate_interval])) > 0", "{{reason}}"),
        "cps",
        width=6,
    ),
    graph(
        "Memory of uploads",
        "Reserved for messages with images and for frame streams, in all, and the limit.",
        [
            query("sum(idv_gateway_upload_memory_bytes{$scope})", "reserved"),
            query("sum(idv_gateway_upload_memory_limit_bytes{$scope})", "limit"),
        ],
        "bytes",
        width=6,
        alert="IdvGatewayNearlyFull",
    ),
]

kept = [
    graph(
        "Reads without a request",
        "Share of reads that were answered from what was kept, or shared another call's request, by cache.",
        query(
            'sum by (cache) (rate(idv_gateway_cache_lookups_total{$scope, result=~"hit|stale|joined"}[$__rate_interval]))'
            " / (sum by (cache) (rate(idv_gateway_cache_lookups_total{$scope}[$__rate_interval])) > 0)",
            "{{cache}}",
        ),
        "percentunit",
        width=6,
    ),
    graph(
        "Answers kept",
        "Entries by cache, and reference data that is past fresh.",
        [
            query("sum by (cache) (idv_gateway_cache_entries{$tenants})", "{{cache}}"),
            query("sum(idv_gateway_cache_stale_entries{$tenants})", "reference, stale"),
        ],
        "short",
        width=6,
    ),
    graph(
        "Oldest reference data",
        "Age of the oldest document types kept, by tenant. Beyond cache.reference.stale_if_error they are given to nobody.",
        query("time() - min by (tenant) (idv_gateway_cache_oldest_fetch_timestamp_seconds{$tenants})", "{{tenant}}"),
        "dtdurations",
        width=6,
    ),
    graph(
        "Drift",
        "What the vendor sent that this version does not know, in the last hour. Callers lose nothing but the new field or the "
        "new value's name.",
        query(
            "sum by (grpc_method, kind) (increase(idv_gateway_drift_total{$scope}[1h])) > 0",
            "{{grpc_method}} {{kind}}",
        ),
        "short",
        width=6,
        alert="IdvGatewayDrift",
    ),
]

UPSTREAM = dashboard(
    "idv-gateway-upstream",
    "idv-gateway: upstream",
    "What is asked of the vendor, what it answers, and how long it takes.",
    [
        ("Is the vendor well?", well),
        ("What does it answer?", answers),
        ("Where does its time go?", phases),
        ("Does it help to ask again?", repeats),
        ("Do uploads get through?", uploads),
        ("What is kept, and what has changed?", kept),
    ],
    ("idv-gateway: overview", "idv-gateway-overview"),
)
