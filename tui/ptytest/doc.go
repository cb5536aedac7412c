// Package ptytest gives tests a terminal.
package ptytest
