//go:build !linux

package cmd

// monotonicLine is empty where there is no systemd.
func monotonicLine() string { return "" }
