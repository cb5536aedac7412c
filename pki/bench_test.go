package pki

import "testing"

func BenchmarkVerifyChain(b *testing.B) {
	w := newWorld(b, "home")
	chain, _ := w.line(b, 8)
	bytes := chain.Bytes()
	for b.Loop() {
		if _, err := VerifyChain(bytes, w.genesis); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyLeaf(b *testing.B) {
	leaf := newWorld(b, "home").leaf(b, "leaf").Certificate.Certificate
	for b.Loop() {
		if _, err := VerifyLeaf(noon, leaf); err != nil {
			b.Fatal(err)
		}
	}
}
