package cmd

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Exit codes. They are a contract with scripts: `g2g help exit-codes` is written from exitMeanings.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitRefused     = 4
	exitNobody      = 5
	exitTimeout     = 6
	exitUnhealthy   = 7
	exitInterrupted = 130
)

var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitDone, "done, or the condition holds"},
	{exitFailed, "failed"},
	{exitUsage, "wrong usage, or no terminal where one is needed"},
	{exitUnreachable, "a node could not be reached: none runs in the folder, it does not answer in time, or the acceptor of a join does not"},
	{exitRefused, "refused: TLS, token or permission"},
	{exitNobody, "no such peer, or a filter matched nobody"},
	{exitTimeout, "`g2g wait` ran out of time"},
	{exitUnhealthy, "`g2g cert check` found a leaf that ends soon, or `g2g doctor` a problem"},
	{exitInterrupted, "interrupted"},
}

// errInterrupted is the cause that Main cancels with when a signal asks to stop.
var errInterrupted = errors.New("interrupted")

// A failure is an error with what a person should read about it.
type failure struct {
	what  string // what was being done; empty for the command's own name
	why   error
	hint  string // the next thing to try; may be empty
	code  int    // 0: as codeOf judges why
	usage bool   // the usage line is shown too
	mute  bool   // only the exit code speaks
}

func (f *failure) Error() string {
	if f.what == "" {
		return reason(f.why)
	}
	return f.what + ": " + reason(f.why)
}

func (f *failure) Unwrap() error { return f.why }

// wrongUsage is an error in how g2g was called.
func wrongUsage(why string, hint string) error {
	return &failure{why: errors.New(why), hint: hint, code: exitUsage, usage: true}
}

// explain makes a failure of any error. What is wrapped round a failure stays in the text, and the failure's hint holds.
func explain(err error) failure {
	told := failure{why: err}
	if f, ok := errors.AsType[*failure](err); ok {
		told = *f
		if err.Error() != f.Error() {
			told.what, told.why = "", err
		}
	}
	if told.code == 0 {
		told.code = codeOf(told.why)
	}
	return told
}

// codeOf is the one place where errors become exit codes.
func codeOf(err error) int {
	if f, ok := errors.AsType[*failure](err); ok && f.code != 0 {
		return f.code
	}
	if code, known := nodeCode(err); known {
		return code
	}
	if reply, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return statusCode(reply.GRPCStatus().Code())
	}
	switch {
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return exitUnreachable
	case errors.Is(err, fs.ErrPermission):
		return exitRefused
	}
	return exitFailed
}

// statusCode is the exit code for what the node answered over the admin socket.
func statusCode(code codes.Code) int {
	switch code {
	case codes.OK:
		return exitDone
	case codes.InvalidArgument:
		return exitUsage
	case codes.Unavailable, codes.DeadlineExceeded:
		return exitUnreachable
	case codes.PermissionDenied, codes.Unauthenticated:
		return exitRefused
	case codes.NotFound:
		return exitNobody
	case codes.Canceled:
		return exitInterrupted
	}
	return exitFailed
}

// reason is an error's text without the wrapping that gRPC puts round it.
func reason(err error) string {
	text := err.Error()
	reply, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err)
	if ok {
		text = strings.Replace(text, reply.Error(), reply.GRPCStatus().Message(), 1)
	}
	if errors.Is(err, context.Canceled) && text == context.Canceled.Error() {
		return errInterrupted.Error()
	}
	return text
}
