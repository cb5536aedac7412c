package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/g2g-net/g2g/pki"
)

// What the two kinds of token begin with.
const (
	serverToken = "g2gs1_"
	clientToken = "g2gc1_"
)

// maxTokenText bounds what is read as a token, in bytes, white space round it included.
const maxTokenText = pki.MaxToken

// tokenText finds the token that a command was given: as "-" on stdin, as @FILE, as itself, or in G2G_TOKEN.
func (a *app) tokenText(ctx context.Context, given string) (string, error) {
	text, from, err := a.readToken(ctx, given)
	if err != nil {
		return "", err
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", wrongUsage("no token in "+from, "mint one on a member: g2g nominate")
	case len(text) > maxTokenText:
		return "", badToken(fmt.Errorf("parse token: %s holds more than %d bytes, no token is that long", from, maxTokenText))
	case !utf8.ValidString(text):
		return "", badToken(fmt.Errorf("parse token: %s holds no text", from))
	case strings.ContainsAny(text, " \t\r\n"):
		return "", badToken(fmt.Errorf("parse token: %s holds more than one word", from))
	}
	return text, nil
}

func badToken(why error) error {
	return &failure{why: why, hint: "mint a new one on a member: g2g nominate", code: exitRefused}
}

// readToken returns the text and where it is from.
func (a *app) readToken(ctx context.Context, given string) (text, from string, err error) {
	switch {
	case given == "-":
		text, err = readAll(ctx, a.in)
		return text, "standard input", err
	case strings.HasPrefix(given, "@"):
		file, err := os.Open(given[1:])
		if err != nil {
			return "", "", fmt.Errorf("read the token: %w", err)
		}
		defer file.Close()
		text, err = readAll(ctx, file)
		return text, given[1:], err
	case given != "":
		a.Hint("a token on the command line shows in the list of processes: give it as - on standard input, as @FILE or in G2G_TOKEN")
		return given, "the argument", nil
	case a.getenv("G2G_TOKEN") != "":
		return a.getenv("G2G_TOKEN"), "G2G_TOKEN", nil
	}
	return "", "", wrongUsage("no token is given", "g2g nominate on a member prints one; give it as - on standard input, as @FILE or in G2G_TOKEN")
}

// readAll reads a little more than a token could hold. A person may interrupt it.
func readAll(ctx context.Context, r io.Reader) (string, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// Where nobody writes this stays behind until the process ends.
		data, err := io.ReadAll(io.LimitReader(r, maxTokenText+1))
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case read := <-done:
		if errors.Is(read.err, os.ErrClosed) {
			return "", errors.New("read the token: standard input is closed")
		}
		if read.err != nil {
			return "", fmt.Errorf("read the token: %w", read.err)
		}
		return string(read.data), nil
	}
}
