package transport

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// greetTimeout bounds the dial with its handshake, and then the wait for a welcome: so a tarpit at one address of a token does
// not keep a joiner from the next.
const greetTimeout = 5 * time.Second

// ErrRefused is an acceptor's refusal, or an acceptor that is not what the token names. Nothing was changed here.
var ErrRefused = errors.New("refused")

// Joining is what a joiner brings to a registration.
type Joining struct {
	Identity *pki.Identity
	Token    pki.Token
	// Contact makes the joiner's contact, still without chain, once the network is proven.
	Contact func(genesis pki.Genesis) (*view.Contact, error)
	// Admitted keeps the admission for good, brings the Gossip port up and gives the contact with the chain.
	Admitted func(ctx context.Context, in Admission) (*view.Contact, error)
}

// Admission is what a joiner got.
type Admission struct {
	Genesis  pki.Genesis
	Acceptor *view.Contact
	wire.Admitted
}

// Outcome is how a registration ended well.
type Outcome struct {
	Admission
	Warning string // why the acceptor could not dial back; the join stands
}

// Peek asks an acceptor for its network and contact, and goes away: it is how an acceptor finds a nominator that it does not know.
func Peek(ctx context.Context, conn *grpc.ClientConn, leaf pki.LeafClaims, network pki.Pin) (wire.Welcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, welcome, err := greet(ctx, conn, leaf, network)
	return welcome, err
}

type registerStream = grpc.BidiStreamingClient[gossippb.RegisterRequest, gossippb.RegisterResponse]

// greet says hello, which holds nothing of use, and proves the acceptor: its genesis by the pin, its chain by the genesis, its
// leaf by the chain, its contact by its leaf.
func greet(ctx context.Context, conn *grpc.ClientConn, leaf pki.LeafClaims, network pki.Pin) (registerStream, wire.Welcome, error) {
	stream, err := gossippb.NewRegistrationClient(conn).Register(ctx)
	if err != nil {
		return nil, wire.Welcome{}, crowded(remote("register", err))
	}
	hello := &gossippb.RegisterHello{ProtocolMin: wire.ProtocolVersion, ProtocolMax: wire.ProtocolVersion}
	// An error of Send is only io.EOF: Recv tells the reason.
	_ = stream.Send(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Hello{Hello: hello}})
	resp, err := stream.Recv()
	if err != nil {
		return nil, wire.Welcome{}, crowded(remote("register", err))
	}
	welcome, err := wire.ParseWelcome(time.Now(), resp.GetWelcome(), network)
	if err != nil {
		return nil, wire.Welcome{}, fmt.Errorf("register: %w: %w", ErrRefused, err)
	}
	trust := &pki.Trust{Genesis: welcome.Genesis}
	acceptor, err := trust.Judge(leaf)
	switch {
	case err != nil:
		err = fmt.Errorf("register: %w: the acceptor is no member: %w", ErrRefused, err)
	case acceptor.Mode() != pki.Server:
		err = fmt.Errorf("register: %w: the acceptor is a %s-mode member", ErrRefused, acceptor.Mode())
	case acceptor.ID != welcome.Contact.ID:
		err = fmt.Errorf("register: %w: the acceptor shows the contact of %s, its leaf is %s's", ErrRefused, welcome.Contact.ID.Short(), acceptor.ID.Short())
	}
	return stream, welcome, err
}

// Register takes a joiner through a registration over a connection whose leaf was verified. Nothing of use is sent before
// the acceptor is proved.
func Register(ctx context.Context, conn *grpc.ClientConn, leaf pki.LeafClaims, j Joining) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	slow := time.AfterFunc(greetTimeout, cancel)
	stream, welcome, err := greet(ctx, conn, leaf, j.Token.Network)
	if !slow.Stop() {
		err = crowded(fmt.Errorf("register: %w: no welcome within %s", ErrUnreachable, greetTimeout))
	}
	if err != nil {
		return Outcome{}, err
	}
	admission, err := claim(stream, welcome, j)
	if err != nil {
		return Outcome{}, explainClock(err, welcome.Time)
	}
	contact, err := j.Admitted(ctx, admission)
	if err != nil {
		return Outcome{}, fmt.Errorf("register: %w", err)
	}
	ready := &gossippb.RegisterReady{Contact: wire.Envelope(contact.Sealed)}
	_ = stream.Send(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Ready{Ready: ready}})
	out := Outcome{Admission: admission}
	resp, err := stream.Recv()
	if err == nil {
		out.Warning, err = wire.ParseDone(resp.GetDone())
	}
	if err != nil {
		out.Warning = fmt.Sprintf("the acceptor went away before it dialled back: %v", err)
	}
	return out, nil
}

// claim makes the two seals over the transcript, sends them and takes the decision.
func claim(stream registerStream, welcome wire.Welcome, j Joining) (Admission, error) {
	contact, err := j.Contact(welcome.Genesis)
	if err != nil {
		return Admission{}, fmt.Errorf("register: %w", err)
	}
	exporter, err := Exporter(stream.Context())
	if err != nil {
		return Admission{}, fmt.Errorf("register: %w", err)
	}
	binding := wire.Bind(welcome.Genesis.Network(), welcome.Contact.ID, exporter, welcome.Nonce, j.Token.ID(), contact)
	tokenSeal, identitySeal, err := j.Token.Claim(j.Identity, binding)
	if err != nil {
		return Admission{}, fmt.Errorf("register: %w", err)
	}
	c := pki.Claim{Binding: binding, Nominator: j.Token.Nominator, TokenKey: j.Token.Key(), JoinerKey: j.Identity.Key(), TokenSeal: tokenSeal, IdentitySeal: identitySeal}
	_ = stream.Send(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Claim{Claim: wire.EncodeRegisterClaim(c, contact, j.Token)}})
	resp, err := stream.Recv()
	if err != nil {
		return Admission{}, remote("register", err)
	}
	gate := wire.NewGate(welcome.Genesis)
	admitted, err := gate.Admitted(time.Now(), resp.GetAdmitted(), j.Identity.Key(), j.Token.Mode, j.Token.Nominator)
	if err != nil {
		return Admission{}, fmt.Errorf("register: %w: %w", ErrRefused, err)
	}
	return Admission{Genesis: welcome.Genesis, Acceptor: welcome.Contact, Admitted: admitted}, nil
}

// remote turns the status of a call into an error that callers branch on.
func remote(what string, err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.PermissionDenied, codes.InvalidArgument, codes.FailedPrecondition:
		return fmt.Errorf("%s: %w: %s", what, ErrRefused, strings.TrimPrefix(s.Message(), "registration refused: "))
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
		return fmt.Errorf("%s: %w: %s", what, ErrUnreachable, s.Message())
	}
	return fmt.Errorf("%s: %w", what, err)
}

// crowded is the error of a connection that the other end took, and then did not go on with.
func crowded(err error) error {
	if errors.Is(err, ErrUnreachable) {
		return fmt.Errorf("%w: %w", ErrCrowded, err)
	}
	return err
}

// explainClock adds both clocks where they are further apart than any limit allows for.
func explainClock(err error, theirs time.Time) error {
	off := time.Since(theirs).Round(time.Second)
	if off.Abs() <= pki.Tolerance {
		return err
	}
	return fmt.Errorf("%w (this clock says %s, the acceptor's %s)", err, time.Now().UTC().Format(time.RFC3339), theirs.UTC().Format(time.RFC3339))
}
