package pki

import (
	"bytes"
	"crypto/x509/pkix"
	"reflect"
	"testing"
)

// nothing wants the zero value beside an error.
func nothing(t *testing.T, value any, err error) bool {
	t.Helper()
	if err != nil && !reflect.ValueOf(value).IsZero() {
		t.Errorf("%v came with %v", err, value)
	}
	return err != nil
}

func FuzzID(f *testing.F) {
	id := someone(f, "a").ID()
	for _, s := range []string{id.String(), NetworkID(id).String(), "server", "client", "192.0.2.1:7402", "[2001:db8::1]:80", "a.example:1", "g2gn1_", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseID(s); !nothing(t, id, err) && id.String() != s {
			t.Errorf("%q prints as %s", s, id)
		}
		if network, err := ParseNetworkID(s); !nothing(t, network, err) && network.String() != s {
			t.Errorf("%q prints as %s", s, network)
		}
		if mode, err := ParseMode(s); !nothing(t, mode, err) && mode.String() != s {
			t.Errorf("%q prints as %s", s, mode)
		}
		if CheckAddress(s) == nil {
			var w writer
			w.address(s)
			r := reader{b: w}
			if got := r.address(); got != s || r.done() != nil {
				t.Errorf("%q reads back as %q, %v", s, got, r.err)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	w := newWorld(f, "home")
	for _, token := range []Token{w.token(f, Server), w.token(f, Client, "192.0.2.1:7402"), w.token(f, Server, "a.example:1", "[2001:db8::1]:80")} {
		f.Add(token.Reveal(), body(f, token))
	}
	f.Fuzz(func(t *testing.T, s string, body []byte) {
		// The second argument gets past the checksum.
		for _, s := range []string{s, minted(serverTokenPrefix, body), minted(clientTokenPrefix, body)} {
			token, err := ParseToken(s)
			if nothing(t, token, err) {
				continue
			}
			if token.Reveal() != s {
				t.Errorf("%q prints as %q", s, token.Reveal())
			}
			if _, err := NewToken(chance(""), token.Mode, noon, NetworkID{}, ID{}, token.Addresses); err != nil {
				t.Errorf("%q holds what no token may: %v", s, err)
			}
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	e, err := someone(f, "a").Seal(DomainContact, NetworkID{1}, []byte("payload"))
	must(f, err)
	f.Add(e.AppendBinary(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEnvelope(b)
		if nothing(t, e, err) {
			return
		}
		if !bytes.Equal(e.AppendBinary(nil), b) {
			t.Errorf("%x encodes as %x", b, e.AppendBinary(nil))
		}
		_ = e.Verify(DomainContact, NetworkID{1})
	})
}

func FuzzGenesis(f *testing.F) {
	w := newWorld(f, "home")
	f.Add(w.genesis.Bytes(), w.genesis.envelope.Payload)
	f.Add([]byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, b, payload []byte) {
		inputs := [][]byte{b}
		// The second argument gets past the seal.
		if e, err := w.founder.Seal(DomainGenesis, NetworkID{}, payload); err == nil {
			inputs = append(inputs, e.AppendBinary(nil))
		}
		for _, b := range inputs {
			g, err := ParseGenesis(b)
			if nothing(t, g, err) {
				continue
			}
			if !bytes.Equal(g.Bytes(), b) || g.IsZero() || CheckName(g.Name) != nil {
				t.Errorf("%x parses as %v", b, g)
			}
		}
	})
}

func FuzzChain(f *testing.F) {
	w := newWorld(f, "home")
	for _, depth := range []int{1, 2, MaxDepth} {
		chain, _ := w.line(f, depth)
		f.Add(chain.Bytes())
	}
	f.Add([]byte{0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		links, err := parseLinks(b)
		if !nothing(t, links, err) && !bytes.Equal(chained(links...), b) {
			t.Errorf("%x encodes as %x", b, chained(links...))
		}
		chain, err := VerifyChain(b, w.genesis)
		if !nothing(t, chain, err) && !bytes.Equal(chain.Bytes(), b) {
			t.Errorf("%x verifies as %x", b, chain.Bytes())
		}
	})
}

func FuzzNomination(f *testing.F) {
	w := newWorld(f, "home")
	network := w.genesis.Network()
	f.Add(w.nomination(f).payload())
	f.Add(Nomination{Network: network, Nominator: w.root.Key(), Mode: Client, NotAfter: 1, Uses: 1}.payload())
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := w.root.Seal(DomainNomination, network, payload)
		if err != nil {
			return
		}
		n, err := OpenNomination(e, network)
		if nothing(t, n, err) {
			return
		}
		if !bytes.Equal(n.payload(), payload) || n.Check() != nil {
			t.Errorf("%x opens as %v", payload, n)
		}
	})
}

// The extension is put into a certificate of a fixed key, so that what stands behind the certificate's own signature is reached.
func FuzzLeaf(f *testing.F) {
	w := newWorld(f, "home")
	leaf := w.leaf(f, "leaf")
	stolen := draftOf(f, leaf)
	f.Add(leaf.Certificate.Certificate[0], stolen.extensions[0].Value, stolen.extensions[1].Value)
	f.Add([]byte{}, []byte{1}, []byte{})
	f.Fuzz(func(t *testing.T, der, vouch, chain []byte) {
		claims, err := VerifyLeaf(noon, [][]byte{der})
		if !nothing(t, claims, err) && (claims.Hash != leaf.Claims.Hash || !reflect.DeepEqual(claims, leaf.Claims)) {
			t.Errorf("%x says %+v", der, claims)
		}
		if len(vouch)+len(chain) > MaxLeaf {
			return
		}
		d := stolen
		d.extensions = []pkix.Extension{{Id: oidIdentity, Value: vouch}, {Id: oidChain, Value: chain}}
		claims, err = VerifyLeaf(noon, [][]byte{d.der(t)})
		if !nothing(t, claims, err) && (!bytes.Equal(vouch, stolen.extensions[0].Value) || !bytes.Equal(chain, stolen.extensions[1].Value)) {
			t.Errorf("identity %x and chain %x say %+v", vouch, chain, claims)
		}
	})
}
