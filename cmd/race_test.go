//go:build race

package cmd

// slow tells that the race detector makes cryptography take ten times as long: loads are then a tenth as high.
const slow = true
