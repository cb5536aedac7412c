package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// read opens a folder and reads all of it.
func read(path string) (string, error) {
	d, err := Open(path)
	if err != nil {
		return "", err
	}
	defer d.Close()
	s := state(d)
	_, _, _, failure := d.Membership()
	_, err = d.Load()
	_, _, ports := d.Ports()
	return s, errors.Join(failure, err, ports)
}

// rewrite replaces one value, with a checksum that fits.
func rewrite(bucket, key string, body []byte) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return put(tx, bucket, key, body) }
}

func remove(bucket, key string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Delete([]byte(key)) }
}

// TestFlippedBytes opens with the attack: every byte of every value is changed in turn.
func TestFlippedBytes(t *testing.T) {
	d := filled(t)
	path := d.Path()
	must(t, d.view(func(tx *bbolt.Tx) error {
		for bucket := range keys {
			if k, _ := tx.Bucket([]byte(bucket)).Cursor().First(); k == nil {
				t.Errorf("%s is empty", bucket)
			}
		}
		return nil
	}))
	var values [][3]string // bucket, key, raw value
	must(t, d.view(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(bucket []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				values = append(values, [3]string{string(bucket), string(k), string(v)})
				return nil
			})
		})
	}))
	for _, v := range values {
		bucket, key, raw := v[0], v[1], v[2]
		for i := range len(raw) {
			b := []byte(raw)
			b[i] ^= 1 << (i % 8)
			_, err := body(bucket, key, b)
			equal(t, err, "state.db is damaged: "+named(bucket, key)+": the checksum does not fit")
		}
		for _, other := range keys["meta"] {
			if _, err := body(bucket, key+other, []byte(raw)); err == nil {
				t.Errorf("the value of %s fits another key", named(bucket, key))
			}
		}
	}
	// And once through the file for each value.
	must(t, d.Close())
	for _, v := range values {
		hurt := copyFolder(t, path)
		edit(t, hurt, func(tx *bbolt.Tx) error {
			b := []byte(v[2])
			b[len(b)/2] ^= 0x10
			return tx.Bucket([]byte(v[0])).Put([]byte(v[1]), b)
		})
		_, err := read(hurt)
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), named(v[0], v[1])+": the checksum does not fit") {
			t.Errorf("%s: %v", named(v[0], v[1]), err)
		}
	}
}

