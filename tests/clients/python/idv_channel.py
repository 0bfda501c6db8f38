"""The channel to the gateway: what every call has in common."""

import collections
import uuid

import grpc

TENANT = "acme"


class TokenFile(grpc.AuthMetadataPlugin):
    """Shows the token that is in the file now: a projected token of Kubernetes is replaced every hour or so."""

    def __init__(self, path):
        self._path = path

    def __call__(self, context, callback):
        try:
            token = self._path.read_text(encoding="ascii").strip()
        except OSError as error:
            callback((), error)  # ends the call with UNAVAILABLE
        else:
            callback((("authorization", f"Bearer {token}"),), None)


class _Details(
    collections.namedtuple("_Details", "method timeout metadata credentials wait_for_ready compression"), grpc.ClientCallDetails
):
    """The library has no class of its own to make these of."""


class Metadata(grpc.UnaryUnaryClientInterceptor, grpc.StreamUnaryClientInterceptor):
    """Names the tenant of every call that does not itself, and gives it an id by which both sides' logs have it."""

    def _with_metadata(self, details):
        metadata = list(details.metadata or ()) + [("x-request-id", str(uuid.uuid4()))]
        if not any(key == "x-idv-tenant" for key, _ in metadata):
            metadata.append(("x-idv-tenant", TENANT))
        return _Details(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(self._with_metadata(client_call_details), request)

    def intercept_stream_unary(self, continuation, client_call_details, request_iterator):
        return continuation(self._with_metadata(client_call_details), request_iterator)


def make_channel(options):
    """Of a channel there is one for the whole process: it keeps its connection, and finds a new one when that is lost.

    The service config says which calls are repeated after which codes: those that cannot act twice. For a call that was
    refused for good the gateway says so, and the library heeds that.
    """
    arguments = [
        ("grpc.service_config", options.service_config.read_text(encoding="utf-8")),
        ("grpc.service_config_disable_resolution", 1),  # nor is one looked for in DNS
    ]
    if options.tls_ca:
        credentials = grpc.ssl_channel_credentials(
            options.tls_ca.read_bytes(),
            options.tls_key and options.tls_key.read_bytes(),
            options.tls_cert and options.tls_cert.read_bytes(),
        )
        if options.token_file:
            options.token_file.read_bytes()  # so that a wrong path is told at once
            token = grpc.metadata_call_credentials(TokenFile(options.token_file))
            credentials = grpc.composite_channel_credentials(credentials, token)
        channel = grpc.secure_channel(options.target, credentials, arguments)
    else:
        channel = grpc.insecure_channel(options.target, arguments)
    return grpc.intercept_channel(channel, Metadata())
