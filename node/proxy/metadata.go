package proxy

import (
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"
)

// What a node says in a call's metadata. No other key that begins with g2g- gets through a node, in whatever spelling and whoever
// sent it: so a backend that finds one knows that its own node wrote it.
const (
	// PeerID has the ID of the member at the other end of the secured connection: of the caller where a Route has brought the
	// call, of the peer that answered in the headers or trailers that a Forward brings back.
	PeerID = "g2g-peer-id"
	// PeerMode has the caller's mode, server or client.
	PeerMode = "g2g-peer-mode"

	ours = "g2g-"
)

// passing are the keys of gRPC's own that belong to the two ends of a call. The others belong to one connection.
var passing = []string{
	"grpc-trace-bin", "grpc-tags-bin", "grpc-previous-rpc-attempts", "grpc-retry-pushback-ms", "grpc-status-details-bin",
}

// ofConnection are keys that belong to one connection, beside gRPC's own. A node's own connections have their own.
var ofConnection = []string{"content-type", "user-agent", "te", "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}

// passed is the metadata that goes on, in a new map.
func passed(in metadata.MD) metadata.MD {
	out := make(metadata.MD, len(in)+2)
	for key, values := range in { // into a map again
		if passes(key) {
			out[key] = values
		}
	}
	return out
}

func passes(key string) bool {
	key = strings.ToLower(key)
	switch {
	case key == "" || key[0] == ':':
		return false
	case strings.HasPrefix(key, "grpc-"):
		return slices.Contains(passing, key)
	case strings.HasPrefix(strings.ReplaceAll(key, "_", "-"), ours): // some programs take the two for one
		return false
	}
	return !slices.Contains(ofConnection, key)
}
