package pki

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the test vectors")

// A vector is one case for whoever implements the protocol anew: what goes in, and what comes out or why nothing does.
// Bytes are in hex, times in Unix seconds.
type vector struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	In    fields `json:"in"`
	Out   fields `json:"out,omitempty"`
	Error string `json:"error,omitempty"`
}

type fields map[string]string

func (f fields) bytes(name string) []byte {
	b, err := hex.DecodeString(f[name])
	if err != nil {
		panic("vector: " + name + ": " + err.Error())
	}
	return b
}

func (f fields) number(name string) int64 {
	n, err := strconv.ParseInt(f[name], 10, 64)
	if err != nil {
		panic("vector: " + name + ": " + err.Error())
	}
	return n
}

func (f fields) key(name string) Key { return Key(f.bytes(name)) }

func (f fields) network() NetworkID { return NetworkID(f.bytes("network")) }

func (f fields) genesis() Genesis {
	g, err := ParseGenesis(f.bytes("genesis"))
	if err != nil {
		panic("vector: " + err.Error())
	}
	return g
}

// kinds are what can be done with a vector.
var kinds = map[string]func(fields) (fields, error){
	"id": func(in fields) (fields, error) {
		k := in.key("key")
		id := k.ID()
		return fields{"id": hex.EncodeToString(id[:]), "text": id.String()}, nil
	},
	"id-text": func(in fields) (fields, error) {
		id, err := ParseID(in["text"])
		return fields{"id": hex.EncodeToString(id[:])}, err
	},
	"address": func(in fields) (fields, error) {
		if err := CheckAddress(in["text"]); err != nil {
			return nil, err
		}
		var w writer
		w.address(in["text"])
		return fields{"bytes": hex.EncodeToString(w)}, nil
	},
	"seal": func(in fields) (fields, error) {
		i, err := NewIdentity(bytes.NewReader(in.bytes("private")))
		if err != nil {
			return nil, err
		}
		e, err := i.Seal(Domain(in["domain"]), in.network(), in.bytes("payload"))
		message := sealed(Domain(in["domain"]), in.network(), in.bytes("payload"))
		return fields{"message": hex.EncodeToString(message), "key": hex.EncodeToString(e.Key[:]), "envelope": hex.EncodeToString(e.AppendBinary(nil))}, err
	},
	"envelope": func(in fields) (fields, error) {
		e, err := ParseEnvelope(in.bytes("envelope"))
		if err == nil {
			err = e.Verify(Domain(in["domain"]), in.network())
		}
		return fields{"payload": hex.EncodeToString(e.Payload)}, err
	},
	"genesis": func(in fields) (fields, error) {
		g, err := ParseGenesis(in.bytes("genesis"))
		n := g.Network()
		return fields{
			"founder": hex.EncodeToString(g.Founder[:]), "name": g.Name, "created_at": fmt.Sprint(g.CreatedAt), "network": hex.EncodeToString(n[:]), "network_text": n.String(),
		}, err
	},
	"chain": func(in fields) (fields, error) {
		c, err := VerifyChain(in.bytes("chain"), in.genesis())
		k := c.Subject()
		return fields{
			"subject": hex.EncodeToString(k[:]), "mode": c.Mode().String(), "depth": fmt.Sprint(c.Depth()), "may_nominate": fmt.Sprint(c.MayNominate()),
			"nominator_id": c.Nominator().String(), "token_id": c.last().Token.String(), "issued_at": fmt.Sprint(c.last().IssuedAt),
		}, err
	},
	"token": func(in fields) (fields, error) {
		t, err := ParseToken(in["text"])
		k := t.Key()
		return fields{
			"mode": t.Mode.String(), "not_after": fmt.Sprint(t.NotAfter), "network_pin": hex.EncodeToString(t.Network[:]), "nominator_pin": hex.EncodeToString(t.Nominator[:]),
			"seed": hex.EncodeToString(t.seed.reveal()), "key": hex.EncodeToString(k[:]), "token_id": t.ID().String(), "addresses": strings.Join(t.Addresses, " "),
		}, err
	},
	"nomination": func(in fields) (fields, error) {
		e, err := ParseEnvelope(in.bytes("envelope"))
		if err != nil {
			return nil, err
		}
		n, err := OpenNomination(e, in.network())
		var users []string
		for _, u := range n.Users {
			users = append(users, fmt.Sprintf("%s at %d", u.Joiner, u.At))
		}
		return fields{
			"payload": hex.EncodeToString(e.Payload), "nominator": hex.EncodeToString(n.Nominator[:]), "token_key": hex.EncodeToString(n.TokenKey[:]), "mode": n.Mode.String(),
			"may_nominate": fmt.Sprint(n.MayNominate), "not_before": fmt.Sprint(n.NotBefore), "not_after": fmt.Sprint(n.NotAfter), "uses": fmt.Sprint(n.Uses),
			"for": hex.EncodeToString(n.For[:]), "label": n.Label, "version": fmt.Sprint(n.Version), "revoked_at": fmt.Sprint(n.RevokedAt), "used": fmt.Sprint(n.Used),
			"users": strings.Join(users, ", "), "token_id": n.TokenID().String(),
		}, err
	},
	"binding": func(in fields) (fields, error) {
		b := in.binding()
		return fields{"fields": hex.EncodeToString(b.fields()), "transcript": hex.EncodeToString(b.transcript())}, nil
	},
	"claim": func(in fields) (fields, error) {
		c := Claim{
			Binding: in.binding(), Nominator: Pin(in.bytes("nominator_pin")), TokenKey: in.key("token_key"), JoinerKey: in.key("joiner_key"), TokenSeal: in.bytes("token_seal"), IdentitySeal: in.bytes("identity_seal"),
		}
		return fields{}, c.Verify()
	},
	"leaf-payload": func(in fields) (fields, error) {
		payload := leafPayload(in.bytes("spki"), time.Unix(in.number("not_before"), 0), time.Unix(in.number("not_after"), 0), uint64(in.number("epoch")), in.bytes("chain"))
		return fields{"payload": hex.EncodeToString(payload)}, nil
	},
	"leaf": func(in fields) (fields, error) {
		c, err := VerifyLeaf(time.Unix(in.number("now"), 0), [][]byte{in.bytes("certificate")})
		return fields{
			"key": hex.EncodeToString(c.Key[:]), "network": hex.EncodeToString(c.Network[:]), "epoch": fmt.Sprint(c.Epoch), "not_before": fmt.Sprint(c.NotBefore.Unix()),
			"not_after": fmt.Sprint(c.NotAfter.Unix()), "chain": hex.EncodeToString(c.Chain),
		}, err
	},
}