// TestWrongValues are values with a checksum that fits but a content that nobody wrote.
func TestWrongValues(t *testing.T) {
	d := filled(t)
	path := d.Path()
	saved := value(d.Load())
	genesis, chain, _, err := d.Membership()
	must(t, err)
	identity := value(d.Identity())
	must(t, d.Close())
	n := saved.Nominations[0]
	token, joiner := string(saved.Claims[0].Token[:]), string(saved.Claims[0].Joiner[:])
	first := n.TokenID()
	other := value(found(value(pki.NewIdentity(strings.NewReader(strings.Repeat("x", 64)))), value(pki.NewIdentity(strings.NewReader(strings.Repeat("y", 64))))))
	foreign := value(nominate(identity, other.Genesis, 1))
	broken := append([]byte(nil), chain.Bytes()...)
	broken[len(broken)-1]++
	claim, address := named(bucketClaims, token+joiner), named(bucketReserve, string(saved.Reserve[0].ID[:]))
	for name, c := range map[string]struct {
		change func(*bbolt.Tx) error
		want   string // after the folder's name, or one of the readers'
	}{
		"newer schema":    {rewrite(bucketMeta, keySchema, []byte{0, 0, 0, 3}), "state.db has schema 3, this g2g knows 2: use the g2g that wrote it, or a newer one"},
		"schema 0":        {rewrite(bucketMeta, keySchema, make([]byte, 4)), "state.db has schema 0, this g2g knows 2: use the g2g that wrote it, or a newer one"},
		"short schema":    {rewrite(bucketMeta, keySchema, []byte{1}), "state.db is damaged: meta/schema: 1 bytes where 4 are needed"},
		"no schema":       {remove(bucketMeta, keySchema), "state.db is damaged: meta/schema: 0 bytes where 4 are needed"},
		"unknown key":     {rewrite(bucketOwn, "colour", nil), `state.db is damaged: key "colour" in own is unknown`},
		"unknown bucket":  {func(tx *bbolt.Tx) error { return errorOf(tx.CreateBucket([]byte("x"))) }, `state.db is damaged: bucket "x" is unknown`},
		"no bucket":       {func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketClaims)) }, "state.db is damaged: bucket claims is missing"},
		"no meta":         {func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketMeta)) }, "state.db is damaged: bucket meta is missing"},
		"bucket for key":  {func(tx *bbolt.Tx) error { return errorOf(tx.Bucket([]byte(bucketOwn)).CreateBucket([]byte("x"))) }, `state.db is damaged: key "x" in own is unknown`},
		"no genesis":      {remove(bucketNetwork, keyGenesis), "state.db is damaged: the genesis is missing"},
		"no chain":        {remove(bucketNetwork, keyChain), "state.db is damaged: the chain is missing"},
		"no network":      {func(tx *bbolt.Tx) error { return clearBucket(tx, bucketNetwork) }, "state.db is damaged: the genesis is missing"},
		"no member":       {remove(bucketMeta, keyMember), "state.db is damaged: meta/member: it does not name network " + genesis.Network().String()},
		"other member":    {rewrite(bucketMeta, keyMember, make([]byte, 32)), "state.db is damaged: meta/member: it does not name network " + genesis.Network().String()},
		"genesis":         {rewrite(bucketNetwork, keyGenesis, []byte("x")), "state.db is damaged: network/genesis: parse genesis: parse envelope: cut short: 1 bytes where 32 are needed"},
		"chain":           {rewrite(bucketNetwork, keyChain, broken), "state.db is damaged: network/chain: verify chain: link 1: the seal does not fit"},
		"numbers":         {rewrite(bucketOwn, keyNumbers, make([]byte, 31)), "state.db is damaged: own/numbers: 31 bytes where 32 are needed"},
		"ports":           {rewrite(bucketOwn, keyPorts, make([]byte, 5)), "state.db is damaged: own/ports: 5 bytes where 4 are needed"},
		"nomination":      {rewrite(bucketNominations, string(first[:]), nil), "state.db is damaged: nominations/" + first.String() + ": parse envelope: cut short: 0 bytes where 32 are needed"},
		"foreign one":     {rewrite(bucketNominations, string(first[:]), foreign.Sealed.AppendBinary(nil)), "state.db is damaged: nominations/" + first.String() + ": open nomination: the seal does not fit"},
		"misplaced":       {rewrite(bucketNominations, "12345678", n.Sealed.AppendBinary(nil)), "state.db is damaged: nominations/3132333435363738: it is that of token " + first.String()},
		"short key":       {rewrite(bucketNominations, "\x00", nil), "state.db is damaged: nominations/00: a key of 1 bytes where 8 are needed"},
		"claim":           {rewrite(bucketClaims, token+joiner, make([]byte, 8)), "state.db is damaged: " + claim + ": 8 bytes where 9 to 4104 are needed"},
		"long claim":      {rewrite(bucketClaims, token+joiner, make([]byte, 4105)), "state.db is damaged: " + claim + ": 4105 bytes where 9 to 4104 are needed"},
		"old claim":       {rewrite(bucketClaims, token+joiner, []byte{0x80, 0, 0, 0, 0, 0, 0, 0, 1}), "state.db is damaged: " + claim + ": a time before 1970"},
		"short reserve":   {rewrite(bucketReserve, string(saved.Reserve[0].ID[:]), make([]byte, 16)), "state.db is damaged: " + address + ": cut short"},
		"cut reserve":     {rewrite(bucketReserve, string(saved.Reserve[0].ID[:]), append(make([]byte, 16), 1, 0)), "state.db is damaged: " + address + ": cut short"},
		"cut address":     {rewrite(bucketReserve, string(saved.Reserve[0].ID[:]), append(make([]byte, 16), 1, 0, 4, 'a', ':', '1')), "state.db is damaged: " + address + ": cut short"},
		"address":         {rewrite(bucketReserve, string(saved.Reserve[0].ID[:]), append(make([]byte, 16), 1, 0, 3, 'a', ':', '0')), "state.db is damaged: " + address + `: address "a:0": port "0" is not 1 to 65535`},
		"more in reserve": {rewrite(bucketReserve, string(saved.Reserve[0].ID[:]), make([]byte, 18)), "state.db is damaged: " + address + ": 1 bytes for a chain"},
		"record":          {func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucketOwn)).Put([]byte(keyPorts), []byte{1, 2}) }, "state.db is damaged: own/ports: 2 bytes are too few"},
		"record version": {func(tx *bbolt.Tx) error {
			b := []byte{2, 0, 0, 0, 0}
			sum := recordSum(bucketOwn, keyPorts, b)
			return tx.Bucket([]byte(bucketOwn)).Put([]byte(keyPorts), append(b, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)))
		}, "state.db: own/ports: version 2, this g2g knows 1: use the g2g that wrote it, or a newer one"},
		"service":       {rewrite(bucketOwn, keyServices, []byte("a:1\nb")), `state.db is damaged: own/services: address "b": no port`},
		"many services": {rewrite(bucketOwn, keyServices, []byte(strings.Repeat("a:1\n", 64)+"a:1")), "state.db is damaged: own/services: 65 addresses are over the bound of 64"},
		"crowd": {func(tx *bbolt.Tx) error {
			for i := range MaxReserve {
				if err := put(tx, bucketReserve, fmt.Sprintf("%032d", i), make([]byte, 17)); err != nil {
					return err
				}
			}
			return nil
		}, "state.db is damaged: over 1000 reserve"},
	} {
		t.Run(name, func(t *testing.T) {
			hurt := copyFolder(t, path)
			edit(t, hurt, c.change)
			_, err := read(hurt)
			if err == nil {
				t.Fatalf("no error, want %q", c.want)
			}
			got, _, _ := strings.Cut(err.Error(), "\n")
			for _, reader := range []string{"open folder " + hurt, "read membership", "load", "read ports"} {
				got = strings.TrimPrefix(got, reader+": ")
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func errorOf(_ *bbolt.Bucket, err error) error { return err }

func TestNominationWithoutNetwork(t *testing.T) {
	d := filled(t)
	must(t, d.update("test", func(tx *bbolt.Tx) error {
		return errors.Join(clearBucket(tx, bucketNetwork), remove(bucketMeta, keyMember)(tx))
	}))
	n := value(func() (pki.TokenID, error) {
		var id pki.TokenID
		return id, d.view(func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket([]byte(bucketNominations)).Cursor().First()
			copy(id[:], k)
			return nil
		})
	}())
	_, err := d.Load()
	equal(t, err, "load: state.db is damaged: nominations/"+n.String()+": there is no network that it belongs to")
}

func TestNoState(t *testing.T) {
	d := filled(t)
	must(t, d.Close())
	for content, want := range map[string]string{
		"":                            ": state.db is damaged: it is empty",
		"text":                        ": state.db is damaged: invalid database",
		strings.Repeat("text", 10000): ": state.db is damaged: invalid database",
	} {
		must(t, os.WriteFile(filepath.Join(d.Path(), StateFile), []byte(content), 0o600))
		_, err := Open(d.Path())
		equal(t, err, "open folder "+d.Path()+want)
	}
}

// racing tells that the race detector is on.
var racing bool

// TestBrokenPages opens with the attack: random bytes of the file change, or its end is lost. Whatever happens, what can be
// read is a state that was saved once, and nothing panics. bbolt seals only its two meta pages: where it falls back from
// one to the other, that is the state before the last transaction.
func TestBrokenPages(t *testing.T) {
	if racing {
		t.Skip("the race detector touches the pages itself, and a fault in there ends the process")
	}
	d := filled(t)
	path := d.Path()
	want := state(d)
	must(t, d.SavePorts(7401, 7402)) // so that the state before the last transaction is the same
	must(t, d.Close())
	whole := value(os.ReadFile(filepath.Join(path, StateFile)))
	chance := rand.New(rand.NewPCG(1, 2))
	outcomes := map[string]int{}
	for i := range 400 {
		b := append([]byte(nil), whole...)
		if i%4 == 0 {
			b = b[:1+chance.IntN(len(b)-1)]
		} else {
			for range 1 + chance.IntN(3) {
				b[chance.IntN(len(b))] ^= 1 << chance.IntN(8)
			}
		}
		must(t, os.WriteFile(filepath.Join(path, StateFile), b, 0o600))
		got, err := read(path)
		switch {
		case err != nil:
			outcomes["refused"]++
		case got == want:
			outcomes["as it was"]++
		default:
			t.Errorf("change %d was not seen:\n%s", i, got)
		}
	}
	t.Log(outcomes)
}

// TestDamageIsNotOverwritten: what cannot be read is no licence to write a new one.
func TestDamageIsNotOverwritten(t *testing.T) {
	d := filled(t)
	genesis, chain, _, err := d.Membership()
	must(t, err)
	spoil := func(bucket, key string) {
		must(t, d.update("test", func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(key), []byte("spoilt")) }))
	}
	spoil(bucketOwn, keyNumbers)
	equal(t, d.Save(gossip.Save{Own: &gossip.Own{Sequence: 99, Incarnation: 99, Epoch: 99, MinEpoch: 99}}), "save: state.db is damaged: own/numbers: the checksum does not fit")
	spoil(bucketNetwork, keyChain)
	equal(t, d.SaveMembership(genesis, chain), "save membership: state.db is damaged: network/chain: the checksum does not fit")
	if err := d.Init(strings.NewReader(""), nil, found); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if _, err := d.Archive(now); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if _, err := d.Load(); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}
