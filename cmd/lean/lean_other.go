//go:build !linux

package lean

const monitorSlack = 0

// slacken is for Linux only: elsewhere no thread can be told how late it may wake.
func slacken(int64) error { return nil }

// largePages is for Linux only.
func largePages() {}

// growLarge is for Linux only.
func growLarge(int) {}
