package cmd

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// monotonicLine is the moment of a reload, which systemd wants to know so as to tell its READY=1 from an older one.
func monotonicLine() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return ""
	}
	return fmt.Sprintf("\nMONOTONIC_USEC=%d", now.Nano()/1000)
}
