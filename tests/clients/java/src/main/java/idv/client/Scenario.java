package idv.client;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kora.idv.v1.BiometricServiceOuterClass.UploadSelfieRequest;
import kora.idv.v1.DocumentServiceOuterClass.UploadDocumentRequest;
import kora.idv.v1.FraudAlertServiceOuterClass.FraudAlertStatus;
import kora.idv.v1.FraudAlertServiceOuterClass.ListFraudAlertsRequest;
import kora.idv.v1.FraudAlertServiceOuterClass.ResolveFraudAlertRequest;
import kora.idv.v1.LivenessServiceOuterClass.CreateLivenessSessionRequest;
import kora.idv.v1.LivenessServiceOuterClass.LivenessFrame;
import kora.idv.v1.LivenessServiceOuterClass.LivenessFramesEnd;
import kora.idv.v1.LivenessServiceOuterClass.LivenessFramesHeader;
import kora.idv.v1.LivenessServiceOuterClass.LivenessFramesResult;
import kora.idv.v1.LivenessServiceOuterClass.StreamLivenessFramesRequest;
import kora.idv.v1.LivenessServiceOuterClass.SubmitLivenessChallengeRequest;
import kora.idv.v1.VerificationOuterClass.Verification;
import kora.idv.v1.VerificationOuterClass.VerificationStatus;
import kora.idv.v1.VerificationServiceGrpc.VerificationServiceBlockingStub;
import kora.idv.v1.VerificationServiceOuterClass.CompleteVerificationRequest;
import kora.idv.v1.VerificationServiceOuterClass.CreateVerificationRequest;
import kora.idv.v1.VerificationServiceOuterClass.GetVerificationRequest;
import kora.idv.v1.VerificationServiceOuterClass.ReviewDecision;
import kora.idv.v1.VerificationServiceOuterClass.ReviewVerificationRequest;

/** The steps, each of which makes its line of what the gateway answered. */
final class Scenario {
  private static final ByteString PICTURE =
      ByteString.copyFrom("\u00ff\u00d8\u00ff\u00e0\0\20JFIF\0\1\1\0\0\1\0\1\0\0", ISO_8859_1)
          .concat(ByteString.copyFrom(new byte[1000]))
          .concat(ByteString.copyFrom("\u00ff\u00d9", ISO_8859_1));
  private static final int FRAMES = 300;
  private static final int FRAME_BYTES = 20 * 1024;
  private static final int FRAMES_PER_SECOND = 30;

  private final Gateway gateway;

  Scenario(Gateway gateway) {
    this.gateway = gateway;
  }

  Map<String, Callable<String>> steps() {
    var steps = new LinkedHashMap<String, Callable<String>>();
    steps.put("approve", this::approve);
    steps.put("reject", this::reject);
    steps.put("review", this::review);
    steps.put("fraud", this::fraud);
    steps.put("validation", this::validation);
    steps.put("not found", this::notFound);
    steps.put("rate limited", this::rateLimited);
    steps.put("retried", this::retried);
    steps.put("deadline", this::deadline);
    steps.put("cancel", this::cancel);
    steps.put("frames", this::frames);
    return steps;
  }

  /** Begins the verification of a new subject. In the sandbox the beginning of its id decides what becomes of it. */
  private static Verification create(VerificationServiceBlockingStub verifications, String kind) {
    var subject = "test-" + kind + "-" + UUID.randomUUID();
    return verifications.createVerification(CreateVerificationRequest.newBuilder().setExternalId(subject).build());
  }

  private static Verification get(VerificationServiceBlockingStub verifications, String id) {
    return verifications.getVerification(GetVerificationRequest.newBuilder().setVerificationId(id).build());
  }

  /** A whole verification, until it is decided. Its calls come one after the other: the vendor wants it so. */
  private Verification verify(String kind) throws InterruptedException {
    var id = create(gateway.verifications, kind).getId();
    upload(id, "DE");
    gateway.biometrics.uploadSelfie(
        UploadSelfieRequest.newBuilder().setVerificationId(id).setImage(PICTURE).build());
    var session =
        gateway.liveness.createLivenessSession(
            CreateLivenessSessionRequest.newBuilder().setVerificationId(id).build());
    for (var challenge : session.getChallengesList()) {
      var request = SubmitLivenessChallengeRequest.newBuilder().setVerificationId(id).setImage(PICTURE);
      // By number and spelling, both as they came, so that a challenge which is newer than these stubs passes too.
      request.setChallengeTypeValue(challenge.getTypeValue()).setChallengeTypeRaw(challenge.getTypeRaw());
      gateway.liveness.submitLivenessChallenge(request.build());
    }
    var answer =
        gateway.verifications.completeVerification(
            CompleteVerificationRequest.newBuilder().setVerificationId(id).build());
    while (answer.getStatus() == VerificationStatus.VERIFICATION_STATUS_PROCESSING) {
      Thread.sleep(1000);
      answer = get(gateway.verifications, id);
    }
    return answer;
  }

