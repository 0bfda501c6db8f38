package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"idv-client-go/stubs/idv"
)

const (
	tenant   = "acme"
	deadline = 15 * time.Second // every call needs one, or it waits for as long as the gateway lets it

	frameCount, frameBytes, framesPerSecond = 300, 20 << 10, 30
)

var picture = append(append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
	make([]byte, 1000)...), "\xff\xd9"...)

// client holds the stubs. They are cheap, and safe for all goroutines, as the one channel below them is.
type client struct {
	verifications idv.VerificationServiceClient
	documents     idv.DocumentServiceClient
	biometrics    idv.BiometricServiceClient
	liveness      idv.LivenessServiceClient
	alerts        idv.FraudAlertServiceClient
}

func newClient(channel grpc.ClientConnInterface) *client {
	return &client{
		idv.NewVerificationServiceClient(channel), idv.NewDocumentServiceClient(channel),
		idv.NewBiometricServiceClient(channel), idv.NewLivenessServiceClient(channel),
		idv.NewFraudAlertServiceClient(channel),
	}
}

// call makes one unary call within the usual deadline: call(ctx, c.alerts.ListFraudAlerts, request).
func call[Request, Reply any](ctx context.Context,
	method func(context.Context, Request, ...grpc.CallOption) (Reply, error), request Request) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel() // gives the timer back; without it, it runs on after the call
	return method(ctx, request)
}

// create begins the verification of a new subject. In the sandbox the beginning of its id decides what becomes of it.
func (c *client) create(ctx context.Context, kind string) (*idv.Verification, error) {
	return call(ctx, c.verifications.CreateVerification,
		&idv.CreateVerificationRequest{ExternalId: "test-" + kind + "-" + randomID()})
}

func (c *client) get(ctx context.Context, id string) (*idv.Verification, error) {
	return call(ctx, c.verifications.GetVerification, &idv.GetVerificationRequest{VerificationId: id})
}

// verify goes through a whole verification, until it is decided. Its calls come one after the other, as the vendor
// wants it.
func (c *client) verify(ctx context.Context, kind string) (*idv.Verification, error) {
	created, err := c.create(ctx, kind)
	if err != nil {
		return nil, err
	}
	id := created.Id
	if _, err := call(ctx, c.documents.UploadDocument, &idv.UploadDocumentRequest{
		VerificationId: id, DocumentType: "passport", Country: "DE", Image: picture}); err != nil {
		return nil, err
	}
	if _, err := call(ctx, c.biometrics.UploadSelfie,
		&idv.UploadSelfieRequest{VerificationId: id, Image: picture}); err != nil {
		return nil, err
	}
	session, err := call(ctx, c.liveness.CreateLivenessSession, &idv.CreateLivenessSessionRequest{VerificationId: id})
	if err != nil {
		return nil, err
	}
	for _, challenge := range session.Challenges {
		// The spelling is sent for a challenge that is newer than these stubs.
		if _, err := call(ctx, c.liveness.SubmitLivenessChallenge, &idv.SubmitLivenessChallengeRequest{
			VerificationId: id, ChallengeType: challenge.Type, ChallengeTypeRaw: challenge.TypeRaw, Image: picture,
		}); err != nil {
			return nil, err
		}
	}
	answer, err := call(ctx, c.verifications.CompleteVerification, &idv.CompleteVerificationRequest{VerificationId: id})
	for err == nil && answer.Status == idv.VerificationStatus_VERIFICATION_STATUS_PROCESSING {
		time.Sleep(time.Second)
		answer, err = c.get(ctx, id)
	}
	return answer, err
}

// failure is what the gateway says of a call that failed: the details of google.rpc, nil where there are none.
type failure struct {
	info       *errdetails.ErrorInfo
	badRequest *errdetails.BadRequest
	retry      *errdetails.RetryInfo
}

func explain(err error) (f failure) {
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			f.info = detail
		case *errdetails.BadRequest:
			f.badRequest = detail
		case *errdetails.RetryInfo:
			f.retry = detail
		}
	}
	return f
}

// codeName is NOT_FOUND as all languages write it; Go's own name of the code is NotFound.
func codeName(err error) string { return code.Code(status.Code(err)).String() }

