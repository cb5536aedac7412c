//go:build !linux

package cmd

import (
	"fmt"
	"os/exec"
	"runtime"
)

// benchable says why nothing can be measured here.
func benchable() error {
	return &failure{
		why:  fmt.Errorf("it reads Linux's counters of processes and interfaces, and this is %s", runtime.GOOS),
		hint: "a network to try, without figures: g2g demo --headless", code: exitFailed,
	}
}

func tie(*exec.Cmd) {}

func (b *fleet) counters() (reading, error) { return reading{}, benchable() }

func (b *fleet) memory() (mean, largest int64, err error) { return 0, 0, benchable() }

func (v *vessel) pause() error { return benchable() }

func (v *vessel) resume() error { return benchable() }

func loadAverage() float64 { return 0 }
