//go:build race

package node

// slow tells that the race detector makes cryptography take ten times as long: floods are then a tenth as high.
const slow = true
