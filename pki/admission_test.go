package pki

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestChainOfTheFoundersOwn(t *testing.T) {
	w := newWorld(t, "home")
	got, err := VerifyChain(w.chain.Bytes(), w.genesis)
	must(t, err)
	want := Admission{
		Network: w.genesis.Network(), Subject: w.root.Key(), Nominator: w.founder.Key(), Mode: Server, MayNominate: true, Depth: 1, IssuedAt: noon.Unix(),
		seal: w.chain.links[0].seal,
	}
	if fmt.Sprint(got.Links()) != fmt.Sprint([]Admission{want}) || got.IsZero() || got.Depth() != 1 || got.Subject() != w.root.Key() || got.Mode() != Server ||
		!got.MayNominate() || got.NominateError() != nil || got.Nominator() != w.founder.ID() {
		t.Errorf("verified as %v", got.Links())
	}
}

func TestChainByToken(t *testing.T) {
	w := newWorld(t, "home")
	a, key := someone(t, "a"), someone(t, "token").Key()
	chain, err := w.chain.Admit(w.root, a.Key(), Nomination{Mode: Client, TokenKey: key}, noon)
	must(t, err)
	got, err := VerifyChain(chain.Bytes(), w.genesis)
	must(t, err)
	if last := got.last(); last.Token != key.TokenID(w.root.ID().Pin()) || last.Mode != Client || last.MayNominate || last.Depth != 2 || last.IssuedAt != noon.Unix() || last.Nominator != w.root.Key() {
		t.Errorf("verified as %v", last)
	}
	if !bytes.Equal(got.Bytes(), chain.Bytes()) || got.Nominator() != w.root.ID() || got.MayNominate() {
		t.Errorf("verified as %v", got.Links())
	}
	got.Links()[0] = Admission{}
	if got.links[0].Subject != w.root.Key() {
		t.Error("Links gives away the chain itself")
	}
}

func TestChainOfNobody(t *testing.T) {
	c := Chain{}
	if !c.IsZero() || c.Depth() != 0 || !c.Subject().IsZero() || c.Mode() != 0 || c.MayNominate() || c.Bytes() != nil || len(c.Links()) != 0 {
		t.Error("the zero chain belongs to somebody")
	}
	refused(t, nil, c.NominateError(), "not a member of a network")
}

// What was verified cannot change with the buffer that it came in.
func TestChainKeepsNothingOfItsInput(t *testing.T) {
	w := newWorld(t, "home")
	b := w.chain.Bytes()
	got, err := VerifyChain(b, w.genesis)
	must(t, err)
	clear(b)
	if !bytes.Equal(got.Bytes(), w.chain.Bytes()) {
		t.Error("the chain changed with its input")
	}
}

// Two members admitted from one chain do not share its memory.
func TestChainsDoNotShare(t *testing.T) {
	w := newWorld(t, "home")
	base, last := w.line(t, 3)
	a, err := base.Admit(last, someone(t, "left").Key(), Nomination{Mode: Server}, noon)
	must(t, err)
	b, err := base.Admit(last, someone(t, "right").Key(), Nomination{Mode: Server}, noon)
	must(t, err)
	if a.Subject() == b.Subject() || base.Depth() != 3 {
		t.Error("one chain wrote over another")
	}
}

func TestChainDepth(t *testing.T) {
	w := newWorld(t, "home")
	chain, last := w.line(t, MaxDepth)
	got, err := VerifyChain(chain.Bytes(), w.genesis)
	must(t, err)
	if got.Depth() != 16 || got.MayNominate() {
		t.Errorf("depth %d, may nominate %t", got.Depth(), got.MayNominate())
	}
	const bound = "the chain is 16 links deep, which is the bound: a member nearer to the founder must nominate"
	refused(t, nil, got.NominateError(), bound)
	more, err := got.Admit(last, someone(t, "deep").Key(), Nomination{Mode: Client}, noon)
	refused(t, more, err, "admit: "+bound)
	deep := link(t, last, Admission{Network: w.genesis.Network(), Subject: someone(t, "deep").Key(), Nominator: last.Key(), Mode: Client, Depth: 17})
	more, err = VerifyChain(chained(append(chain.Links(), deep)...), w.genesis)
	refused(t, more, err, "parse chain: 17 links where 1 to 16 are allowed")
}

