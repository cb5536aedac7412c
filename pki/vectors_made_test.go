package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

func sortedKeys(f fields) []string { return slices.Sorted(maps.Keys(f)) }

// with is a copy of the fields with one changed.
func (f fields) with(name, value string) fields {
	out := maps.Clone(f)
	out[name] = value
	return out
}

// makeVectors makes them all, the same ones each time: the private keys are 32 times the same byte, 01 for the founder, 02 for
// the root node, 03 for a member, 04 for a client, 05 for a leaf, 06 for a stranger.
func makeVectors(t testing.TB) []vector {
	t.Helper()
	v := vectorWorld{founder: numbered(t, 1), root: numbered(t, 2), member: numbered(t, 3), client: numbered(t, 4), stranger: numbered(t, 6)}
	var err error
	v.genesis, err = Found(bytes.NewReader(bytes.Repeat([]byte{0xa0}, 16)), v.founder, "example", noon)
	must(t, err)
	v.token, err = NewToken(bytes.NewReader(bytes.Repeat([]byte{0xb0}, 16)), Server, noon.Add(30*time.Minute), v.genesis.Network(), v.root.ID(),
		[]string{"192.0.2.1:7402", "[2001:db8::1]:7402", "g2g.example:7402"})
	must(t, err)
	return slices.Concat(v.ids(t), v.addresses(), v.seals(t), v.founding(t), v.chains(t), v.tokens(t), v.nominations(t), v.claims(t), v.leaves(t))
}

func numbered(t testing.TB, n byte) *Identity {
	t.Helper()
	i, err := NewIdentity(bytes.NewReader(bytes.Repeat([]byte{n}, 32)))
	must(t, err)
	return i
}

type vectorWorld struct {
	founder, root, member, client, stranger *Identity
	genesis                                 Genesis
	token                                   Token
}

func (w vectorWorld) network() string {
	n := w.genesis.Network()
	return hex.EncodeToString(n[:])
}

// otherNetwork is the ID of a network that is not this one.
const otherNetwork = "ff00000000000000000000000000000000000000000000000000000000000000"

func (w vectorWorld) ids(t testing.TB) []vector {
	k, id := w.root.Key(), w.root.ID().String()
	return []vector{
		{Kind: "id", Name: "one", In: fields{"key": hex.EncodeToString(k[:])}},
		{Kind: "id-text", Name: "one", In: fields{"text": id}},
		{Kind: "id-text", Name: "bad: one character changed", In: fields{"text": id[:20] + "b" + id[21:]}},
		{Kind: "id-text", Name: "bad: cut", In: fields{"text": id[:63]}},
		{Kind: "id-text", Name: "bad: upper case", In: fields{"text": id[:6] + "A" + id[7:]}},
		{Kind: "id-text", Name: "bad: a network's", In: fields{"text": NetworkID(w.root.ID()).String()}},
	}
}

func (w vectorWorld) addresses() []vector {
	var out []vector
	for _, s := range []string{"192.0.2.1:7402", "[2001:db8::1]:7402", "g2g.example:7402"} {
		out = append(out, vector{Kind: "address", Name: s, In: fields{"text": s}})
	}
	for _, s := range []string{"192.0.2.1", "192.0.2.1:0", "192.0.2.1:07402", "G2G.example:1", "[2001:db8:0::1]:1", "[::ffff:192.0.2.1]:1", "[fe80::1%eth0]:1", "192.0.2:1", "0x7f000001:1", "0.0.0.0:1"} {
		out = append(out, vector{Kind: "address", Name: "bad: " + s, In: fields{"text": s}})
	}
	return out
}

