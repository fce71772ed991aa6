package intake

import (
	"time"

	"almenara/cluster/agreed"
	"almenara/node/alerts"
	"almenara/node/alone"
	"almenara/node/authority"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience/lookup"
)

// RulesOptions say what rules read of a node. None may be nil.
type RulesOptions struct {
	Book     *alerts.Book
	Agreed   func() (agreed.Authority, error)
	Audience func() *lookup.Index
	Users    func() ([]storage.User, error)
	Sender   func() string // the district's own CAP sender
	Alone    func() alone.State
	Clock    func() time.Time
}

// Rules are the rules over what a node knows.
func Rules(o RulesOptions) *authority.Rules {
	return authority.New(authority.Sources{
		Agreed: o.Agreed, Audience: o.Audience, Clock: o.Clock, Sender: o.Sender,
		Users: o.Users,
		Alone: func() authority.Loneliness {
			s := o.Alone()
			return authority.Loneliness{Alone: s.Alone, Since: s.Since, Age: s.Age}
		},
		Recent: func(author string, status alert.Status, since time.Time) (out []authority.Message) {
			for _, m := range o.Book.Recent(author, status, since, o.Clock()) {
				out = append(out, said(m))
			}
			return out
		},
		Heard: func(sender, author string) bool { return o.Book.Heard(sender, author) },
	})
}
