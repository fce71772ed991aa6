package view

import (
	"cmp"

	"almenara/node/service"
	"almenara/node/web/console/frame"
)

// Contrary is a card of two alerts in force that contradict each other.
type Contrary struct {
	Why  string // in words
	Says []Saying
}

// Saying is what one of them says.
type Saying struct {
	ID, Headline, Sender, Author, Sent string
	Words                              []string // what to do, how bad, how urgent
}

// Contradictions are the cards, the gravest first, and in words how many pairs have none; "" where all have. A page that shows what is in force shows it also where they cannot be
// told.
func Contradictions(reader service.Reader, q *frame.Request) (out []Contrary, more string) {
	all, err := reader.Contradictions(q.R.Context())
	if err != nil {
		return nil, ""
	}
	for _, found := range all.Contradictions {
		card := Contrary{Why: q.Lang.T("contrary." + found.Why)}
		for _, s := range found.Says {
			one := Saying{ID: s.Alert, Headline: s.Headlines.In(q.Lang.Tag, s.Headline), Sender: cmp.Or(s.From, s.Sender), Author: s.Author, Sent: q.DayTime(s.Sent)}
			for _, r := range s.Response {
				one.Words = append(one.Words, q.Lang.Or("compose.response.", r))
			}
			one.Words = append(one.Words, q.Lang.Or("compose.severity.", s.Severity), q.Lang.Or("compose.urgency.", s.Urgency))
			card.Says = append(card.Says, one)
		}
		out = append(out, card)
	}
	switch {
	case all.AtLeast:
		more = q.Lang.T("contrary.more.least", all.More)
	case all.More > 0:
		more = q.Lang.T("contrary.more", all.More)
	}
	return out, more
}
