package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // heeds the service config's healthCheckConfig, which is passed over without it
	"google.golang.org/grpc/metadata"
)

// Which gateway, and as whom.
type options struct {
	target, serviceConfig             string
	tlsCA, tlsCert, tlsKey, tokenFile string
}

// newChannel makes the connection that the whole process shares: it is safe for all its goroutines, keeps its
// connection, and finds a new one when that is lost. It connects with the first call.
//
// The service config says which calls are repeated after which codes: those that cannot act twice. Of a call that was
// refused for good the gateway says so, and the library heeds that.
func newChannel(o options) (*grpc.ClientConn, error) {
	serviceConfig, err := os.ReadFile(o.serviceConfig)
	if err != nil {
		return nil, err
	}
	dial := []grpc.DialOption{
		grpc.WithDefaultServiceConfig(string(serviceConfig)),
		grpc.WithDisableServiceConfig(), // none from DNS, which would come before this one
		grpc.WithUnaryInterceptor(nameUnary),
		grpc.WithStreamInterceptor(nameStream),
	}
	if o.tlsCA == "" {
		return grpc.NewClient(o.target, append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	}

	config, err := tlsConfig(o)
	if err != nil {
		return nil, err
	}
	dial = append(dial, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if o.tokenFile != "" {
		token := tokenFile(o.tokenFile)
		if _, err := token.GetRequestMetadata(context.Background()); err != nil {
			return nil, err // so that a wrong path is told at once
		}
		dial = append(dial, grpc.WithPerRPCCredentials(token))
	}
	return grpc.NewClient(o.target, dial...)
}

func tlsConfig(o options) (*tls.Config, error) {
	authorities, err := os.ReadFile(o.tlsCA)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("%s: no certificate in PEM", o.tlsCA)
	}
	if o.tlsCert == "" {
		return config, nil
	}
	if _, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey); err != nil {
		return nil, err
	}
	// Read for each new connection, so that a renewed certificate is shown.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
		return &pair, err
	}
	return config, nil
}

// tokenFile shows the token that is in the file now: a projected token of Kubernetes is replaced every hour or so.
type tokenFile string

func (file tokenFile) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := os.ReadFile(string(file))
	if err == nil && len(token) == 0 {
		err = errors.New(string(file) + ": is empty")
	}
	return map[string]string{"authorization": "Bearer " + strings.TrimSpace(string(token))}, err
}

func (tokenFile) RequireTransportSecurity() bool { return true }

// named tells the tenant of a call that does not itself, and gives it an id by which both sides' logs have it.
func named(ctx context.Context) context.Context {
	if sent, _ := metadata.FromOutgoingContext(ctx); len(sent.Get("x-idv-tenant")) == 0 {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-idv-tenant", tenant)
	}
	return metadata.AppendToOutgoingContext(ctx, "x-request-id", randomID())
}

func nameUnary(ctx context.Context, method string, request, reply any, channel *grpc.ClientConn,
	invoke grpc.UnaryInvoker, calls ...grpc.CallOption) error {
	return invoke(named(ctx), method, request, reply, channel, calls...)
}

func nameStream(ctx context.Context, description *grpc.StreamDesc, channel *grpc.ClientConn, method string,
	open grpc.Streamer, calls ...grpc.CallOption) (grpc.ClientStream, error) {
	return open(named(ctx), description, channel, method, calls...)
}

func randomID() string {
	id := make([]byte, 16)
	rand.Read(id) // ends the program if the system has no random bytes, so there is no error to look at
	return hex.EncodeToString(id)
}