var errNoFailure = errors.New("a call that should fail did not")

func codeReasonBlame(err error) string {
	info := explain(err).info
	return fmt.Sprintf("%s %s, blame %s", codeName(err), info.GetReason(), info.GetMetadata()["blame"])
}

// The names of enums as the vendor's documentation has them, without the prefix that protobuf asks for.
func statusName(v *idv.Verification) string {
	return strings.TrimPrefix(v.Status.String(), "VERIFICATION_STATUS_")
}

func decisionName(v *idv.Verification) string {
	return strings.TrimPrefix(v.Decision.String(), "VERIFICATION_DECISION_")
}

var steps = []struct {
	name string
	act  func(*client, context.Context) (string, error)
}{
	{"approve", (*client).stepApprove},
	{"reject", (*client).stepReject},
	{"review", (*client).stepReview},
	{"fraud", (*client).stepFraud},
	{"validation", (*client).stepValidation},
	{"not found", (*client).stepNotFound},
	{"rate limited", (*client).stepRateLimited},
	{"retried", (*client).stepRetried},
	{"deadline", (*client).stepDeadline},
	{"cancel", (*client).stepCancel},
	{"frames", (*client).stepFrames},
}

func (c *client) stepApprove(ctx context.Context) (string, error) {
	answer, err := c.verify(ctx, "approve")
	if err != nil {
		return "", err
	}
	return statusName(answer) + " " + decisionName(answer), nil
}

func (c *client) stepReject(ctx context.Context) (string, error) {
	answer, err := c.verify(ctx, "reject")
	if err != nil {
		return "", err
	}
	return strings.Join(append([]string{statusName(answer), decisionName(answer)}, answer.DecisionCodes...), " "), nil
}

func (c *client) stepReview(ctx context.Context) (string, error) {
	before, err := c.verify(ctx, "review")
	if err != nil {
		return "", err
	}
	after, err := call(ctx, c.verifications.ReviewVerification, &idv.ReviewVerificationRequest{
		VerificationId: before.Id, ReviewerId: "reviewer-1", Decision: idv.ReviewDecision_REVIEW_DECISION_APPROVE})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, then %s %s", statusName(before), statusName(after), decisionName(after)), nil
}

func (c *client) stepFraud(ctx context.Context) (string, error) {
	answer, err := c.verify(ctx, "fraud")
	if err != nil {
		return "", err
	}
	list, err := call(ctx, c.alerts.ListFraudAlerts,
		&idv.ListFraudAlertsRequest{Status: idv.FraudAlertStatus_FRAUD_ALERT_STATUS_OPEN})
	if err != nil {
		return "", err
	}
	var open []*idv.FraudAlert
	for _, alert := range list.Alerts {
		if alert.VerificationId == answer.Id {
			open = append(open, alert)
		}
	}
	if len(open) == 0 {
		return "", errors.New("no open alert of the verification")
	}
	resolved, err := call(ctx, c.alerts.ResolveFraudAlert, &idv.ResolveFraudAlertRequest{
		AlertId: open[0].Id, ReviewerId: "reviewer-1", Status: idv.FraudAlertStatus_FRAUD_ALERT_STATUS_CONFIRMED})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d open alert: %s %s, then %s", statusName(answer), len(open), open[0].AlertType,
		strings.TrimPrefix(open[0].Severity.String(), "SEVERITY_"),
		strings.TrimPrefix(resolved.Status.String(), "FRAUD_ALERT_STATUS_")), nil
}

func (c *client) stepValidation(ctx context.Context) (string, error) {
	created, err := c.create(ctx, "approve")
	if err != nil {
		return "", err
	}
	_, err = call(ctx, c.documents.UploadDocument, &idv.UploadDocumentRequest{
		VerificationId: created.Id, DocumentType: "passport", Country: "Germany", Image: picture})
	if err == nil {
		return "", errNoFailure
	}
	var fields []string
	for _, violation := range explain(err).badRequest.GetFieldViolations() {
		fields = append(fields, violation.Field)
	}
	return codeReasonBlame(err) + ", field " + strings.Join(fields, " "), nil
}

func (c *client) stepNotFound(ctx context.Context) (string, error) {
	_, err := c.get(ctx, randomID())
	if err == nil {
		return "", errNoFailure
	}
	return codeReasonBlame(err), nil
}