func (w vectorWorld) seals(t testing.TB) []vector {
	e, err := w.root.Seal(DomainContact, w.genesis.Network(), []byte("payload"))
	must(t, err)
	good := e.AppendBinary(nil)
	open := func(name string, d Domain, network string, b []byte) vector {
		return vector{Kind: "envelope", Name: name, In: fields{"domain": string(d), "network": network, "envelope": hex.EncodeToString(b)}}
	}
	lax := Envelope{Key: e.Key, Payload: e.Payload, Seal: malleated(e.Seal)}
	weak := Envelope{Key: Key{1}, Payload: e.Payload, Seal: forge(Key{1}, sealed(DomainContact, w.genesis.Network(), e.Payload))}
	return []vector{
		{Kind: "seal", Name: "one", In: fields{
			"private": hex.EncodeToString(bytes.Repeat([]byte{2}, 32)), "domain": string(DomainContact), "network": w.network(), "payload": hex.EncodeToString([]byte("payload")),
		}},
		open("one", DomainContact, w.network(), good),
		open("bad: another domain", DomainNomination, w.network(), good),
		open("bad: another network", DomainContact, otherNetwork, good),
		open("bad: changed payload", DomainContact, w.network(), flipped(good, 8*35)),
		open("bad: changed seal", DomainContact, w.network(), flipped(good, 8*50)),
		open("bad: the group's order added to S", DomainContact, w.network(), lax.AppendBinary(nil)),
		open("bad: a key of small order", DomainContact, w.network(), weak.AppendBinary(nil)),
		open("bad: cut", DomainContact, w.network(), good[:len(good)-1]),
		open("bad: a byte behind it", DomainContact, w.network(), append(good[:len(good):len(good)], 0)),
	}
}

func (w vectorWorld) founding(t testing.TB) []vector {
	payload := w.genesis.envelope.Payload
	seal := func(i *Identity, d Domain, network NetworkID, payload []byte) string {
		e, err := i.Seal(d, network, payload)
		must(t, err)
		return hex.EncodeToString(e.AppendBinary(nil))
	}
	named := slices.Concat(payload[:57], []byte("\x07Example"))
	return []vector{
		{Kind: "genesis", Name: "one", In: fields{"genesis": hex.EncodeToString(w.genesis.Bytes())}},
		{Kind: "genesis", Name: "bad: sealed by a stranger", In: fields{"genesis": seal(w.stranger, DomainGenesis, NetworkID{}, payload)}},
		{Kind: "genesis", Name: "bad: sealed in another domain", In: fields{"genesis": seal(w.founder, DomainContact, NetworkID{}, payload)}},
		{Kind: "genesis", Name: "bad: sealed in a network", In: fields{"genesis": seal(w.founder, DomainGenesis, w.genesis.Network(), payload)}},
		{Kind: "genesis", Name: "bad: name", In: fields{"genesis": seal(w.founder, DomainGenesis, NetworkID{}, named)}},
		{Kind: "genesis", Name: "bad: version", In: fields{"genesis": seal(w.founder, DomainGenesis, NetworkID{}, flipped(payload, 1))}},
		{Kind: "genesis", Name: "bad: a byte behind it", In: fields{"genesis": seal(w.founder, DomainGenesis, NetworkID{}, append(payload[:len(payload):len(payload)], 0))}},
	}
}

