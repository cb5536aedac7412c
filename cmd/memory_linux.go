package cmd

import "golang.org/x/sys/unix"

// memory is how many bytes the machine has; 0 where it does not say.
func memory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit) //nolint:gosec // no machine has so much
}
