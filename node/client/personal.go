package client

import (
	"context"

	"almenara/node/wire/personal"
)

// Personal is what is known of persons.
type Personal struct{ *connection }

// ShowPerson is what erasing a member would take away.
func (c Personal) ShowPerson(ctx context.Context, id string) (out personal.Person, err error) {
	err = c.call(ctx, request{method: "GET", path: path("persons", id)}, nil, &out)
	return out, err
}

// ErasePerson erases a person for good, on somebody's word.
func (c Personal) ErasePerson(ctx context.Context, id, word string) (out personal.Erasure, err error) {
	err = c.call(ctx, request{method: "POST", path: path("persons", id, "erase")}, personal.Erase{Member: id, Word: word}, &out)
	return out, err
}

// ListErasures lists the persons who were erased, by their pseudonyms.
func (c Personal) ListErasures(ctx context.Context) (out personal.Erasures, err error) {
	err = c.call(ctx, request{method: "GET", path: path("erasures")}, nil, &out)
	return out, err
}

// ShowRetention is how long what is known of people is kept.
func (c Personal) ShowRetention(ctx context.Context) (out personal.Kept, err error) {
	err = c.call(ctx, request{method: "GET", path: path("retention")}, nil, &out)
	return out, err
}

// PutRetention sets how long what is known of people is kept.
func (c Personal) PutRetention(ctx context.Context, in personal.Retention) (out personal.Kept, err error) {
	err = c.call(ctx, request{method: "PUT", path: path("retention")}, in, &out)
	return out, err
}