func (w vectorWorld) chains(t testing.TB) []vector {
	root, err := AdmitRoot(w.founder, w.genesis, w.root.Key(), noon)
	must(t, err)
	member, err := root.Admit(w.root, w.member.Key(), Nomination{Mode: Server, MayNominate: true, TokenKey: w.token.Key()}, noon.Add(time.Minute))
	must(t, err)
	client, err := member.Admit(w.member, w.client.Key(), Nomination{Mode: Client, TokenKey: w.token.Key()}, noon.Add(2*time.Minute))
	must(t, err)
	network := w.genesis.Network()
	below := Admission{Network: network, Subject: w.stranger.Key(), Nominator: w.client.Key(), Mode: Client, Depth: 4}
	circle := Admission{Network: network, Subject: w.root.Key(), Nominator: w.member.Key(), Mode: Server, Depth: 3}
	quiet := link(t, w.root, Admission{Network: network, Subject: w.member.Key(), Nominator: w.root.Key(), Mode: Server, Depth: 2})
	late := Admission{Network: network, Subject: w.member.Key(), Nominator: w.root.Key(), Mode: Server, Depth: 3}
	foreign := Admission{Network: NetworkID{0xff}, Subject: w.member.Key(), Nominator: w.root.Key(), Mode: Server, Depth: 2}
	orphan := Admission{Network: network, Subject: w.member.Key(), Nominator: w.stranger.Key(), Mode: Server, Depth: 1}
	one := func(name string, b []byte) vector {
		return vector{Kind: "chain", Name: name, In: fields{"genesis": hex.EncodeToString(w.genesis.Bytes()), "chain": hex.EncodeToString(b)}}
	}
	return []vector{
		one("the founder's own", root.Bytes()),
		one("a server", member.Bytes()),
		one("a client", client.Bytes()),
		one("bad: no links", []byte{0}),
		one("bad: 17 links", []byte{17}),
		one("bad: not from the founder", chained(link(t, w.stranger, orphan))),
		one("bad: the middle cut out", chained(root.links[0], client.links[2])),
		one("bad: another network", chained(root.links[0], link(t, w.root, foreign))),
		one("bad: depth", chained(root.links[0], link(t, w.root, late))),
		one("bad: nominated by a client", chained(append(client.Links(), link(t, w.client, below))...)),
		one("bad: nominated without leave", chained(root.links[0], quiet, client.links[2])),
		one("bad: a circle", chained(append(member.Links(), link(t, w.member, circle))...)),
		one("bad: sealed by another", chained(root.links[0], link(t, w.member, member.links[1]))),
		one("bad: a mode unknown", setByte(root.Bytes(), 2+97, 3)),
		one("bad: a flag that is no flag", setByte(root.Bytes(), 2+98, 2)),
		one("bad: a byte behind it", append(root.Bytes(), 0)),
	}
}

func setByte(b []byte, i int, v byte) []byte {
	b = bytes.Clone(b)
	b[i] = v
	return b
}

func (w vectorWorld) tokens(t testing.TB) []vector {
	client, server := w.token, w.token.Reveal()
	client.Mode, client.Addresses = Client, nil
	whole := body(t, w.token)
	one := func(name, text string) vector { return vector{Kind: "token", Name: name, In: fields{"text": text}} }
	return []vector{
		one("server", server),
		one("client, no addresses", client.Reveal()),
		one("bad: one character changed", server[:50]+"a"+server[51:]),
		one("bad: cut", server[:len(server)-8]),
		one("bad: the other mode's prefix", "g2gc1_"+server[6:]),
		one("bad: unknown prefix", "g2gx1_"+server[6:]),
		one("bad: upper case", server[:6]+"A"+server[7:]),
		one("bad: short body", minted(serverTokenPrefix, whole[:40])),
		one("bad: a byte behind it", minted(serverTokenPrefix, append(whole[:len(whole):len(whole)], 0))),
		one("bad: an IPv4 address as a name", minted(serverTokenPrefix, append(append(whole[:56:56], 1, 1, 9), "192.0.2.1\x1c\xea"...))),
		one("bad: 9 addresses", minted(serverTokenPrefix, append(whole[:56:56], 9))),
	}
}

func (w vectorWorld) nominations(t testing.TB) []vector {
	n := Nomination{
		Network: w.genesis.Network(), Nominator: w.root.Key(), TokenKey: w.token.Key(), Mode: Server, MayNominate: true, NotBefore: noon.Unix(), NotAfter: noon.Unix() + 1800,
		Uses: 2, For: w.member.ID(), Label: "laptop", Version: 2, Used: 1, Users: []TokenUse{{w.member.ID(), noon.Unix() + 60}},
	}
	one := func(name string, i *Identity, change func(*Nomination)) vector {
		n := n
		change(&n)
		e, err := i.Seal(DomainNomination, w.genesis.Network(), n.payload())
		must(t, err)
		return vector{Kind: "nomination", Name: name, In: fields{"network": w.network(), "envelope": hex.EncodeToString(e.AppendBinary(nil))}}
	}
	return []vector{
		one("one", w.root, func(*Nomination) {}),
		one("revoked", w.root, func(n *Nomination) { n.Version, n.RevokedAt = 3, noon.Unix()+120 }),
		one("bad: sealed by another", w.stranger, func(*Nomination) {}),
		one("bad: another network's", w.root, func(n *Nomination) { n.Network[0] ^= 1 }),
		one("bad: a client that may nominate", w.root, func(n *Nomination) { n.Mode = Client }),
		one("bad: no uses", w.root, func(n *Nomination) { n.Uses = 0 }),
		one("bad: too long a life", w.root, func(n *Nomination) { n.NotAfter = n.NotBefore + 2592001 }),
		one("bad: label", w.root, func(n *Nomination) { n.Label = "\x1b[2J" }),
		one("bad: more users than uses", w.root, func(n *Nomination) { n.Used = 0 }),
	}
}

