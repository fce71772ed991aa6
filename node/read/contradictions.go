package read

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/node/contradictions"
	"almenara/node/wire/caution"
	"almenara/node/wire/headline"
	"almenara/storage/alert"
)

// contrary remembers what was found in what devices were given last: pages ask at every change, each for
// itself, and a district may have a thousand alerts in force.
type contrary struct {
	mu    sync.Mutex
	of    *channels.Situation
	found caution.Contradictions
}

// Contradictions implements service.Reader: the real alerts in force by which two senders tell the same
// people contrary things, as far as devices were given them. What cannot be read is left out: it only points
// something out.
func (r *Reader) Contradictions(ctx context.Context) (caution.Contradictions, error) {
	done, err := r.reading(ctx)
	if err != nil {
		return caution.Contradictions{}, err
	}
	defer done()
	r.contrary.mu.Lock()
	defer r.contrary.mu.Unlock()
	if now := r.presented(); now == nil || now != r.contrary.of {
		r.contrary.of, r.contrary.found = now, r.contradicting(now)
	}
	out := r.contrary.found
	out.Contradictions = slices.Clone(out.Contradictions)
	return out, nil
}

// contradicting finds them; none where devices were given nothing yet.
func (r *Reader) contradicting(now *channels.Situation) caution.Contradictions {
	out := caution.Contradictions{Contradictions: []caution.Contradiction{}}
	if now == nil {
		return out
	}
	var live []channels.Item
	var all []contradictions.Alert
	for _, i := range now.InForce {
		if i.Message == nil || i.Status != alert.StatusActual {
			continue
		}
		live = append(live, i)
		all = append(all, contradictions.Alert{ID: i.Alert, Sender: i.Message.Sender, Sent: i.Message.Sent.Time(), Incidents: i.Message.Incidents, Members: membersOf(i), Infos: i.Message.Infos})
	}
	found := contradictions.Find(all)
	out.More, out.AtLeast = found.More, !found.Exactly
	for _, pair := range found.Pairs {
		c := caution.Contradiction{Why: string(pair.Why), Says: []caution.ContrarySaying{r.saying(live[pair.A]), r.saying(live[pair.B])}}
		if c.Says[1].Sent.Before(c.Says[0].Sent) {
			c.Says[0], c.Says[1] = c.Says[1], c.Says[0]
		}
		out.Contradictions = append(out.Contradictions, c)
	}
	return out
}

// membersOf is whom an item is for.
func membersOf(i channels.Item) *roaring.Bitmap {
	if len(i.Parts) == 1 {
		return i.Parts[0].To
	}
	all := roaring.New()
	for _, p := range i.Parts {
		all.Or(p.To)
	}
	return all
}

// saying is what one alert says, to be held against another.
func (r *Reader) saying(i channels.Item) caution.ContrarySaying {
	out := caution.ContrarySaying{Alert: string(i.Alert), Sender: i.Message.Sender, Sent: i.Message.Sent.Time().UTC(), Headlines: headline.Of(i.Message)}
	if s := r.stories.OnBook(i.Alert); s != nil && s.Current() != nil {
		out.Author = s.Current().Entry.Author
	}
	for n, info := range i.Message.Infos {
		if n == 0 {
			out.Headline, out.From, out.Severity, out.Urgency = cmp.Or(info.Headline, info.Event), info.SenderName, info.Severity, info.Urgency
		}
		out.Response = append(out.Response, info.ResponseTypes...)
	}
	slices.Sort(out.Response)
	out.Response = slices.Compact(out.Response)
	return out
}
