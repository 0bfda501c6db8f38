package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// upstream sends JSON requests to the vendor's REST API.
type upstream struct {
	client   *http.Client
	base     string
	tenantID string
	apiKey   string
}

func newUpstream(base, tenantID, apiKey string) *upstream {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	// The default of 2 would open a connection for most of the calls.
	transport.MaxIdleConnsPerHost = 100
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return &upstream{client: client, base: base, tenantID: tenantID, apiKey: apiKey}
}

func (u *upstream) get(ctx context.Context, path string, out any) error {
	return u.send(ctx, http.MethodGet, path, nil, out)
}

func (u *upstream) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return u.send(ctx, http.MethodPost, path, body, out)
}

// send decodes a 2xx answer into out; anything else is an error with a gRPC status.
func (u *upstream) send(ctx context.Context, method, path string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, u.base+path, bytes.NewReader(body))
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	request.Header.Set("Authorization", "Bearer "+u.apiKey)
	request.Header.Set("X-Tenant-ID", u.tenantID)
	request.Header.Set("Content-Type", "application/json")

	response, err := u.client.Do(request)
	if err != nil {
		return transportError(ctx, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return transportError(ctx, err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return status.Errorf(codeOf(response.StatusCode), "upstream answered %s", response.Status)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return status.Error(codes.Internal, "upstream answered bad JSON")
	}
	return nil
}

func transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return status.Error(codes.Unavailable, err.Error())
}

func codeOf(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusConflict, http.StatusGone:
		return codes.FailedPrecondition
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusGatewayTimeout:
		return codes.DeadlineExceeded
	default:
		return codes.Internal
	}
}
