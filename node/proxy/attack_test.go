package proxy

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// attacker speaks HTTP/2 by hand to a forward's port.
type attacker struct {
	*http2.Framer
	conn net.Conn
	sent atomic.Int64
}

func (a *attacker) Write(b []byte) (int, error) {
	n, err := a.conn.Write(b)
	a.sent.Add(int64(n))
	return n, err
}

func attack(t *testing.T, at string) *attacker {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	a := &attacker{conn: c}
	a.Framer = http2.NewFramer(a, c)
	if _, err := a.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	if err := a.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return a
}

// begin sends the header of a call, with more fields.
func (a *attacker) begin(stream uint32, more ...string) error {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	fields := append([]string{":method", "POST", ":scheme", "http", ":path", "/a.B/Say", ":authority", "x", "content-type", "application/grpc", "te", "trailers"}, more...)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: true})
	}
	return a.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true})
}

// refusal reads until a stream is reset or the connection ends, and tells which: "reset", "goaway", "closed", or the status of a response.
func (a *attacker) refusal(t *testing.T) string {
	t.Helper()
	_ = a.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		frame, err := a.ReadFrame()
		if err != nil {
			if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
				t.Fatal("no refusal")
			}
			return "closed"
		}
		switch frame := frame.(type) {
		case *http2.RSTStreamFrame:
			return "reset"
		case *http2.GoAwayFrame:
			return "goaway"
		case *http2.HeadersFrame:
			fields, err := hpack.NewDecoder(4096, nil).DecodeFull(frame.HeaderBlockFragment())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fields {
				if f.Name == "grpc-status" {
					return "status " + f.Value
				}
			}
		}
	}
}

// What no gRPC library would send to the port: it costs the sender a stream or the connection, and nobody else anything.
func TestForwardUnderAttack(t *testing.T) {
	var calls atomic.Int32
	_, conn := forwardTo(t, answering(t, "peer", &calls, echoAll))
	at := strings.TrimPrefix(conn.Target(), "passthrough:///")
	for name, does := range map[string]func(a *attacker) error{
		"upper case":                func(a *attacker) error { return a.begin(1, "G2G-Peer-Id", "forged") },
		"16,000 bytes in one field": func(a *attacker) error { return a.begin(1, "flood", strings.Repeat("x", 16000)) },
		"many fields": func(a *attacker) error {
			var more []string
			for range 1000 {
				more = append(more, "a", "b")
			}
			return a.begin(1, more...)
		},
		"fields without an end": func(a *attacker) error {
			err := a.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x40, 1, 'a', 1, 'b'}})
			for range 10_000 {
				if err == nil {
					err = a.WriteContinuation(1, false, bytes.Repeat([]byte{0x00, 1, 'a', 1, 'b'}, 3000))
				}
			}
			return err
		},
		"no HTTP/2": func(a *attacker) error {
			_, err := a.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			return err
		},
		"a message that is said to have 4 GiB": func(a *attacker) error {
			return errors.Join(a.begin(1), a.WriteData(1, false, []byte{0, 0xff, 0xff, 0xff, 0xff, 'x'}))
		},
		"a compressed message": func(a *attacker) error {
			return errors.Join(a.begin(1, "grpc-encoding", "gzip"), a.WriteData(1, true, []byte{1, 0, 0, 0, 1, 'x'}))
		},
	} {
		a := attack(t, at)
		_ = does(a) // the other end may have closed already
		how := a.refusal(t)
		t.Logf("%s: %s after %d bytes", name, how, a.sent.Load())
		if how == "status 0" || a.sent.Load() > 20<<20 {
			t.Errorf("%s: %s after %d bytes", name, how, a.sent.Load())
		}
		_ = a.conn.Close()
	}
	if n := calls.Load(); n > 2 { // the streams whose header was in order
		t.Errorf("%d calls reached the peer", n)
	}
	if got, _, err := say(conn, "still ", "here"); err != nil || got != "still here" {
		t.Errorf("%q, %v", got, err)
	}
}
