package transport

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// refusalFlush is how long a refused connection stays open, so that the refusal's status gets through.
const refusalFlush = 250 * time.Millisecond

// connection is what is kept of an open connection beside gRPC's transport of it.
type connection struct {
	raw     raw
	inbound bool
	verify  func([]byte, pki.Genesis) (pki.Chain, error) // of chains; nil for pki's
	key     any                                          // of an inbound one, in the registry
	claims  pki.LeafClaims                               // of the other end's verified leaf; zero where it showed none
	verdict atomic.Pointer[verdict]
	ending  sync.Once
	pings   pings
}

// verdict is what a Trust says of the connection. It holds as long as the Trust is the current one.
type verdict struct {
	trust  *pki.Trust
	member pki.Member
	err    error
}

// judge tells whose connection it is, by the Trust and the time of now.
func (c *connection) judge(trust *pki.Trust, now time.Time) (pki.Member, error) {
	v := c.verdict.Load()
	if v == nil || v.trust != trust {
		v = &verdict{trust: trust}
		verify := c.verify
		if verify == nil {
			verify = pki.VerifyChain
		}
		v.member, v.err = trust.JudgeWith(c.claims, verify)
		c.verdict.Store(v)
	}
	if v.err != nil {
		return pki.Member{}, v.err
	}
	if now.Add(-pki.Tolerance).After(c.claims.NotAfter) {
		return pki.Member{}, fmt.Errorf("the connection's leaf expired at %s: connect anew", c.claims.NotAfter.UTC().Format(time.DateTime+" UTC"))
	}
	return v.member, nil
}

// end closes the connection under gRPC's feet: all its streams end.
func (c *connection) end() { _ = c.raw.Close() }

// endSoon closes the connection once the answer to the running call has gone out.
func (c *connection) endSoon() {
	c.ending.Do(func() { time.AfterFunc(refusalFlush, c.end) })
}

type openKey struct{}

// withConnection lets a handler's context name its connection.
func withConnection(ctx context.Context, c *connection) context.Context {
	return context.WithValue(ctx, openKey{}, c)
}

// Proven says that the caller of a registration holds a token: its connection leaves the gate. It fails where the
// connection was dropped meanwhile or where too many are open; the registration must then be refused.
func Proven(ctx context.Context) error {
	c, ok := ctx.Value(openKey{}).(*connection)
	if !ok {
		return fmt.Errorf("prove connection: no connection in the context")
	}
	if err := prove(c.raw, true); err != nil {
		return fmt.Errorf("prove connection: %w", err)
	}
	return nil
}
