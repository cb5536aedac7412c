package proxy

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"
)

// A source is what the caller of a call sends. It is read one message ahead, and what was sent on is kept until the call is
// settled, so that it can be sent again to another peer.
//
//  1. At most one sendTo runs at a time; kept, size and ended are its own.
//  2. kept holds at most maxKept bytes. A call that has sent more is settled.
type source struct {
	items   chan item
	done    chan struct{} // closed when nobody takes items any more
	settled atomic.Bool   // no other peer will be tried
	fault   atomic.Pointer[error]

	kept  []*frame
	size  int
	ended bool
}

type item struct {
	frame *frame
	err   error // io.EOF once the caller has sent its last
}

// newSource reads from a stream until its end, or until close.
func newSource(in grpc.ServerStream) *source {
	s := &source{items: make(chan item), done: make(chan struct{})}
	go s.read(in)
	return s
}

func (s *source) read(in grpc.ServerStream) {
	for {
		f := new(frame)
		err := in.RecvMsg(f)
		select {
		case s.items <- item{f, err}:
		case <-s.done:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *source) close() { close(s.done) }

// settle says that the call stays where it is.
func (s *source) settle() { s.settled.Store(true) }

// sendTo sends what was kept, then what comes, until the context ends. Where the caller broke off it gives the call up: then fail is
// called, and failure tells why.
func (s *source) sendTo(ctx context.Context, out grpc.ClientStream, fail func()) {
	for _, f := range s.kept {
		if out.SendMsg(f) != nil {
			return // RecvMsg tells why
		}
	}
	for !s.ended {
		select {
		case i := <-s.items:
			if !s.take(i, out, fail) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
	_ = out.CloseSend() // RecvMsg tells what is wrong
}

// take sends one message on, and tells whether it may go on.
func (s *source) take(i item, out grpc.ClientStream, fail func()) bool {
	switch {
	case errors.Is(i.err, io.EOF):
		s.ended = true
		return true
	case i.err != nil:
		s.fault.Store(&i.err)
		fail()
		return false
	}
	again := s.keep(i.frame)
	if err := out.SendMsg(i.frame); err != nil {
		return false
	}
	if !again {
		i.frame.free()
	}
	return true
}

// keep tells whether the message may be sent again.
func (s *source) keep(f *frame) bool {
	if s.size += f.data.Len(); s.size > maxKept {
		s.settle()
	}
	if s.settled.Load() {
		s.kept = nil
		return false
	}
	s.kept = append(s.kept, f)
	return true
}

// failure is why the caller's side of the call ended before its time; nil if it did not.
func (s *source) failure() error {
	if err := s.fault.Load(); err != nil {
		return *err
	}
	return nil
}