func (f fields) binding() Binding {
	return Binding{
		Exporter: [32]byte(f.bytes("exporter")), Nonce: [32]byte(f.bytes("nonce")), Network: f.network(), Acceptor: ID(f.bytes("acceptor")), Joiner: ID(f.bytes("joiner")),
		Token: TokenID(f.bytes("token_id")), Mode: Mode(f.number("mode")), Contact: [32]byte(f.bytes("contact_hash")),
	}
}

// run gives the vector with what comes out of it.
func (v vector) run() vector {
	out, err := kinds[v.Kind](v.In)
	v.Out, v.Error = out, ""
	if err != nil {
		v.Out, v.Error = nil, err.Error()
	}
	if len(v.Out) == 0 {
		v.Out = nil
	}
	return v
}

func vectorFile() string { return filepath.Join("testdata", "vectors.json") }

// The published vectors hold, and they are the ones that this package makes.
func TestVectors(t *testing.T) {
	made := makeVectors(t)
	for i, v := range made {
		made[i] = v.run()
	}
	if *update {
		b, err := json.MarshalIndent(made, "", "  ")
		must(t, err)
		must(t, os.WriteFile(vectorFile(), append(b, '\n'), 0o644))
	}
	b, err := os.ReadFile(vectorFile())
	must(t, err)
	var published []vector
	must(t, json.Unmarshal(b, &published))
	if len(published) != len(made) {
		t.Fatalf("%d vectors are published, %d are made: run with -update, and read the difference", len(published), len(made))
	}
	count := map[bool]int{}
	for i, v := range published {
		if got := v.run(); !reflect.DeepEqual(got, v) {
			t.Errorf("%s: %s: got %v %q, want %v %q", v.Kind, v.Name, got.Out, got.Error, v.Out, v.Error)
		}
		if !reflect.DeepEqual(made[i], v) {
			t.Errorf("%s: %s: the published vector is not the one that is made", v.Kind, v.Name)
		}
		count[v.Error == ""]++
		if strings.HasPrefix(v.Name, "bad: ") != (v.Error != "") {
			t.Errorf("%s: %s: error %q", v.Kind, v.Name, v.Error)
		}
	}
	if count[true] < 10 || count[false] < 30 {
		t.Errorf("%d good vectors and %d bad ones: too few", count[true], count[false])
	}
}

const vectorsBegin, vectorsEnd = "<!-- vectors -->\n", "<!-- /vectors -->\n"

// shown are the vectors that docs/protocol.md prints.
var shown = []string{"id: one", "seal: one", "genesis: one", "token: server", "binding: one", "leaf-payload: one"}

// section is the page's part about vectors.
func section(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprint(&b, vectorsBegin, "A few of the vectors in `pki/testdata/vectors.json`, which also holds those that must fail, each with the reason. Bytes are in hex, times in\nUnix seconds. ",
		"The private key of the founder is 32 times 01, of the root node 02, of a member 03, of a leaf 05.\n")
	all := map[string]vector{}
	for _, v := range makeVectors(t) {
		all[v.Kind+": "+v.Name] = v.run()
	}
	for _, name := range shown {
		v, ok := all[name]
		if !ok {
			t.Fatalf("there is no vector %q", name)
		}
		fmt.Fprintf(&b, "\n%s\n\n```\n", name)
		for _, key := range sortedKeys(v.In) {
			fmt.Fprintf(&b, "%s = %s\n", key, v.In[key])
		}
		fmt.Fprintln(&b, "->")
		for _, key := range sortedKeys(v.Out) {
			fmt.Fprintf(&b, "%s = %s\n", key, v.Out[key])
		}
		fmt.Fprint(&b, "```\n")
	}
	fmt.Fprint(&b, vectorsEnd)
	return b.String()
}

// The page shows the vectors as they are, between its two markers.
func TestProtocolPageShowsTheVectors(t *testing.T) {
	page := filepath.Join("..", "docs", "protocol.md")
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("there is no page yet: %v", err)
	}
	before, rest, found := strings.Cut(string(b), vectorsBegin)
	_, after, ended := strings.Cut(rest, vectorsEnd)
	if !found || !ended {
		t.Fatal("the page has no markers for the vectors")
	}
	want := before + section(t) + after
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatal("docs/protocol.md shows other vectors: run with -update")
	}
	must(t, os.WriteFile(page, []byte(want), 0o644))
}
