package pki

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A sworn is an admission of a random forest, with who really sealed it.
type sworn struct {
	Admission
	sealer Key
}

// forest admits at random: some links are by those who may not, too deep, forged or another network's. Every one is well formed.
func forest(t *testing.T, r *rand.Rand, home, away world) []sworn {
	people := make([]*Identity, 12)
	for i := range people {
		people[i] = someone(t, fmt.Sprint("person ", i))
	}
	pick := func() *Identity { return people[r.IntN(len(people))] }
	var all []sworn
	swear := func(nominator *Identity, depth uint8) {
		w, sealer := home, nominator
		if r.IntN(12) == 0 {
			w = away
		}
		if r.IntN(12) == 0 {
			sealer = pick()
		}
		a := Admission{
			Network: w.genesis.Network(), Subject: pick().Key(), Nominator: nominator.Key(), Mode: Mode(1 + r.IntN(6)/5), MayNominate: r.IntN(6) > 0, Depth: depth,
		}
		all = append(all, sworn{link(t, sealer, a), sealer.Key()})
	}
	for range 8 {
		swear(home.founder, 1)
	}
	for range 300 {
		swear(pick(), uint8(2+r.IntN(4)))
	}
	return all
}

// truePath is the rule of Chain said again, in the words of the forest.
func truePath(path []sworn, home world) bool {
	if len(path) == 0 || len(path) > MaxDepth {
		return false
	}
	above := home.founder.Key()
	var met []Key
	for i, a := range path {
		good := a.Network == home.genesis.Network() && a.sealer == a.Nominator && a.Nominator == above && int(a.Depth) == i+1 && !slices.Contains(met, a.Subject)
		if i > 0 {
			good = good && path[i-1].Mode == Server && path[i-1].MayNominate
		}
		if !good {
			return false
		}
		above, met = a.Subject, append(met, a.Subject)
	}
	return true
}

// walk goes down the forest from a first link, mostly along links that fit; what it finds is often a true path, or nearly.
func walk(r *rand.Rand, all []sworn) []sworn {
	path := []sworn{all[r.IntN(8)]}
	for range r.IntN(5) {
		last := path[len(path)-1]
		var next []sworn
		for _, a := range all {
			if a.Nominator == last.Subject && int(a.Depth) == len(path)+1 {
				next = append(next, a)
			}
		}
		if len(next) == 0 {
			break
		}
		path = append(path, next[r.IntN(len(next))])
	}
	return path
}

// disturb changes a path as an attacker would who has all the links of the network but no key.
func disturb(r *rand.Rand, path, all []sworn) []sworn {
	i := r.IntN(len(path))
	switch r.IntN(5) {
	case 0:
		return slices.Delete(slices.Clone(path), i, i+1)
	case 1:
		return slices.Insert(slices.Clone(path), i, all[r.IntN(len(all))])
	case 2:
		path = slices.Clone(path)
		path[i] = all[r.IntN(len(all))]
	case 3:
		path = slices.Clone(path)
		j := r.IntN(len(path))
		path[i], path[j] = path[j], path[i]
	}
	return path
}

func TestOnlyTruePathsVerify(t *testing.T) {
	home, away := newWorld(t, "home"), newWorld(t, "away")
	accepted, refused := 0, 0
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 0))
		all := forest(t, r, home, away)
		for range 300 {
			path := disturb(r, walk(r, all), all)
			links := make([]Admission, len(path))
			for i, a := range path {
				links[i] = a.Admission
			}
			b := chained(links...)
			got, err := VerifyChain(b, home.genesis)
			if want := truePath(path, home); (err == nil) != want {
				t.Fatalf("seed %d: %v is a true path: %t; verified: %v", seed, links, want, err)
			}
			if err != nil {
				refused++
				continue
			}
			accepted++
			if string(got.Bytes()) != string(b) || got.Subject() != links[len(links)-1].Subject {
				t.Fatalf("seed %d: %v verified as %v", seed, links, got.Links())
			}
		}
	}
	if accepted < 300 || refused < 300 {
		t.Errorf("%d accepted, %d refused: too few of a kind to show anything", accepted, refused)
	}
}
