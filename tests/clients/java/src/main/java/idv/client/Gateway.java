package idv.client;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.CompositeChannelCredentials;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import kora.idv.v1.BiometricServiceGrpc;
import kora.idv.v1.BiometricServiceGrpc.BiometricServiceBlockingStub;
import kora.idv.v1.DocumentServiceGrpc;
import kora.idv.v1.DocumentServiceGrpc.DocumentServiceBlockingStub;
import kora.idv.v1.FraudAlertServiceGrpc;
import kora.idv.v1.FraudAlertServiceGrpc.FraudAlertServiceBlockingStub;
import kora.idv.v1.LivenessServiceGrpc;
import kora.idv.v1.LivenessServiceGrpc.LivenessServiceBlockingStub;
import kora.idv.v1.LivenessServiceGrpc.LivenessServiceStub;
import kora.idv.v1.VerificationServiceGrpc;
import kora.idv.v1.VerificationServiceGrpc.VerificationServiceBlockingStub;

/**
 * The channel to the gateway and the stubs over it. There is one for the whole process: it is safe for all threads,
 * keeps its connection, and finds a new one when that is lost.
 */
final class Gateway implements AutoCloseable {
  static final Metadata.Key<String> TENANT = Metadata.Key.of("x-idv-tenant", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;
  final VerificationServiceBlockingStub verifications;
  final DocumentServiceBlockingStub documents;
  final BiometricServiceBlockingStub biometrics;
  final LivenessServiceBlockingStub liveness;
  final LivenessServiceStub livenessStreams;
  final FraudAlertServiceBlockingStub alerts;

  /**
   * The service config says which calls are repeated after which codes: those that cannot act twice. Of a call that was
   * refused for good the gateway says so, and the library heeds that.
   */
  Gateway(Options options) throws IOException {
    channel =
        Grpc.newChannelBuilder(options.target(), credentials(options))
            .defaultServiceConfig(readJson(options.serviceConfig()))
            .disableServiceConfigLookUp() // none from DNS, which would come before this one
            .intercept(new Defaults())
            .build();
    verifications = VerificationServiceGrpc.newBlockingStub(channel);
    documents = DocumentServiceGrpc.newBlockingStub(channel);
    biometrics = BiometricServiceGrpc.newBlockingStub(channel);
    liveness = LivenessServiceGrpc.newBlockingStub(channel);
    livenessStreams = LivenessServiceGrpc.newStub(channel);
    alerts = FraudAlertServiceGrpc.newBlockingStub(channel);
  }

  @Override
  public void close() {
    channel.shutdownNow(); // also ends what still runs
  }

  private static ChannelCredentials credentials(Options options) throws IOException {
    if (options.tlsCa() == null) return InsecureChannelCredentials.create();
    var tls = TlsChannelCredentials.newBuilder().trustManager(new File(options.tlsCa()));
    if (options.tlsCert() != null) tls.keyManager(new File(options.tlsCert()), new File(options.tlsKey()));
    if (options.tokenFile() == null) return tls.build();
    var token = new TokenFile(Path.of(options.tokenFile()));
    token.read(); // so that a wrong path is told at once
    return CompositeChannelCredentials.create(tls.build(), token);
  }

  private static Map<String, ?> readJson(String file) throws IOException {
    try (var reader = Files.newBufferedReader(Path.of(file))) {
      @SuppressWarnings("unchecked")
      Map<String, ?> json = new Gson().fromJson(reader, Map.class);
      return json;
    } catch (JsonParseException e) {
      throw new IOException(file + " is no JSON object", e);
    }
  }

  /** Shows the token that is in the file now: a projected token of Kubernetes is replaced every hour or so. */
  private static final class TokenFile extends CallCredentials {
    private final Path path;

    TokenFile(Path path) {
      this.path = path;
    }

    String read() throws IOException {
      return Files.readString(path).strip();
    }

    @Override
    public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
      executor.execute(
          () -> {
            try {
              var headers = new Metadata();
              headers.put(AUTHORIZATION, "Bearer " + read());
              applier.apply(headers);
            } catch (IOException e) {
              applier.fail(Status.UNAVAILABLE.withDescription("the token cannot be read").withCause(e));
            }
          });
    }
  }

  /**
   * What every call has that does not say otherwise: a tenant, an id by which both sides' logs have it, and a deadline,
   * without which it waits for as long as the gateway lets it.
   */
  private static final class Defaults implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
      var bounded = options.getDeadline() == null ? options.withDeadlineAfter(15, TimeUnit.SECONDS) : options;
      return new SimpleForwardingClientCall<>(next.newCall(method, bounded)) {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
          if (!headers.containsKey(TENANT)) headers.put(TENANT, "acme");
          headers.put(REQUEST_ID, UUID.randomUUID().toString());
          super.start(listener, headers);
        }
      };
    }
  }
}
