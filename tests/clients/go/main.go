// Calls idv-gateway as a service would: all that a caller needs, in the order of a day at work.
//
// It prints one line for each step, which tests/clients/run.py compares with tests/clients/expected.txt.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"google.golang.org/grpc/status"
)

func parse() (o options, err error) {
	flag.StringVar(&o.target, "target", "127.0.0.1:8080", "`HOST:PORT` of the gateway, or unix:///PATH")
	flag.StringVar(&o.tlsCA, "tls-ca", "", "PEM `file` of who signed the gateway's certificate; without it: plaintext")
	flag.StringVar(&o.tlsCert, "tls-cert", "", "PEM `file` of this client's certificate")
	flag.StringVar(&o.tlsKey, "tls-key", "", "PEM `file` of its key")
	flag.StringVar(&o.tokenFile, "token-file", "", "`file` with a bearer token, instead of a certificate")
	flag.StringVar(&o.serviceConfig, "service-config", "", "service_config.json, the `file` beside the protos; required")
	flag.CommandLine.Init("idv-client-go", flag.ContinueOnError) // not os.Exit(2): all failures here exit with 1
	if err := flag.CommandLine.Parse(os.Args[1:]); err != nil {
		return o, err
	}
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("%q is no flag; see --help", flag.Arg(0))
	case o.serviceConfig == "":
		err = errors.New("--service-config is missing")
	case o.tlsCA == "" && (o.tlsCert != "" || o.tlsKey != "" || o.tokenFile != ""):
		err = errors.New("a certificate or a token goes over TLS only: --tls-ca is missing")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		err = errors.New("--tls-cert and --tls-key come together")
	}
	return o, err
}

// run goes through the scenario, up to the first step that fails.
func run() error {
	o, err := parse()
	if err != nil {
		return err
	}
	channel, err := newChannel(o)
	if err != nil {
		return err
	}
	defer channel.Close()

	c := newClient(channel)
	for _, step := range steps {
		answer, err := step.act(c, context.Background())
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, described(err))
		}
		fmt.Printf("%s: %s\n", step.name, answer)
	}
	return nil
}

// described adds to a call's error what the person needs who looks for it in the gateway's log.
func described(err error) error {
	failed, isStatus := status.FromError(err)
	if !isStatus {
		return err
	}
	info := explain(err).info
	if info.GetReason() == "" { // not by the gateway
		return fmt.Errorf("%s: %s", codeName(err), failed.Message())
	}
	return fmt.Errorf("%s (%s, request %s): %s", codeName(err), info.Reason, info.Metadata["request_id"], failed.Message())
}

func main() {
	err := run()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "idv-client-go:", err)
		os.Exit(1)
	}
}