  private void upload(String id, String country) {
    gateway.documents.uploadDocument(
        UploadDocumentRequest.newBuilder()
            .setVerificationId(id)
            .setDocumentType("passport")
            .setCountry(country)
            .setImage(PICTURE)
            .build());
  }

  /** The failure that a call ends with, which it must. */
  private static Failure failureOf(Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (StatusRuntimeException e) {
      return Failure.of(e);
    }
    throw new IllegalStateException("a call that should fail did not");
  }

  /**
   * The name of an enum's value as the vendor's documentation has it, without the prefix that protobuf asks for. One
   * that is newer than these stubs is UNRECOGNIZED.
   */
  private static String name(Enum<?> value, String prefix) {
    return value.name().replaceFirst("^" + prefix, "");
  }

  private static String status(Verification verification) {
    return name(verification.getStatus(), "VERIFICATION_STATUS_");
  }

  private static String decision(Verification verification) {
    return name(verification.getDecision(), "VERIFICATION_DECISION_");
  }

  private String approve() throws Exception {
    var answer = verify("approve");
    return status(answer) + " " + decision(answer);
  }

  private String reject() throws Exception {
    var answer = verify("reject");
    return Stream.concat(Stream.of(status(answer), decision(answer)), answer.getDecisionCodesList().stream())
        .collect(Collectors.joining(" "));
  }

  private String review() throws Exception {
    var before = verify("review");
    var after =
        gateway.verifications.reviewVerification(
            ReviewVerificationRequest.newBuilder()
                .setVerificationId(before.getId())
                .setReviewerId("reviewer-1")
                .setDecision(ReviewDecision.REVIEW_DECISION_APPROVE)
                .build());
    return "%s, then %s %s".formatted(status(before), status(after), decision(after));
  }

  private String fraud() throws Exception {
    var answer = verify("fraud");
    var list =
        gateway.alerts.listFraudAlerts(
            ListFraudAlertsRequest.newBuilder().setStatus(FraudAlertStatus.FRAUD_ALERT_STATUS_OPEN).build());
    var open =
        list.getAlertsList().stream().filter(alert -> alert.getVerificationId().equals(answer.getId())).toList();
    if (open.isEmpty()) throw new IllegalStateException("no open alert of the verification");
    var alert = open.get(0);
    var resolved =
        gateway.alerts.resolveFraudAlert(
            ResolveFraudAlertRequest.newBuilder()
                .setAlertId(alert.getId())
                .setReviewerId("reviewer-1")
                .setStatus(FraudAlertStatus.FRAUD_ALERT_STATUS_CONFIRMED)
                .build());
    var severity = name(alert.getSeverity(), "SEVERITY_");
    var outcome = name(resolved.getStatus(), "FRAUD_ALERT_STATUS_");
    return "%s, %d open alert: %s %s, then %s"
        .formatted(status(answer), open.size(), alert.getAlertType(), severity, outcome);
  }

  private String validation() throws Exception {
    var id = create(gateway.verifications, "approve").getId();
    var failure =
        failureOf(
            () -> {
              upload(id, "Germany");
              return null;
            });
    var fields =
        failure.badRequest().getFieldViolationsList().stream()
            .map(violation -> violation.getField())
            .collect(Collectors.joining(" "));
    return failure.codeReasonBlame() + ", field " + fields;
  }

  private String notFound() throws Exception {
    return failureOf(() -> get(gateway.verifications, UUID.randomUUID().toString())).codeReasonBlame();
  }

  /**
   * A tenant with an allowance of one request a minute. The second is not even tried, since its turn would come after
   * its deadline, and told when to come back.
   */
  private String rateLimited() throws Exception {
    var headers = new Metadata();
    headers.put(Gateway.TENANT, "small");
    var small =
        gateway
            .verifications
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
            .withDeadlineAfter(5, TimeUnit.SECONDS); // from now on, for both
    create(small, "approve");
    var failure = failureOf(() -> create(small, "approve"));
    double delay = Durations.toMillis(failure.retry().getRetryDelay()) / 1000.0;
    var after = delay >= 1 && delay <= 60 ? "1 to 60" : String.valueOf(delay);
    return "%s, retry after %s s".formatted(failure.codeReasonBlame(), after);
  }

