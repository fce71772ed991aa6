package afteraction

import (
	"time"

	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/storage/audience"
)

// The times within which a drill is held to have reached people.
const (
	soon     = 10 * time.Second
	atLatest = time.Minute
)

// begunStanding is when the first message of the alert might be shown; zero: none yet.
func begunStanding(messages []message) (at time.Time) {
	for _, m := range messages {
		if !m.stood.IsZero() && (at.IsZero() || m.stood.Before(at)) {
			at = m.stood
		}
	}
	return at
}

// byEstate adds how fast each estate was reached since then.
func (r *Reporter) byEstate(out *wire.Report, t *told, since time.Time) {
	out.Estates = []able.Score{}
	index := r.o.Audience()
	for _, estate := range index.Groups(audience.EstateDepth) {
		estate.And(t.everybody)
		if estate.IsEmpty() {
			continue
		}
		e := able.Score{Place: index.Count(estate, audience.EstateDepth).ByPlace[0].Name, Of: estate.GetCardinality()}
		for it := estate.Iterator(); it.HasNext(); {
			m, ok := t.first[it.Next()]
			if !ok || since.IsZero() {
				continue
			}
			if took := m.at.Sub(since); took <= atLatest {
				e.Minute++
				if took <= soon {
					e.TenSeconds++
				}
			}
		}
		out.Estates = append(out.Estates, e)
	}
}
