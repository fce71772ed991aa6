package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

// usageError is a command line that makes no sense.
type usageError struct{ err error }

// Error is the sentence.
func (u usageError) Error() string { return u.err.Error() }

// Unwrap is the cause.
func (u usageError) Unwrap() error { return u.err }

// Usagef is the error of a command line that makes no sense.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// ErrNotProven ends a command that did its work and saw less than all proven.
var ErrNotProven = errors.New("not all was proven")

// ErrReported ends a command whose output already says why it failed.
var ErrReported = errors.New("reported")

// ErrNotReady ends a status whose output says that the node is alone or not ready.
var ErrNotReady = errors.New("the node is alone or not ready")

// ErrNoEngine is a program that was put together without a node.
var ErrNoEngine = errors.New("this program was built without a node in it")

// exit prints err as one sentence and returns the exit code.
func (e *Env) exit(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return ExitDone
	case errors.Is(err, errSilentUsage):
		return ExitUsage
	case errors.Is(err, ErrReported):
		return ExitFailed
	case errors.Is(err, ErrNotReady):
		return ExitNotReady
	}
	e.Complain(err)
	switch {
	case errors.As(err, &usage):
		return ExitUsage
	case unknown(err), errors.Is(err, ErrNotProven):
		return ExitUnknown
	}
	return ExitFailed
}

// unknown reports that it is not known whether the thing happened.
func unknown(err error) bool {
	var p *wire.Problem
	return errors.Is(err, client.ErrUnknown) || (errors.As(err, &p) && p.Kind == wire.KindUnknownOutcome)
}

// Complain writes the sentence, and the details of a refusal below it.
func (e *Env) Complain(err error) {
	fmt.Fprintf(e.Err, "almenara: %s\n", terminal.Clean(e.Sentence(err)))
	var p *wire.Problem
	if errors.As(err, &p) {
		for _, detail := range p.Details {
			fmt.Fprintf(e.Err, "  %s\n", terminal.Clean(detail))
		}
	}
}

// Sentence says err for people.
func (e *Env) Sentence(err error) string {
	var p *wire.Problem
	var path *fs.PathError
	switch {
	case errors.As(err, &p) && p.Kind == wire.KindUnauthenticated:
		return e.unidentified(p)
	case errors.As(err, &p):
		return p.Sentence
	case errors.Is(err, client.ErrUnknown):
		return "no answer came, so it is not known whether this happened; look with alert list or status before you repeat it"
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, client.ErrNeedsTLS):
		return e.unreachable(err)
	case errors.Is(err, context.Canceled):
		return "it was interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "the node took too long to answer"
	case errors.As(err, &path):
		return fmt.Sprintf("%s cannot be read: %s", path.Path, path.Err)
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// flagError says what is wrong with the flags of a command, and the nearest name.
func flagError(set *pflag.FlagSet, name string, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return Usagef("%s; see %s --help", strings.ReplaceAll(err.Error(), "\n", " "), name)
	}
	var names []string
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	given := missing.GetSpecifiedName()
	if near := Nearest(given, names); near != "" && len(given) > 1 {
		return Usagef("%s has no flag --%s; did you mean --%s?", name, given, near)
	}
	return Usagef("%s has no flag %s; see %s --help", name, dashed(given), name)
}

func dashed(flag string) string {
	if len(flag) == 1 {
		return "-" + flag
	}
	return "--" + flag
}

// errNotConfirmed ends a command whose question was not answered with the right word.
var errNotConfirmed = errors.New("not confirmed; nothing was changed")
