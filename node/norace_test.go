//go:build !race

package node

const slow = false
