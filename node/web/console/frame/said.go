package frame

import (
	"almenara/node/web/console/said"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Said is what the node says to a person, and in which language where that is not the page's own. Detail
// is what it says of the one case besides, likewise, and Points are all that is wrong, where that is more than
// one thing.
type Said struct {
	Text, Tag, Detail, DetailTag string
	Points                       []Point
}

// Point is one of several things that the node says, likewise.
type Point = said.Point

// reader is the person.
func (q *Request) reader() said.Reader { return said.Reader{Lang: q.Lang, Zone: q.frame.opts.Zone} }

// Said is why something was refused, in the person's language where the reason has a text, and else the
// node's sentence, in English.
func (q *Request) Said(p *wire.Problem) Said {
	if p == nil {
		return Said{}
	}
	is := q.reader().Because(p.Sentence, p.Why)
	return Said{is.Text, is.Tag, is.Detail, is.DetailTag, q.Sentences(p.Why.Points)}
}

// Say says one thing that is pointed out to a person, and Sentences several, likewise.
func (q *Request) Say(s why.Sentence) Point            { return q.reader().Say(s) }
func (q *Request) Sentences(all why.Sentences) []Point { return q.reader().Sentences(all) }
