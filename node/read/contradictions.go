package read

import (
	"cmp"
	"context"
	"slices"

	"almenara/node/alerts"
	"almenara/node/contradictions"
	"almenara/node/wire/caution"
	"almenara/storage/alert"
)

// Contradictions implements service.Reader: the real alerts in force by which two senders tell the same
// people contrary things. What cannot be read is left out: it only points something out.
func (r *Reader) Contradictions(ctx context.Context) ([]caution.Contradiction, error) {
	done, err := r.reading(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	var live []alerts.Live
	var all []contradictions.Alert
	for _, l := range r.book.At(r.clock()).InForce {
		if l.Message.Alert == nil || l.Message.Entry.Status != alert.StatusActual {
			continue
		}
		reach, err := r.addressed.Known(l.Message, l.Also...)
		if err != nil {
			continue
		}
		live = append(live, l)
		all = append(all, contradictions.Alert{
			ID: l.ID, Sender: l.Message.Entry.Key.Sender, Incidents: l.Message.Alert.Incidents, Members: reach.Members, Infos: l.Message.Alert.Infos,
		})
	}
	out := []caution.Contradiction{}
	for _, pair := range contradictions.Find(all) {
		c := caution.Contradiction{Why: string(pair.Why), Says: [2]caution.ContrarySaying{saying(live[pair.A]), saying(live[pair.B])}}
		if c.Says[1].Sent.Before(c.Says[0].Sent) {
			c.Says[0], c.Says[1] = c.Says[1], c.Says[0]
		}
		out = append(out, c)
	}
	return out, nil
}

// saying is what one alert says, to be held against another.
func saying(l alerts.Live) caution.ContrarySaying {
	m := l.Message
	out := caution.ContrarySaying{Alert: string(l.ID), Sender: m.Entry.Key.Sender, Author: m.Issue.Author, Sent: m.Alert.Sent.Time().UTC()}
	for i, info := range m.Alert.Infos {
		if i == 0 {
			out.Headline, out.From, out.Severity, out.Urgency = cmp.Or(info.Headline, info.Event), info.SenderName, info.Severity, info.Urgency
		}
		out.Response = append(out.Response, info.ResponseTypes...)
	}
	slices.Sort(out.Response)
	out.Response = slices.Compact(out.Response)
	return out
}
