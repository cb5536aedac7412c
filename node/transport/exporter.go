package transport

import (
	"context"
	"errors"
	"fmt"

	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Exporter is the keying material that binds a registration to its connection, the same on both ends and on no other
// connection. The context is the stream's on either side; a client's is filled before its first message.
func Exporter(ctx context.Context) (out [pki.ExporterSize]byte, err error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return out, errors.New("export keying material: no connection in the context")
	}
	return export(p.AuthInfo)
}

func export(info credentials.AuthInfo) (out [pki.ExporterSize]byte, err error) {
	t, ok := info.(credentials.TLSInfo)
	if !ok {
		return out, fmt.Errorf("export keying material: a %T connection where TLS is needed", info)
	}
	b, err := t.State.ExportKeyingMaterial(pki.ExporterLabel, nil, len(out))
	if err != nil {
		return out, fmt.Errorf("export keying material: %w", err)
	}
	copy(out[:], b)
	return out, nil
}
