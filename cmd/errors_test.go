package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{errors.New("broken"), exitFailed, "broken"},
		{wrongUsage("bad flag", ""), exitUsage, "bad flag"},
		{fmt.Errorf("node-1: %w", wrongUsage("bad flag", "")), exitUsage, "node-1: bad flag"},
		{status.Error(codes.InvalidArgument, "no such mode"), exitUsage, "no such mode"},
		{status.Error(codes.Unavailable, "acceptor does not answer"), exitUnreachable, "acceptor does not answer"},
		{status.Error(codes.DeadlineExceeded, "too slow"), exitUnreachable, "too slow"},
		{status.Error(codes.PermissionDenied, "token expired 3m ago"), exitRefused, "token expired 3m ago"},
		{status.Error(codes.Unauthenticated, "who are you"), exitRefused, "who are you"},
		{status.Error(codes.NotFound, "no token"), exitNobody, "no token"},
		{status.Error(codes.FailedPrecondition, "has a network"), exitFailed, "has a network"},
		{status.Error(codes.ResourceExhausted, "full"), exitFailed, "full"},
		{status.Error(codes.Unimplemented, "unknown method"), exitFailed, "unknown method"},
		{status.Error(codes.Canceled, "gone"), exitInterrupted, "gone"},
		{fmt.Errorf("join: %w", status.Error(codes.PermissionDenied, "used up")), exitRefused, "join: used up"},
		{context.DeadlineExceeded, exitUnreachable, "context deadline exceeded"},
		{context.Canceled, exitInterrupted, "interrupted"},
		{errInterrupted, exitInterrupted, "interrupted"},
		{fmt.Errorf("open: %w", fs.ErrPermission), exitRefused, "open: permission denied"},
		{&failure{what: "configuration", why: fs.ErrPermission}, exitRefused, "configuration: permission denied"},
		{&failure{why: status.Error(codes.NotFound, "no"), code: exitTimeout}, exitTimeout, "no"},
	} {
		f := explain(c.err)
		if f.code != c.code || f.Error() != c.text {
			t.Errorf("%v: code %d, %q; want %d, %q", c.err, f.code, f.Error(), c.code, c.text)
		}
	}
}

func TestEveryExitCodeHasAMeaning(t *testing.T) {
	text := exitCodesText()
	for _, code := range []int{exitDone, exitFailed, exitUsage, exitUnreachable, exitRefused, exitNobody, exitTimeout, exitInterrupted} {
		if !strings.Contains(text, fmt.Sprintf("\n%5d  ", code)) {
			t.Errorf("g2g help exit-codes says nothing of %d", code)
		}
	}
}

func TestFailedShapesItsWords(t *testing.T) {
	f := failure{what: "join", why: errors.New("refused\x1b[2J"), hint: "ask again", code: exitUsage, usage: true}
	var out, plainErr, colourErr strings.Builder
	term := &terminal{out: &out, err: &plainErr}
	term.Failed(f, "g2g join [TOKEN]", true)
	want := "g2g: error: join: refused\\x1b[2J\ng2g: hint: ask again\nusage: g2g join [TOKEN]\n" +
		`{"error":"join: refused\u001b[2J","hint":"ask again","code":2}` + "\n"
	if plainErr.String() != want || out.Len() > 0 {
		t.Errorf("stderr %q, want %q; stdout %q", plainErr.String(), want, out.String())
	}
	term = &terminal{out: &out, err: &colourErr, colour: true}
	term.Failed(f, "", false)
	if want := "g2g: \x1b[31merror:\x1b[0m join: "; !strings.HasPrefix(colourErr.String(), want) {
		t.Errorf("in colour %q, want %q first", colourErr.String(), want)
	}
}
