package proxy

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
)

// A source brings what the caller of a call sends to the stream that the call is carried by, and keeps it until the call is settled, so
// that another stream can be given all of it again.
//
//  1. out, kept, size and ended are guarded by mu, which is held while something is sent: so each stream gets everything in its order.
//  2. kept holds what was sent so far, at most maxKept bytes. A call that has sent more is settled.
type source struct {
	in      grpc.ServerStream
	settled atomic.Bool // no other stream will be tried
	once    sync.Once

	mu     sync.Mutex
	out    grpc.ClientStream
	cancel context.CancelFunc // of out
	kept   []*frame
	size   int
	ended  bool // the caller has sent its last
	fault  error
}

// to has everything go to a stream from here on, what was kept first. The stream before, if there was one, must have been cancelled: else
// what is being sent to it would be waited for.
func (s *source) to(out grpc.ClientStream, cancel context.CancelFunc) {
	s.mu.Lock()
	s.out, s.cancel = out, cancel
	for _, f := range s.kept {
		if out.SendMsg(f) != nil {
			break // what is received from the stream tells why
		}
	}
	if s.ended {
		_ = out.CloseSend()
	}
	s.mu.Unlock()
	s.once.Do(func() { go s.run() })
}

// run ends with what the caller sends, or with the call.
func (s *source) run() {
	for {
		f := new(frame)
		if err := s.in.RecvMsg(f); err != nil {
			s.end(err)
			return
		}
		s.mu.Lock()
		again := s.keep(f)
		err := s.out.SendMsg(f)
		s.mu.Unlock()
		if !again {
			f.free()
			if err != nil {
				return
			}
		}
	}
}

// end closes the stream where the caller is done, and gives it up where the caller broke off.
func (s *source) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, io.EOF) {
		s.ended = true
		_ = s.out.CloseSend()
		return
	}
	s.fault = err
	s.cancel()
}

// keep tells whether the message may be sent again. Its memory is then left to the garbage collector.
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

// settle says that the call stays where it is.
func (s *source) settle() { s.settled.Store(true) }

// failure is why the caller's side of the call ended before its time; nil if it did not.
func (s *source) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}
