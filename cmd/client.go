package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	// callTime is how long the node may take over a plain question.
	callTime = 10 * time.Second
	// reachTime is how long its socket may take to open. It opens at once but on a machine that is overloaded.
	reachTime = 5 * time.Second
	// joinTime is longer than a node gives a join by itself, with all addresses of the token: its reason is better than none.
	joinTime = 100 * time.Second
)

// errNoNode: no process serves the folder's socket.
var errNoNode = errors.New("no node runs")

// A client asks the node that runs in a folder.
type client struct {
	conn *grpc.ClientConn
	rpc  adminpb.AdminClient
	dir  string
}

// dial reaches the node in a folder, or says that none runs there. The caller must Close.
func dial(ctx context.Context, dir string) (*client, error) {
	path := socketPath(dir)
	probe, err := (&net.Dialer{Timeout: reachTime}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, noNode(ctx, dir, err)
	}
	_ = probe.Close()
	conn, err := grpc.NewClient("passthrough:///admin",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(inTime(dir)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}))
	if err != nil {
		return nil, fmt.Errorf("reach the node in %s: %w", dir, err)
	}
	return &client{conn: conn, rpc: adminpb.NewAdminClient(conn), dir: dir}, nil
}

// noNode explains why the socket of a folder does not answer.
func noNode(ctx context.Context, dir string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, fs.ErrPermission) {
		return &failure{
			why:  fmt.Errorf("reach the node in %s: permission denied", dir),
			hint: "only the user that the node runs as may ask it", code: exitRefused,
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return silent(dir)
	}
	return &failure{
		why:  fmt.Errorf("%w in %s", errNoNode, dir),
		hint: fmt.Sprintf("start it: g2g serve --dir %s", shellWord(dir)), code: exitUnreachable,
	}
}

// inTime says of a node that lets a call run out of time that it is there. Either end may notice first that the time is over.
func inTime(dir string) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, ask, answer any, conn *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		err := call(ctx, method, ask, answer, conn, opts...)
		if err != nil && (errors.Is(ctx.Err(), context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded) {
			return silent(dir)
		}
		return err
	}
}

// silent is the error of a node that is there and does not answer in time.
func silent(dir string) error {
	return &failure{
		why:  fmt.Errorf("the node in %s is there, but does not answer in time", dir),
		hint: "it may be stopped or short of CPU: look at its process and its log, then try again", code: exitUnreachable,
	}
}

func (c *client) Close() { _ = c.conn.Close() }

// Picture is what the node shows now.
func (c *client) Picture(ctx context.Context) (picture, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	s, err := c.rpc.Show(ctx, &adminpb.ShowRequest{})
	if err != nil {
		return picture{}, err
	}
	return pictureOf(s), nil
}

// Watch hands over the picture, and each new one, until see returns an error or the node goes away.
func (c *client) Watch(ctx context.Context, see func(picture) error) error {
	ctx, cancel := withoutDeadline(ctx)
	defer cancel()
	stream, err := c.rpc.Watch(ctx, &adminpb.WatchRequest{})
	if err != nil {
		return err
	}
	for {
		s, err := stream.Recv()
		if err != nil {
			return c.ended(err)
		}
		if err := see(pictureOf(s)); err != nil {
			return err
		}
	}
}

// withoutDeadline ends with ctx but has no deadline of its own: one would travel to the node, and the end of the stream
// that the node then makes could be taken for the end of the node.
func withoutDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	free, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	return free, func() { stop(); cancel() }
}

// ended is the error of a stream that should have gone on.
func (c *client) ended(err error) error {
	if errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable {
		return &failure{why: fmt.Errorf("the node in %s has stopped", c.dir), code: exitUnreachable}
	}
	return err
}

// Events hands over those kept since some time ago (0: all), and with follow those to come.
func (c *client) Events(ctx context.Context, since time.Duration, follow bool, see func(eventView) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Events(ctx, &adminpb.EventsRequest{SinceMs: since.Milliseconds(), Follow: follow})
	if err != nil {
		return err
	}
	for {
		e, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && !follow:
			return nil
		case err != nil:
			return c.ended(err)
		}
		if err := see(eventOf(e)); err != nil {
			return err
		}
	}
}

// A nomination is what the operator asks of Nominate.
type nomination struct {
	mode       string
	ttl        time.Duration
	uses       uint32
	forID      string
	label      string
	noNominate bool
	at         []string
}

// Nominate mints a token, which is shown this once and kept nowhere.
func (c *client) Nominate(ctx context.Context, n nomination) (token string, view nominationView, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.Nominate(ctx, &adminpb.NominateRequest{
		Mode: n.mode, TtlS: int64(n.ttl / time.Second), Uses: n.uses, For: n.forID, Label: n.label,
		NoNominate: n.noNominate, At: n.at,
	})
	if err != nil {
		return "", nominationView{}, err
	}
	return reply.GetToken(), nominationOf(reply.GetNomination()), nil
}

// Nominations lists those known to the node.
func (c *client) Nominations(ctx context.Context) ([]nominationView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.Tokens(ctx, &adminpb.TokensRequest{})
	if err != nil {
		return nil, err
	}
	views := make([]nominationView, len(reply.GetNominations()))
	for i, n := range reply.GetNominations() {
		views[i] = nominationOf(n)
	}
	return views, nil
}

// Revoke voids a nomination, by its token ID or a prefix of it.
func (c *client) Revoke(ctx context.Context, tokenID string) (nominationView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.RevokeToken(ctx, &adminpb.RevokeTokenRequest{TokenId: tokenID})
	if err != nil {
		return nominationView{}, err
	}
	return nominationOf(reply.GetNomination()), nil
}

// Join lets the node register.
func (c *client) Join(ctx context.Context, token, at string) (joinedView, error) {
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	reply, err := c.rpc.Join(ctx, &adminpb.JoinRequest{Token: token, At: at})
	if err != nil {
		return joinedView{}, err
	}
	return joinedView{
		Network: reply.GetNetwork(), Acceptor: reply.GetAcceptor(), Nominator: reply.GetNominator(), Mode: reply.GetMode(),
		Depth: int(reply.GetDepth()), Warning: reply.GetWarning(), Observed: reply.GetObservedAddress(),
	}, nil
}

// Leave says goodbye and stops the node.
func (c *client) Leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := c.rpc.Leave(ctx, &adminpb.LeaveRequest{})
	return err
}
