package idv.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;

/**
 * What a failed call says: its code, and the details of google.rpc that the gateway gives each failure. They are empty
 * when this side ended the call, or found no gateway.
 */
record Failure(Status.Code code, String message, ErrorInfo info, BadRequest badRequest, RetryInfo retry) {
  static Failure of(StatusRuntimeException error) {
    var status = StatusProto.fromThrowable(error);
    List<Any> details = status == null ? List.of() : status.getDetailsList();
    var message = error.getStatus().getDescription();
    if (error.getStatus().getCause() != null) message += ": " + error.getStatus().getCause().getMessage();
    return new Failure(
        error.getStatus().getCode(),
        message,
        find(details, ErrorInfo.getDefaultInstance()),
        find(details, BadRequest.getDefaultInstance()),
        find(details, RetryInfo.getDefaultInstance()));
  }

  private static <T extends Message> T find(List<Any> details, T otherwise) {
    for (Any detail : details) {
      if (!detail.isSameTypeAs(otherwise)) continue;
      try {
        return detail.unpackSameTypeAs(otherwise);
      } catch (InvalidProtocolBufferException e) {
        break; // as good as none
      }
    }
    return otherwise;
  }

  String codeReasonBlame() {
    return "%s %s, blame %s".formatted(code, info.getReason(), info.getMetadataOrDefault("blame", "nobody"));
  }

  /** With what it takes to find the call in the gateway's log. */
  @Override
  public String toString() {
    if (info.getReason().isEmpty()) return code + ": " + message;
    var request = info.getMetadataOrDefault("request_id", "unknown");
    return "%s (%s, request %s): %s".formatted(code, info.getReason(), request, message);
  }
}
