package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/config"
)

const echoUnary, echoStream = "/test.Echo/Unary", "/test.Echo/Stream"

// A loadView is what the callers of one process came to.
type loadView struct {
	Calls, Failed, Messages, Cuts int64
	Leaves, Connections           int      // that calls came with and on
	Faults                        []string // the first of them
	LatestMS                      float64  // of a unary call beyond its time at the other end
}

// echoMain is a program as somebody else would write it: a node with a service of its own, echo, which calls that of others. It serves
// the node in --dir. On stdin, "load NAME..." has it call these peers, each by unary calls of 5 to 500 ms and by streams, without a
// pause, a deadline or a retry, until "end": then it prints a loadView.
func echoMain() {
	if err := echoRun(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func echoRun(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := config.Default()
	cfg.Name = dir[strings.LastIndexByte(dir, '/')+1:]
	cfg.Gossip.Listen, cfg.Register.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Leaf.Life = time.Minute // the least: a connection lives for 10 s
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	l := &echoLoad{leaves: map[string]bool{}, connections: map[string]bool{}}
	n, err := node.OpenWith(dir, cfg, node.Options{Log: log, Services: l.register})
	if err != nil {
		return err
	}
	l.node = n
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	select {
	case <-n.Ready():
	case err := <-done:
		return err
	}
	fmt.Printf("ready name=%s gossip=%s\n", cfg.Name, n.Info().Gossip)
	go l.obey()
	return <-done
}

// echoLoad serves echo and calls it.
type echoLoad struct {
	node    *node.Node
	callers sync.WaitGroup
	ended   context.Context //nolint:containedctx // it ends all callers
	end     context.CancelFunc

	mu          sync.Mutex
	seen        loadView
	leaves      map[string]bool
	connections map[string]bool
}

func (l *echoLoad) obey() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) > 1 && words[0] == "load":
			l.ended, l.end = context.WithCancel(context.Background())
			for _, name := range words[1:] {
				l.callers.Go(func() { l.call(name) })
				l.callers.Go(func() { l.stream(name) })
			}
		case len(words) == 1 && words[0] == "end":
			l.end()
			l.callers.Wait()
			l.mu.Lock()
			l.seen.Leaves, l.seen.Connections = len(l.leaves), len(l.connections)
			_ = json.NewEncoder(os.Stdout).Encode(l.seen)
			l.mu.Unlock()
		}
	}
}

func (l *echoLoad) note(f func(*loadView)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.seen)
}

func (l *echoLoad) fault(format string, args ...any) {
	l.note(func(v *loadView) {
		if v.Failed++; len(v.Faults) < 5 {
			v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
		}
	})
}

// call makes one unary call after the other.
func (l *echoLoad) call(name string) {
	conn, err := l.node.Dial(context.Background(), name)
	if err != nil {
		l.fault("dial %s: %v", name, err)
		return
	}
	for l.ended.Err() == nil {
		takes := 5*time.Millisecond + rand.N(495*time.Millisecond)
		out := new(durationpb.Duration)
		began := time.Now()
		err := conn.Invoke(context.Background(), echoUnary, durationpb.New(takes), out)
		if err == nil && out.AsDuration() != takes {
			err = errors.New("another answer came")
		}
		took := time.Since(began)
		if err != nil {
			l.fault("call %s: %v after %s of %s", name, err, took, takes)
		}
		l.note(func(v *loadView) {
			v.Calls++
			v.LatestMS = max(v.LatestMS, (took-takes).Seconds()*1000)
		})
	}
}

// stream talks on one stream after the other, which only a cut may end.
func (l *echoLoad) stream(name string) {
	for l.ended.Err() == nil {
		err := l.converse(name)
		if l.ended.Err() != nil {
			return
		}
		l.note(func(v *loadView) { v.Cuts++ })
		if status.Code(err) != codes.Unavailable {
			l.fault("stream to %s: %v", name, err)
		}
	}
}

func (l *echoLoad) converse(name string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn, err := l.node.Dial(ctx, name)
	if err != nil {
		return err
	}
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, echoStream)
	if err != nil {
		return err
	}
	for l.ended.Err() == nil {
		if err := s.SendMsg(durationpb.New(100 * time.Millisecond)); err != nil {
			return s.RecvMsg(new(durationpb.Duration)) // tells why
		}
		if err := s.RecvMsg(new(durationpb.Duration)); err != nil {
			return err
		}
		l.note(func(v *loadView) { v.Messages++ })
	}
	return nil
}

// answer gives back what came, after the time that it says.
func (l *echoLoad) answer(ctx context.Context, in *durationpb.Duration) (*durationpb.Duration, error) {
	if p, ok := peer.FromContext(ctx); ok {
		info := p.AuthInfo.(credentials.TLSInfo)
		l.note(func(*loadView) {
			l.leaves[string(info.State.PeerCertificates[0].Raw)] = true
			l.connections[p.Addr.String()] = true
		})
	}
	select {
	case <-time.After(in.AsDuration()):
		return in, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *echoLoad) register(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Echo",
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(_ any, ctx context.Context, decode func(any) error, wrap grpc.UnaryServerInterceptor) (any, error) {
			in := new(durationpb.Duration)
			if err := decode(in); err != nil {
				return nil, err
			}
			return wrap(ctx, in, &grpc.UnaryServerInfo{FullMethod: echoUnary}, func(ctx context.Context, in any) (any, error) {
				return l.answer(ctx, in.(*durationpb.Duration))
			})
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: l.serveStream}},
	}, nil)
}

func (l *echoLoad) serveStream(_ any, s grpc.ServerStream) error {
	in := new(durationpb.Duration)
	for {
		if err := s.RecvMsg(in); err != nil {
			return err
		}
		out, err := l.answer(s.Context(), in)
		if err != nil {
			return err
		}
		if err := s.SendMsg(out); err != nil {
			return err
		}
	}
}
