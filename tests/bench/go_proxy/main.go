// The proxy that one writes by hand in an afternoon: typed stubs, one HTTP client, statuses mapped.
// No cache, no budget, no retry. Only the RPCs that the polling storm calls.
//
//	idv_go_proxy --upstream URL     (with IDV_BENCH_TENANT_ID and IDV_BENCH_API_KEY)
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"

	"idv.example/goproxy/gen/idvv1"
)

func main() {
	base := flag.String("upstream", "", "base URL of the vendor's API")
	flag.Parse()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	up := newUpstream(*base, os.Getenv("IDV_BENCH_TENANT_ID"), os.Getenv("IDV_BENCH_API_KEY"))
	server := grpc.NewServer()
	idvv1.RegisterVerificationServiceServer(server, &verifications{upstream: up})
	idvv1.RegisterDocumentServiceServer(server, &documents{upstream: up})
	idvv1.RegisterBiometricServiceServer(server, &biometrics{upstream: up})
	idvv1.RegisterLivenessServiceServer(server, &liveness{upstream: up})
	idvv1.RegisterReferenceServiceServer(server, &reference{upstream: up})

	fmt.Println("listening on grpc", listener.Addr())
	log.Fatal(server.Serve(listener))
}