func (w vectorWorld) claims(t testing.TB) []vector {
	pattern := func(b byte) string { return hex.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
	acceptor, joiner, tokenKey, joinerKey := w.root.ID(), w.member.ID(), w.token.Key(), w.member.Key()
	in := fields{
		"exporter": pattern(0xc1), "nonce": pattern(0xc2), "network": w.network(), "acceptor": hex.EncodeToString(acceptor[:]), "joiner": hex.EncodeToString(joiner[:]),
		"token_id": w.token.ID().String(), "mode": "1", "contact_hash": pattern(0xc3),
	}
	tokenSeal, identitySeal, err := w.token.Claim(w.member, in.binding())
	must(t, err)
	claim := in.with("nominator_pin", hex.EncodeToString(w.token.Nominator[:])).with("token_key", hex.EncodeToString(tokenKey[:])).with("joiner_key", hex.EncodeToString(joinerKey[:])).
		with("token_seal", hex.EncodeToString(tokenSeal)).with("identity_seal", hex.EncodeToString(identitySeal))
	out := []vector{{Kind: "binding", Name: "one", In: in}, {Kind: "claim", Name: "one", In: claim}}
	for _, name := range []string{"exporter", "nonce", "network", "acceptor", "joiner", "token_id", "contact_hash", "nominator_pin", "token_key", "joiner_key", "token_seal", "identity_seal"} {
		changed := claim.with(name, hex.EncodeToString(flipped(claim.bytes(name), 0)))
		out = append(out, vector{Kind: "claim", Name: "bad: another " + name, In: changed})
	}
	return append(out, vector{Kind: "claim", Name: "bad: another mode", In: claim.with("mode", "2")})
}

func (w vectorWorld) leaves(t testing.TB) []vector {
	chain, err := AdmitRoot(w.founder, w.genesis, w.root.Key(), noon)
	must(t, err)
	leaf, err := MintLeaf(bytes.NewReader(bytes.Repeat([]byte{5}, 32)), w.root, w.genesis.Network(), chain, 7, noon, 24*time.Hour)
	must(t, err)
	d := draftOf(t, leaf)
	spki, err := x509.MarshalPKIXPublicKey(d.public)
	must(t, err)
	one := func(name string, now time.Time, der []byte) vector {
		return vector{Kind: "leaf", Name: name, In: fields{"now": fmt.Sprint(now.Unix()), "certificate": hex.EncodeToString(der)}}
	}
	redated := d
	redated.notAfter = noon.AddDate(1, 0, 0)
	alone := d
	alone.extensions = d.extensions[:1]
	vouch := d.extensions[0].Value
	der := leaf.Certificate.Certificate[0]
	return []vector{
		{Kind: "leaf-payload", Name: "one", In: fields{
			"spki": hex.EncodeToString(spki), "not_before": fmt.Sprint(d.notBefore.Unix()), "not_after": fmt.Sprint(d.notAfter.Unix()), "epoch": "7", "chain": hex.EncodeToString(chain.Bytes()),
		}},
		one("one", noon, der),
		one("bad: expired", noon.AddDate(0, 1, 0), der),
		one("bad: not yet valid", noon.AddDate(0, -1, 0), der),
		one("bad: re-dated with the leaf's key", noon.AddDate(0, 1, 0), redated.der(t)),
		one("bad: broken self-signature", noon, flipped(der, 8*len(der)-20)),
		one("bad: another epoch", noon, d.set(0, flipped(vouch, 8*72)).der(t)),
		one("bad: another chain", noon, d.set(1, []byte{0}).der(t)),
		one("bad: no chain", noon, alone.der(t)),
		one("bad: a byte behind the identity", noon, d.set(0, append(vouch[:len(vouch):len(vouch)], 0)).der(t)),
	}
}
