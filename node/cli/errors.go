package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"almenara/node/client"
	"almenara/node/wire"
)

// usageError is a command line that makes no sense.
type usageError struct{ err error }

// Error is the sentence.
func (u usageError) Error() string { return u.err.Error() }

// Unwrap is the cause.
func (u usageError) Unwrap() error { return u.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errNotProven ends a command that did its work and saw less than all proven.
var errNotProven = errors.New("not all was proven")

// errReported ends a command whose output already says why it failed.
var errReported = errors.New("reported")

// exit prints err as one sentence and returns the exit code.
func (e *env) exit(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return ExitDone
	case errors.Is(err, errSilentUsage):
		return ExitUsage
	case errors.Is(err, errReported):
		return ExitFailed
	}
	e.complain(err)
	switch {
	case errors.As(err, &usage):
		return ExitUsage
	case unknown(err), errors.Is(err, errNotProven):
		return ExitUnknown
	}
	return ExitFailed
}

// unknown reports that it is not known whether the thing happened.
func unknown(err error) bool {
	var p *wire.Problem
	return errors.Is(err, client.ErrUnknown) || (errors.As(err, &p) && p.Kind == wire.KindUnknownOutcome)
}

// complain writes the sentence, and the details of a refusal below it.
func (e *env) complain(err error) {
	fmt.Fprintf(e.Err, "almenara: %s\n", clean(e.sentence(err)))
	var p *wire.Problem
	if errors.As(err, &p) {
		for _, detail := range p.Details {
			fmt.Fprintf(e.Err, "  %s\n", clean(detail))
		}
	}
}

// sentence says err for people.
func (e *env) sentence(err error) string {
	var p *wire.Problem
	var path *fs.PathError
	switch {
	case errors.As(err, &p) && p.Kind == wire.KindUnauthenticated:
		return p.Sentence + "; give --token, ALMENARA_TOKEN or --data"
	case errors.As(err, &p):
		return p.Sentence
	case errors.Is(err, client.ErrUnknown):
		return "no answer came, so it is not known whether this happened; look with alert list or status before you repeat it"
	case errors.Is(err, client.ErrUnreachable):
		return fmt.Sprintf("no node answers at %s (%s); give the address with --api", e.global.api, reason(err))
	case errors.Is(err, context.Canceled):
		return "it was interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "the node took too long to answer"
	case errors.As(err, &path):
		return fmt.Sprintf("%s cannot be read: %s", path.Path, path.Err)
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// reason is the innermost cause of a failed connection.
func reason(err error) string {
	var number syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &dns):
		return "no such host"
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+1:]
}

// flagError says what is wrong with the flags of a command, and the nearest name.
func flagError(set *pflag.FlagSet, name string, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return usagef("%s; see %s --help", strings.ReplaceAll(err.Error(), "\n", " "), name)
	}
	var names []string
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	given := missing.GetSpecifiedName()
	if near := nearest(given, names); near != "" && len(given) > 1 {
		return usagef("%s has no flag --%s; did you mean --%s?", name, given, near)
	}
	return usagef("%s has no flag %s; see %s --help", name, dashed(given), name)
}

func dashed(flag string) string {
	if len(flag) == 1 {
		return "-" + flag
	}
	return "--" + flag
}