func TestAdmitRefuses(t *testing.T) {
	w := newWorld(t, "home")
	n := Nomination{Mode: Server, MayNominate: true}
	a, b, x := someone(t, "a"), someone(t, "b"), someone(t, "x").Key()
	client, err := w.chain.Admit(w.root, a.Key(), Nomination{Mode: Client}, noon)
	must(t, err)
	quiet, err := w.chain.Admit(w.root, b.Key(), Nomination{Mode: Server}, noon)
	must(t, err)

	got, err := AdmitRoot(w.root, w.genesis, x, noon)
	refused(t, got, err, fmt.Sprintf("admit: %s is not the founder key of network %s", w.root.ID(), w.genesis.Network()))
	got, err = w.chain.Admit(a, x, n, noon)
	refused(t, got, err, fmt.Sprintf("admit: the chain is %s's, not %s's", w.root.ID().Short(), a.ID().Short()))
	got, err = client.Admit(a, x, n, noon)
	refused(t, got, err, "admit: a client-mode member may not nominate")
	got, err = quiet.Admit(b, x, n, noon)
	refused(t, got, err, "admit: its own admission does not allow it to nominate")
	got, err = w.chain.Admit(w.root, w.root.Key(), n, noon)
	refused(t, got, err, fmt.Sprintf("admit: %s stands in the nominator's own chain", w.root.ID().Short()))
	got, err = w.chain.Admit(broken(w.root), x, n, noon)
	refused(t, got, err, "seal for g2g/admission/v1: no answer")
	nobody := &Identity{signer: a.signer}
	got, err = Chain{}.Admit(nobody, x, n, noon)
	refused(t, got, err, "admit: not a member of a network")
}

// The mode counts, even if an admission says otherwise.
func TestClientThatMayNominateMayNot(t *testing.T) {
	w := newWorld(t, "home")
	a := someone(t, "a")
	chain, err := w.chain.Admit(w.root, a.Key(), Nomination{Mode: Client, MayNominate: true}, noon)
	must(t, err)
	got, err := VerifyChain(chain.Bytes(), w.genesis)
	must(t, err)
	if got.MayNominate() {
		t.Error("a client may nominate")
	}
	more, err := got.Admit(a, someone(t, "x").Key(), Nomination{Mode: Server}, noon)
	refused(t, more, err, "admit: a client-mode member may not nominate")
}

