package pki

import (
	"errors"
	"fmt"
	"strings"
)

// MaxServiceName bounds the name of a gRPC service, in characters.
const MaxServiceName = 128

// CheckServiceName reports what is wrong with the full name of a gRPC service that a node tells its peers of: parts of letters,
// digits and _ that begin with no digit, with dots between them, as protobuf has it. Names under g2g are the node's own.
func CheckServiceName(name string) error {
	if name == "" || len(name) > MaxServiceName {
		return fmt.Errorf("service name of %d characters: 1 to %d are needed", len(name), MaxServiceName)
	}
	parts := strings.Split(name, ".")
	if parts[0] == "g2g" {
		return fmt.Errorf("service name %q: the packages g2g and g2g.* are the node's own", name)
	}
	for _, part := range parts {
		if err := checkIdentifier(part); err != nil {
			return fmt.Errorf("service name %q: %w", name, err)
		}
	}
	return nil
}

func checkIdentifier(part string) error {
	if part == "" {
		return errors.New("a part of it is empty")
	}
	for i, c := range []byte(part) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return errors.New("its parts are letters, digits and _, no digit first")
		}
	}
	return nil
}
