package command

import (
	"crypto/sha256"
	"fmt"
	"unicode/utf8"
)

const hashLen = sha256.Size

// maxID bounds ids, which become keys of the store.
const maxID = 128

func checkCount(what string, n, limit int) error {
	if n > limit {
		return fmt.Errorf("%w: %d %s, at most %d", ErrTooLarge, n, what, limit)
	}
	return nil
}

// checkID accepts 1 to 128 printable ASCII characters without space.
func checkID(what, id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("%w: %s id of %d bytes", ErrMalformed, what, len(id))
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("%w: %s id %q", ErrMalformed, what, id)
		}
	}
	return nil
}

// checkName accepts any text of 1 to MaxText bytes without control characters.
func checkName(what, name string) error {
	if name == "" || len(name) > MaxText || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %s name of %d bytes", ErrMalformed, what, len(name))
	}
	for _, c := range name {
		if c < ' ' {
			return fmt.Errorf("%w: %s name %q", ErrMalformed, what, name)
		}
	}
	return nil
}

func checkTexts(texts ...string) error {
	for _, s := range texts {
		if len(s) > MaxText {
			return fmt.Errorf("%w: text of %d bytes", ErrTooLarge, len(s))
		}
	}
	return nil
}

func checkHash(h []byte) error {
	if len(h) != hashLen {
		return fmt.Errorf("%w: hash of %d bytes", ErrMalformed, len(h))
	}
	return nil
}
