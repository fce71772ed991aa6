// Package coded makes errors whose sentence has a code: the text is for programs and the command line, the code
// with its values lets pages say the same in another language. No text is ever read for it. Every layer may use
// it; it imports nothing.
package coded

import (
	"errors"
	"fmt"
)

// Saying is an error with the code of its sentence and what fills it in, in order. A value may be an error that
// is one, too.
type Saying interface {
	error
	Saying() (code string, with []any)
}

// Error is what Errorf and New make.
type Error struct {
	code string
	with []any
	err  error
}

// Errorf is fmt.Errorf with the code of the format; its values are args. They must not change afterwards.
func Errorf(code, format string, args ...any) error {
	return &Error{code: code, with: args, err: fmt.Errorf(format, args...)}
}

// New is errors.New with the code of the text.
func New(code, text string) error { return &Error{code: code, err: errors.New(text)} }

// Error is the text.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap is what Errorf was given with %w.
func (e *Error) Unwrap() error { return e.err }

// Saying implements Saying.
func (e *Error) Saying() (code string, with []any) { return e.code, e.with }

// Word is a value for which pages have a text of their own.
type Word string

// Kind is the kind of a member or device, for which pages have a text where it is one of the usual.
type Kind string

// Find is the first error of the chain that has a code; nil where none has.
func Find(err error) Saying {
	found, _ := errors.AsType[Saying](err)
	return found
}
