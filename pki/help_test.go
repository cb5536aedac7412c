package pki

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// noon is the time in every test: 2026-09-21 14:13:20 UTC.
var noon = time.Unix(1_790_000_000, 0).UTC()

// chance is a stream of bytes that its label decides.
func chance(label string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(label))) }

// someone is the identity that its name decides.
func someone(t testing.TB, name string) *Identity {
	t.Helper()
	i, err := NewIdentity(chance(name))
	must(t, err)
	return i
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants exactly this error, and the zero value beside it.
func refused(t testing.TB, value any, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want %q", want)
	}
	if err.Error() != want {
		t.Errorf("refused with\n\t%q, want\n\t%q", err, want)
	}
	if v := reflect.ValueOf(value); v.IsValid() && !v.IsZero() {
		t.Errorf("an error came with the value %v", value)
	}
}

// A world is a network with its founder, and the members that the founder admitted first.
type world struct {
	genesis Genesis
	founder *Identity
	root    *Identity
	chain   Chain // root's
}

func newWorld(t testing.TB, name string) world {
	t.Helper()
	w := world{founder: someone(t, name+" founder"), root: someone(t, name+" root")}
	var err error
	w.genesis, err = Found(chance(name+" nonce"), w.founder, name, noon)
	must(t, err)
	w.chain, err = AdmitRoot(w.founder, w.genesis, w.root.Key(), noon)
	must(t, err)
	return w
}

// line is a chain of the given depth, with the last member's identity. All members are in server mode and may nominate.
func (w world) line(t testing.TB, depth int) (Chain, *Identity) {
	t.Helper()
	chain, last := w.chain, w.root
	for chain.Depth() < depth {
		next := someone(t, "line "+string(rune('a'+chain.Depth())))
		var err error
		chain, err = chain.Admit(last, next.Key(), Nomination{Mode: Server, MayNominate: true}, noon)
		must(t, err)
		last = next
	}
	return chain, last
}

// link seals whatever admission it is given.
func link(t testing.TB, signer *Identity, a Admission) Admission {
	t.Helper()
	var err error
	a.seal, err = sealWith(signer.signer, DomainAdmission, a.Network, a.payload())
	must(t, err)
	return a
}

// chained encodes links without looking at them.
func chained(links ...Admission) []byte { return Chain{links: links}.Bytes() }

// deaf is a signer that fails, as a token of hardware may.
type deaf struct{ crypto.Signer }

func (deaf) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no answer")
}

// broken is the identity with a signer that fails.
func broken(i *Identity) *Identity { return &Identity{signer: deaf{i.signer}, key: i.key} }

// flipped is a copy of b with one bit changed.
func flipped(b []byte, bit int) []byte {
	out := append([]byte(nil), b...)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}