// Each invariant of Chain is broken once, by links that are otherwise good and well sealed.
func TestChainInvariants(t *testing.T) {
	w, foreign := newWorld(t, "home"), newWorld(t, "away")
	a, b, stranger := someone(t, "a"), someone(t, "b"), someone(t, "stranger")
	network := w.genesis.Network()
	first := Admission{Network: network, Subject: w.root.Key(), Nominator: w.founder.Key(), Mode: Server, MayNominate: true, Depth: 1}
	second := Admission{Network: network, Subject: a.Key(), Nominator: w.root.Key(), Mode: Server, MayNominate: true, Depth: 2}
	third := Admission{Network: network, Subject: b.Key(), Nominator: a.Key(), Mode: Client, Depth: 3}
	with := func(a Admission, change func(*Admission)) Admission { change(&a); return a }
	root, middle, end := link(t, w.founder, first), link(t, w.root, second), link(t, a, third)
	if _, err := VerifyChain(chained(root, middle, end), w.genesis); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what  string
		links []Admission
		want  string
	}{
		{"1: another network's chain", foreign.chain.Links(),
			fmt.Sprintf("verify chain: link 1: it belongs to network %s, this one is %s", foreign.genesis.Network(), network)},
		{"1: another network's link below", []Admission{root, link(t, w.root, with(second, func(a *Admission) { a.Network = foreign.genesis.Network() }))},
			fmt.Sprintf("verify chain: link 2: it belongs to network %s, this one is %s", foreign.genesis.Network(), network)},
		{"1: too deep", []Admission{root, link(t, w.root, with(second, func(a *Admission) { a.Depth = 3 }))},
			"verify chain: link 2: depth 3 does not fit its place"},
		{"1: not deep enough", []Admission{root, link(t, w.root, with(second, func(a *Admission) { a.Depth = 1 }))},
			"verify chain: link 2: depth 1 does not fit its place"},
		{"1: depth 0", []Admission{link(t, w.founder, with(first, func(a *Admission) { a.Depth = 0 }))},
			"verify chain: link 1: depth 0 does not fit its place"},
		{"2: not from the founder", []Admission{link(t, stranger, with(first, func(a *Admission) { a.Nominator = stranger.Key() }))},
			"verify chain: link 1: nominated by " + stranger.ID().Short() + ", not by the link above"},
		{"2: the founder's name under a stranger's seal", []Admission{link(t, stranger, first)}, "verify chain: link 1: the seal does not fit"},
		{"2: not from the link above", []Admission{root, link(t, stranger, with(second, func(a *Admission) { a.Nominator = stranger.Key() }))},
			"verify chain: link 2: nominated by " + stranger.ID().Short() + ", not by the link above"},
		{"2: the founder over the head of the link above", []Admission{root, link(t, w.founder, with(second, func(a *Admission) { a.Nominator = w.founder.Key() }))},
			"verify chain: link 2: nominated by " + w.founder.ID().Short() + ", not by the link above"},
		{"2: the nominator's name under the subject's seal", []Admission{root, link(t, a, second)}, "verify chain: link 2: the seal does not fit"},
		{"2: the nominator's name under the founder's seal", []Admission{root, link(t, w.founder, second)}, "verify chain: link 2: the seal does not fit"},
		{"2: the middle cut out", []Admission{root, link(t, a, with(third, func(a *Admission) { a.Depth = 2 }))},
			"verify chain: link 2: nominated by " + a.ID().Short() + ", not by the link above"},
		{"2: changed after the seal", []Admission{root, with(middle, func(a *Admission) { a.IssuedAt++ })}, "verify chain: link 2: the seal does not fit"},
		{"2: no seal", []Admission{root, with(middle, func(a *Admission) { a.seal = make([]byte, SealSize) })}, "verify chain: link 2: the seal does not fit"},
		{"2: S + L", []Admission{root, with(middle, func(a *Admission) { a.seal = malleated(a.seal) })}, "verify chain: link 2: the seal does not fit"},
		{"3: a client nominates", []Admission{root, link(t, w.root, with(second, func(a *Admission) { a.Mode = Client })), end},
			"verify chain: link 3: " + a.ID().Short() + " may not nominate"},
		{"3: a server without leave nominates", []Admission{root, link(t, w.root, with(second, func(a *Admission) { a.MayNominate = false })), end},
			"verify chain: link 3: " + a.ID().Short() + " may not nominate"},
		{"4: a circle", []Admission{root, middle, link(t, a, with(third, func(a *Admission) { a.Subject = w.root.Key() }))},
			"verify chain: link 3: " + w.root.ID().Short() + " stands in it twice"},
		{"4: its own nominator", []Admission{root, link(t, w.root, with(second, func(a *Admission) { a.Subject = w.root.Key() }))},
			"verify chain: link 2: " + w.root.ID().Short() + " stands in it twice"},
		{"the first link twice", []Admission{root, root}, "verify chain: link 2: depth 1 does not fit its place"},
		{"upside down", []Admission{middle, root}, "verify chain: link 1: depth 2 does not fit its place"},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, err := VerifyChain(chained(c.links...), w.genesis)
			refused(t, got, err, c.want)
		})
	}
	got, err := VerifyChain([]byte{0}, w.genesis) // 5
	refused(t, got, err, "parse chain: 0 links where 1 to 16 are allowed")
}

