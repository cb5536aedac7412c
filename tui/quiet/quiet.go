// Package quiet keeps bubbletea from asking the terminal for its background when a program starts that draws nothing.
//
// bubbletea v1 asks in an init function (its tea_init.go), so every command of a program that links it would write to the
// terminal, read from it, and wait up to five seconds for one that does not answer. Terminals that call themselves dumb are
// not asked. Go initialises packages in the order of their paths as soon as what they import is there: this one imports os
// alone, so it comes before golang.org/x/sys/unix, which bubbletea stands on.
package quiet

import "os"

const name = "TERM"

var before, was = hide()

func hide() (string, bool) {
	value, set := os.LookupEnv(name)
	if set {
		_ = os.Setenv(name, "dumb") // cannot fail: the name is a good one
	}
	return value, set
}

// Restore gives the environment back. It is to be called once bubbletea is initialised: in an init function of who imports it.
func Restore() {
	if was {
		_ = os.Setenv(name, before)
	}
}
