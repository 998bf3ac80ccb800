// SPDX-License-Identifier: Apache-2.0

// go_proxy LISTEN UPSTREAM: what a straightforward proxy in Go costs. Any method, raw bytes,
// grpc-go on both sides, one connection upstream; GOMAXPROCS=1 like every peer.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type frame struct{ payload []byte }

// rawCodec leaves messages as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v interface{}) ([]byte, error) { return v.(*frame).payload, nil }
func (rawCodec) Unmarshal(data []byte, v interface{}) error {
	v.(*frame).payload = data
	return nil
}
func (rawCodec) Name() string   { return "proto" }
func (rawCodec) String() string { return "proto" }

func relay(upstream *grpc.ClientConn) grpc.StreamHandler {
	return func(_ interface{}, down grpc.ServerStream) error {
		method, ok := grpc.MethodFromServerStream(down)
		if !ok {
			return status.Error(codes.Internal, "no method")
		}
		headers, _ := metadata.FromIncomingContext(down.Context())
		ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(down.Context(), headers))
		defer cancel()
		up, err := grpc.NewClientStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
			upstream, method, grpc.ForceCodec(rawCodec{}))
		if err != nil {
			return err
		}
		go func() {
			for {
				var f frame
				if err := down.RecvMsg(&f); err != nil {
					if err == io.EOF {
						_ = up.CloseSend()
					} else {
						cancel()
					}
					return
				}
				if up.SendMsg(&f) != nil {
					return
				}
			}
		}()
		first := true
		for {
			var f frame
			err := up.RecvMsg(&f)
			if first {
				if md, headerErr := up.Header(); headerErr == nil {
					_ = down.SendHeader(md)
				}
				first = false
			}
			if err != nil {
				down.SetTrailer(up.Trailer())
				if err == io.EOF {
					return nil
				}
				return err
			}
			if err := down.SendMsg(&f); err != nil {
				return err
			}
		}
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_proxy LISTEN UPSTREAM")
		os.Exit(64)
	}
	_ = os.Remove(os.Args[1])
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	const unlimited = 1 << 30
	upstream, err := grpc.Dial("unix:"+os.Args[2], grpc.WithInsecure(),
		grpc.WithInitialWindowSize(4<<20), grpc.WithInitialConnWindowSize(16<<20),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(unlimited), grpc.MaxCallSendMsgSize(unlimited)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.CustomCodec(rawCodec{}), grpc.UnknownServiceHandler(relay(upstream)),
		grpc.InitialWindowSize(4<<20), grpc.InitialConnWindowSize(16<<20),
		grpc.MaxRecvMsgSize(unlimited), grpc.MaxSendMsgSize(unlimited))
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