// A member whose key is weak is no member, for whoever likes could nominate in its name.
func TestWeakKeyNominatesNobody(t *testing.T) {
	w := newWorld(t, "home")
	nobody := &Identity{key: Key{1}}
	chain, err := w.chain.Admit(w.root, nobody.Key(), Nomination{Mode: Server, MayNominate: true}, noon)
	must(t, err)
	a := Admission{Network: w.genesis.Network(), Subject: someone(t, "x").Key(), Nominator: nobody.Key(), Mode: Server, Depth: 2 + 1}
	if a.seal = forge(nobody.Key(), sealed(DomainAdmission, a.Network, a.payload())); a.seal == nil {
		t.Fatal("the forgery failed, so nothing is shown")
	}
	got, err := VerifyChain(chained(append(chain.Links(), a)...), w.genesis)
	refused(t, got, err, "verify chain: link 3: the seal does not fit")
	if !errors.Is(err, ErrSeal) {
		t.Error("it is not ErrSeal")
	}
}

func TestParseChainRefuses(t *testing.T) {
	w := newWorld(t, "home")
	good := w.chain.Bytes() // count, length, 116 bytes, seal
	at := func(i int, v byte) []byte {
		b := bytes.Clone(good)
		b[i] = v
		return b
	}
	longer := append(append([]byte{1, 117}, good[2:118]...), append([]byte{0}, good[118:]...)...)
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{nil, "parse chain: cut short: 0 bytes where 1 are needed"},
		{good[:1], "parse chain: cut short: 0 bytes where 1 are needed"},
		{good[:100], "parse chain: cut short: 98 bytes where 116 are needed"},
		{good[:118+63], "parse chain: cut short: 63 bytes where 64 are needed"},
		{at(0, 2), "parse chain: cut short: 0 bytes where 1 are needed"},
		{at(0, 255), "parse chain: 255 links where 1 to 16 are allowed"},
		{append(good[:len(good):len(good)], 0), "parse chain: bytes after the end"},
		{longer, "parse chain: bytes after the end"},
		{at(1, 0), "parse chain: cut short: 0 bytes where 1 are needed"},
		{at(1, 107), "parse chain: cut short: 7 bytes where 8 are needed"},
		{at(2, 2), "parse chain: version 2 where 1 is known"},
		{at(2+97, 0), "parse chain: mode 0 is unknown"},
		{at(2+97, 3), "parse chain: mode 3 is unknown"},
		{at(2+98, 2), "parse chain: flag 2 is neither 0 nor 1"},
	} {
		got, err := VerifyChain(c.b, w.genesis)
		refused(t, got, err, c.want)
	}
}

func TestChainRefusesEveryChange(t *testing.T) {
	w := newWorld(t, "home")
	chain, _ := w.line(t, 2)
	good := chain.Bytes()
	for bit := range len(good) * 8 {
		if got, err := VerifyChain(flipped(good, bit), w.genesis); err == nil || !got.IsZero() {
			t.Errorf("bit %d changed: accepted", bit)
		}
	}
	for n := range good {
		if got, err := VerifyChain(good[:n], w.genesis); err == nil || !got.IsZero() {
			t.Errorf("cut to %d bytes: accepted", n)
		}
	}
}

// links are the beginnings that a test knows.
type knownLinks map[[32]byte]bool

func (k knownLinks) Known(b [32]byte) bool { return k[b] }
func (k knownLinks) Verified(b [32]byte)   { k[b] = true }

// A known beginning saves its seals and nothing else: what stands around it is judged as ever.
func TestVerifyChainKnowing(t *testing.T) {
	w := newWorld(t, "home")
	chain, _ := w.line(t, 5)
	known := knownLinks{}
	b := chain.Bytes()
	for range 2 {
		got, err := VerifyChainKnowing(b, w.genesis, known)
		must(t, err)
		if got.Subject() != chain.Subject() || len(known) != 5 {
			t.Errorf("%d beginnings are known", len(known))
		}
	}
	for i := range b {
		changed := append([]byte(nil), b...)
		changed[i]++
		if _, err := VerifyChainKnowing(changed, w.genesis, known); err == nil {
			t.Fatalf("byte %d does not count", i)
		}
	}
	if len(known) != 5 {
		t.Errorf("%d beginnings are known after refusals", len(known))
	}
	other := newWorld(t, "away")
	if _, err := VerifyChainKnowing(b, other.genesis, known); err == nil {
		t.Error("another network's chain was accepted")
	}
	links := chain.Links()
	if _, err := VerifyChainKnowing(chained(links[1:]...), w.genesis, known); err == nil {
		t.Error("a chain without its beginning was accepted")
	}
}
