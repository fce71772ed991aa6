// Package refusal carries why the state machine refused a command from the node that applied it to the one
// that proposed it: a code with its values (storage/coded), beside the sentence. It is part of the answer
// alone, never of what is agreed. It may import nothing of ours but storage/coded.
package refusal

import (
	"errors"
	"reflect"

	"almenara/storage/coded"
)

// Refusal is a code and what fills its sentence in. A node that does not know the code shows the sentence.
type Refusal struct {
	Code string  `cbor:"1,keyasint"`
	With []Value `cbor:"2,keyasint,omitempty"`
}

// Value is one value of a sentence: a number where Number is set, and else its text, which for an error that
// has a code is the sentence of Why.
type Value struct {
	Text   string   `cbor:"1,keyasint,omitempty"`
	Number *int64   `cbor:"2,keyasint,omitempty"`
	Sort   Sort     `cbor:"3,keyasint,omitempty"`
	Why    *Refusal `cbor:"4,keyasint,omitempty"`
}

// Sort says of which of the types of storage/coded a text is. What is not known is a plain text.
type Sort uint8

// The sorts of text.
const (
	Plain Sort = iota
	Word
	Kind
	Error
)

// deepest is how many errors may stand in each other with their codes: answers are decoded only to a depth.
const deepest = 3

// Errorf makes an error with the code of its sentence; "" is none.
func Errorf(code, format string, args ...any) error { return coded.Errorf(code, format, args...) }

// Of is the refusal for an error; nil where the error has no code.
func Of(err error) *Refusal { return within(err, deepest) }

func within(err error, depth int) *Refusal {
	found := coded.Find(err)
	if found == nil || depth == 0 {
		return nil
	}
	code, with := found.Saying()
	if code == "" {
		return nil
	}
	out := &Refusal{Code: code}
	for _, v := range with {
		out.With = append(out.With, value(v, depth))
	}
	return out
}

func value(v any, depth int) Value {
	switch v := v.(type) {
	case coded.Word:
		return Value{Text: string(v), Sort: Word}
	case coded.Kind:
		return Value{Text: string(v), Sort: Kind}
	case error:
		return Value{Text: v.Error(), Sort: Error, Why: within(v, depth-1)}
	}
	var n int64
	switch is := reflect.ValueOf(v); {
	case is.CanInt():
		n = is.Int()
	case is.CanUint():
		n = int64(is.Uint()) // counts and versions
	case is.Kind() == reflect.String:
		return Value{Text: is.String()}
	default:
		return Value{}
	}
	return Value{Number: &n}
}

// As is the error with a text; it has the code where there is a refusal.
func (r *Refusal) As(text string) error {
	if r == nil {
		return errors.New(text)
	}
	return &said{r, text}
}

// Said is why an error refuses, for pages: with the code that the state machine gave it, and else the text alone.
func Said(err error, text string) error {
	if found := coded.Find(err); found != nil {
		return found
	}
	return errors.New(text)
}

// said is a refusal as an error.
type said struct {
	why  *Refusal
	text string
}

// Error is the sentence.
func (s *said) Error() string { return s.text }

// Saying implements coded.Saying.
func (s *said) Saying() (code string, with []any) {
	for _, v := range s.why.With {
		switch {
		case v.Number != nil:
			with = append(with, *v.Number)
		case v.Sort == Word:
			with = append(with, coded.Word(v.Text))
		case v.Sort == Kind:
			with = append(with, coded.Kind(v.Text))
		case v.Sort == Error:
			with = append(with, v.Why.As(v.Text))
		default:
			with = append(with, v.Text)
		}
	}
	return s.why.Code, with
}