  /** The first answer is UNAVAILABLE. That it is asked again is the service config's doing, see Gateway. */
  private String retried() {
    var id = create(gateway.verifications, "retried").getId();
    return status(get(gateway.verifications, id));
  }

  private String deadline() throws Exception {
    var id = create(gateway.verifications, "late").getId();
    var hasty = gateway.verifications.withDeadlineAfter(300, TimeUnit.MILLISECONDS);
    return failureOf(() -> get(hasty, id)).code().name();
  }

  /** Whatever a thread calls while it is in a context ends with that. */
  private String cancel() throws Exception {
    var id = create(gateway.verifications, "hung").getId();
    var timer = Executors.newSingleThreadScheduledExecutor();
    try (var context = Context.current().withCancellation()) {
      timer.schedule(() -> context.cancel(null), 200, TimeUnit.MILLISECONDS);
      return failureOf(() -> context.call(() -> get(gateway.verifications, id))).code().name();
    } finally {
      timer.shutdownNow();
    }
  }

  private String frames() throws Exception {
    var id = create(gateway.verifications, "frames").getId();
    var session =
        gateway.liveness.createLivenessSession(
            CreateLivenessSessionRequest.newBuilder().setVerificationId(id).build());
    if (session.getChallengesCount() == 0) throw new IllegalStateException("a session without challenges");
    var camera =
        new Camera(
            LivenessFramesHeader.newBuilder()
                .setVerificationId(id)
                .setChallengeTypeValue(session.getChallenges(0).getTypeValue())
                .setFramesPerSecond(FRAMES_PER_SECOND)
                .build());
    gateway.livenessStreams.withDeadlineAfter(60, TimeUnit.SECONDS).streamLivenessFrames(camera);
    try {
      var result = camera.answer.get();
      var type = name(result.getType(), "LIVENESS_CHALLENGE_TYPE_");
      var completed = result.getCompleted() ? "completed" : "not completed";
      return "%d sent, %s %s %.1f".formatted(camera.sent, type, completed, result.getScore());
    } catch (ExecutionException e) {
      throw e.getCause() instanceof StatusRuntimeException failed ? failed : e;
    }
  }

  /**
   * Streams what a camera would take. onNext() keeps every message that it is given; isReady() says whether there is
   * room for one, and the handler is called when there is again. Whoever does not heed that has the whole stream in
   * memory when the vendor is slow. When the gateway ends the call early, as it does to refuse it, the handler is
   * called no more.
   */
  private static final class Camera
      implements ClientResponseObserver<StreamLivenessFramesRequest, LivenessFramesResult> {
    private static final ByteString IMAGE = PICTURE.concat(ByteString.copyFrom(new byte[FRAME_BYTES - PICTURE.size()]));

    final CompletableFuture<LivenessFramesResult> answer = new CompletableFuture<>();
    volatile int sent = 0;
    private LivenessFramesHeader header; // until it is sent
    private boolean ended = false;

    Camera(LivenessFramesHeader header) {
      this.header = header;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<StreamLivenessFramesRequest> stream) {
      stream.setOnReadyHandler(
          () -> {
            while (stream.isReady() && !ended) sendNext(stream);
          });
    }

    private void sendNext(ClientCallStreamObserver<StreamLivenessFramesRequest> stream) {
      var message = StreamLivenessFramesRequest.newBuilder();
      if (header != null) {
        stream.onNext(message.setHeader(header).build());
        header = null;
      } else if (sent < FRAMES) {
        var offset = Durations.fromMillis(sent * 1000L / FRAMES_PER_SECOND);
        stream.onNext(message.setFrame(LivenessFrame.newBuilder().setImage(IMAGE).setCaptureOffset(offset)).build());
        ++sent;
      } else {
        stream.onNext(message.setEnd(LivenessFramesEnd.newBuilder().setFrameCount(sent)).build());
        stream.onCompleted();
        ended = true;
      }
    }

    @Override
    public void onNext(LivenessFramesResult result) {
      answer.complete(result);
    }

    @Override
    public void onError(Throwable failure) {
      answer.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {}
  }
}
