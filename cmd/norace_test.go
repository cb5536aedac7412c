//go:build !race

package cmd

const slow = false
