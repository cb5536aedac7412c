package transport

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// registerTimeout bounds a whole registration. Until the token is proven the gate allows far less.
const registerTimeout = 60 * time.Second

// An Acceptor is the node as the Registration port sees it.
type Acceptor interface {
	// Network is what the acceptor shows to a joiner.
	Network() (pki.Genesis, *view.Contact)
	// Accept finds the nominator and brings its decision. Proven tells, also beside an error, that the token is proven. A refusal is a *pki.Refusal.
	Accept(ctx context.Context, reg wire.Registration, observed string) (chain pki.Chain, proven bool, err error)
	// Peers are whom a joiner is introduced to.
	Peers(ctx context.Context, joiner pki.ID) []*view.Contact
	// DialBack takes the contact of a joiner whose ports are up: in server mode it dials it back, exchanges, then gossips it.
	DialBack(ctx context.Context, contact *view.Contact, observed string) error
}

// RegistrationService is the Registration port's service.
type RegistrationService struct {
	gossippb.UnimplementedRegistrationServer
	Gate     *wire.Gate
	Acceptor Acceptor
}

// AddTo registers the service with a server that NewRegistrationServer made.
func (s *RegistrationService) AddTo(server *grpc.Server) {
	gossippb.RegisterRegistrationServer(server, s)
}

// registering is one joiner at the acceptor.
type registering struct {
	*RegistrationService
	stream   grpc.BidiStreamingServer[gossippb.RegisterRequest, gossippb.RegisterResponse]
	contact  *view.Contact // the acceptor's own
	nonce    [pki.NonceSize]byte
	exporter [pki.ExporterSize]byte
	observed string
}

// Register takes a joiner through hello, claim and ready. Until the token is proven, every refusal is the same.
func (s *RegistrationService) Register(stream grpc.BidiStreamingServer[gossippb.RegisterRequest, gossippb.RegisterResponse]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), registerTimeout)
	defer cancel()
	r := &registering{RegistrationService: s, stream: stream, observed: ObservedHost(ctx)}
	if err := r.welcome(); err != nil {
		return err
	}
	reg, err := r.claim()
	if err != nil {
		return err
	}
	if err := r.decide(ctx, reg); err != nil {
		return err
	}
	return r.ready(ctx, reg)
}

func (r *registering) welcome() error {
	req, err := r.stream.Recv()
	if err != nil {
		return err
	}
	if req.GetHello() == nil {
		return status.Error(codes.InvalidArgument, "register: hello is the first word")
	}
	if err := wire.CheckHello(req.GetHello()); err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	if r.exporter, err = Exporter(r.stream.Context()); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	_, _ = rand.Read(r.nonce[:]) // never fails
	var genesis pki.Genesis
	genesis, r.contact = r.Acceptor.Network()
	return r.stream.Send(&gossippb.RegisterResponse{Step: &gossippb.RegisterResponse_Welcome{Welcome: &gossippb.RegisterWelcome{
		Protocol: wire.ProtocolVersion, Genesis: genesis.Bytes(), Contact: wire.Envelope(r.contact.Sealed),
		Nonce: r.nonce[:], TimeMs: time.Now().UnixMilli(),
	}}})
}

func (r *registering) claim() (wire.Registration, error) {
	req, err := r.stream.Recv()
	if err != nil {
		return wire.Registration{}, err
	}
	if req.GetClaim() == nil {
		return wire.Registration{}, status.Error(codes.InvalidArgument, "register: the claim follows the hello")
	}
	reg, err := r.Gate.RegisterClaim(time.Now(), req.GetClaim(), r.exporter, r.nonce, r.contact.ID)
	if err != nil {
		return wire.Registration{}, status.Error(codes.InvalidArgument, err.Error())
	}
	return reg, nil
}

func (r *registering) decide(ctx context.Context, reg wire.Registration) error {
	chain, proven, err := r.Acceptor.Accept(ctx, reg, r.observed)
	if err != nil {
		return refusal(err, proven)
	}
	if err := Proven(ctx); err != nil {
		return status.Error(codes.ResourceExhausted, err.Error())
	}
	admitted := &gossippb.RegisterAdmitted{Chain: chain.Bytes(), ObservedAddress: r.observed}
	for _, c := range r.Acceptor.Peers(ctx, reg.Contact.ID) {
		admitted.Contacts = append(admitted.Contacts, wire.Envelope(c.Sealed))
	}
	return r.stream.Send(&gossippb.RegisterResponse{Step: &gossippb.RegisterResponse_Admitted{Admitted: admitted}})
}

// refusal is what the joiner is told.
func refusal(err error, proven bool) error {
	if refusal, ok := errors.AsType[*pki.Refusal](err); ok {
		proven = proven || refusal.Proven
		if proven {
			return status.Error(codes.PermissionDenied, refusal.Reason)
		}
	}
	if !proven {
		return status.Error(codes.PermissionDenied, pki.ErrUniform)
	}
	return status.Error(codes.PermissionDenied, fmt.Sprintf("registration refused: %v", err))
}

func (r *registering) ready(ctx context.Context, reg wire.Registration) error {
	req, err := r.stream.Recv()
	if err != nil {
		return err
	}
	if req.GetReady() == nil {
		return status.Error(codes.InvalidArgument, "register: ready follows the admission")
	}
	contact, err := r.Gate.Contact(time.Now(), req.GetReady().GetContact())
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if contact.ID != reg.Contact.ID {
		return status.Error(codes.InvalidArgument, "register: another node is ready than was admitted")
	}
	done := &gossippb.RegisterDone{}
	if err := r.Acceptor.DialBack(ctx, contact, r.observed); err != nil {
		done.DialBackError = printable(err.Error())
	}
	return r.stream.Send(&gossippb.RegisterResponse{Step: &gossippb.RegisterResponse_Done{Done: done}})
}

// printable cuts a text to what the joiner's gate accepts.
func printable(s string) string {
	out := make([]rune, 0, len(s))
	for _, c := range s {
		if c < ' ' || c == 0x7f || c == 0xfffd {
			c = ' '
		}
		if len(out) < 300 {
			out = append(out, c)
		}
	}
	return string(out)
}