// stepRateLimited: a tenant with an allowance of one request a minute. The second one is not even tried, since its
// turn would come after its deadline, and is told when to come back.
func (c *client) stepRateLimited(ctx context.Context) (string, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, "x-idv-tenant", "small")
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // the shorter of two deadlines counts
	defer cancel()
	if _, err := c.create(ctx, "approve"); err != nil {
		return "", err
	}
	_, err := c.create(ctx, "approve")
	if err == nil {
		return "", errNoFailure
	}
	after := "1 to 60 s"
	if delay := explain(err).retry.GetRetryDelay().AsDuration(); delay < time.Second || delay > time.Minute {
		after = delay.String()
	}
	return codeReasonBlame(err) + ", retry after " + after, nil
}

// stepRetried: the first answer is UNAVAILABLE. That it is asked again is the service config's doing, see newChannel.
func (c *client) stepRetried(ctx context.Context) (string, error) {
	created, err := c.create(ctx, "retried")
	if err != nil {
		return "", err
	}
	answer, err := c.get(ctx, created.Id)
	if err != nil {
		return "", err
	}
	return statusName(answer), nil
}

func (c *client) stepDeadline(ctx context.Context) (string, error) {
	created, err := c.create(ctx, "late")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, err = c.get(ctx, created.Id); err == nil {
		return "", errNoFailure
	}
	return codeName(err), nil
}

func (c *client) stepCancel(ctx context.Context) (string, error) {
	created, err := c.create(ctx, "hung")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err = c.get(ctx, created.Id); err == nil {
		return "", errNoFailure
	}
	return codeName(err), nil
}

func (c *client) stepFrames(ctx context.Context) (string, error) {
	created, err := c.create(ctx, "frames")
	if err != nil {
		return "", err
	}
	session, err := call(ctx, c.liveness.CreateLivenessSession,
		&idv.CreateLivenessSessionRequest{VerificationId: created.Id})
	if err != nil {
		return "", err
	}
	if len(session.Challenges) == 0 {
		return "", errors.New("a session without challenges")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel() // also lets go of a stream that is left before its end
	stream, err := c.liveness.StreamLivenessFrames(ctx)
	if err != nil {
		return "", err
	}
	sent, err := sendFrames(stream, &idv.LivenessFramesHeader{VerificationId: created.Id,
		ChallengeType: session.Challenges[0].Type, FramesPerSecond: framesPerSecond})
	// io.EOF says that the gateway has ended the call, as when it refuses; CloseAndRecv tells why.
	if err != nil && err != io.EOF {
		return "", err
	}
	result, err := stream.CloseAndRecv()
	if err != nil {
		return "", err
	}
	passed := "not completed"
	if result.GetCompleted() {
		passed = "completed"
	}
	return fmt.Sprintf("%d sent, %s %s %.1f", sent,
		strings.TrimPrefix(result.Type.String(), "LIVENESS_CHALLENGE_TYPE_"), passed, result.GetScore()), nil
}

// sendFrames sends what a camera would take. Send waits until the gateway has room for the message, which is how a
// slow vendor slows this loop down.
func sendFrames(stream idv.LivenessService_StreamLivenessFramesClient,
	header *idv.LivenessFramesHeader) (sent int, err error) {
	err = stream.Send(&idv.StreamLivenessFramesRequest{
		Payload: &idv.StreamLivenessFramesRequest_Header{Header: header}})
	image := bytes.Repeat([]byte{0}, frameBytes)
	copy(image, picture)
	for ; err == nil && sent < frameCount; sent++ {
		err = stream.Send(&idv.StreamLivenessFramesRequest{
			Payload: &idv.StreamLivenessFramesRequest_Frame{Frame: &idv.LivenessFrame{
				Image:         image,
				CaptureOffset: durationpb.New(time.Duration(sent) * time.Second / framesPerSecond)}}})
	}
	if err != nil {
		return sent, err
	}
	return sent, stream.Send(&idv.StreamLivenessFramesRequest{
		Payload: &idv.StreamLivenessFramesRequest_End{End: &idv.LivenessFramesEnd{FrameCount: int32(sent)}}})
}
