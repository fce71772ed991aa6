package stories

import (
	"fmt"

	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

// Facts are the facts in the log; *agreed.Reader has them.
type Facts interface {
	HasFact(id fact.ID) (bool, error)
	Fact(id fact.ID) (signed fact.Signed, ok bool, err error)
}

// Texts has the messages that are in the log. It implements alerts.Texts for the book, which
// is made before the log is open: the function gives the log from then on, and is not called
// before anything is on the book.
type Texts func() Facts

// Has implements alerts.Texts. What cannot be read counts as not there.
func (t Texts) Has(id string) bool {
	parsed, err := factID(id)
	if err != nil {
		return false
	}
	has, err := t().HasFact(parsed)
	return err == nil && has
}

// Issue implements alerts.Texts.
func (t Texts) Issue(id string) (*factbody.Issue, error) {
	parsed, err := factID(id)
	if err != nil {
		return nil, err
	}
	signed, ok, err := t().Fact(parsed)
	if err != nil || !ok {
		return nil, err
	}
	f, err := signed.Fact()
	if err != nil {
		return nil, fmt.Errorf("reading fact %s: %w", id, err)
	}
	issue, err := factbody.DecodeIssue(f.Body)
	if err != nil {
		return nil, fmt.Errorf("reading fact %s: %w", id, err)
	}
	return &issue, nil
}
