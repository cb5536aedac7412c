//go:build !linux

package cmd

// calmMonitor is for Linux only: elsewhere no thread can be told how late it may wake.
func calmMonitor() error { return nil }
