package console

import (
	"cmp"
	"slices"
	"strconv"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

type alertPage struct {
	frame.Page
	Alert     view.Row
	Effect    string // what sending it just now did, in words; "" where nothing was sent
	Sent      string // what the page sounds for that; "" where nobody is warned by it
	Texts     []wire.MessageText
	Groups    []group
	Missing   string // how many have not presented it, in words
	History   []message
	Approved  []approvedBy
	Waits     string
	Twins     []twin // other alerts that may be about the same
	Counts    string // whose knowledge the counts are
	Told      string // how many of Missing were told by a person; "" where nobody was
	Reminder  remindForm
	Follows   *view.Follows
	Reports   *view.ReportsLine
	Residents *view.ReportsLine // who answered by the code beside it
}

// twin is another alert: somebody else may have pressed at another node at the same moment.
type twin struct{ ID, Headline, Says string }

// twinsOf are the alerts of the ids, with what tells them apart.
func (c alertPages) twinsOf(q *frame.Request, ids []string) (out []twin, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	open, _, err := c.reader.ListAlerts(q.R.Context(), wire.AlertQuery{Open: true, Limit: view.MostStanding})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		one := twin{ID: id, Headline: id}
		for _, a := range open {
			if a.ID == id {
				authority.MinimalAlert(q.By(), &a)
				one.Headline, one.Says = a.Headlines.In(q.Lang.Tag, cmp.Or(a.Headline, id)), a.Author+" · "+q.DayTime(a.Sent)
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// group is who was reached in one block.
type group struct {
	Place, Kind                string
	Queued, Presented, Missing string
	Complete                   bool
}

type message struct {
	Type, At, Author, Headline, Reason string
	Pending                            bool
}

// whole reads one alert as the person may see it.
func whole(reader service.Reader, q *frame.Request) (wire.Alert, error) {
	a, err := reader.ShowAlert(q.R.Context(), q.R.PathValue("id"))
	if err != nil {
		return a, err
	}
	authority.MinimalAlert(q.By(), &a)
	return a, nil
}

// current is the message that is shown, else the newest that has texts.
func current(a wire.Alert) wire.Message {
	var found wire.Message
	for _, m := range a.Messages {
		if len(m.Texts) > 0 && (!m.Pending || len(found.Texts) == 0) {
			found = m
		}
	}
	return found
}

func (c alertPages) alert(q *frame.Request) error {
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(c.places, q)
	if err != nil {
		return err
	}
	p := alertPage{Page: q.Page("alert"), Alert: view.RowOf(q, a), Texts: current(a).Texts, Counts: q.Lang.T("counts." + string(a.CountsFrom))}
	p.Title, p.Path = p.Alert.Headline, q.Inside(view.PathOf(a.ID))
	if p.Twins, err = c.twinsOf(q, a.Duplicates); err != nil {
		return err
	}
	p.Missing = q.Lang.T("alert.unreached", a.Rungs.Queued-min(a.Rungs.Presented, a.Rungs.Queued))
	if p.Alert.Waits {
		p.Missing = p.Alert.Reached
	}
	p.Reminder, p.Follows = remindFormOf(q, a), p.Alert.Follows
	if p.Reports, err = view.ReportsOf(c.reported, q, a.ID); err != nil {
		return err
	}
	if p.Residents, err = view.ResidentsOf(c.residents, q, a.ID); err != nil {
		return err
	}
	if a.Told > 0 {
		p.Told = q.Lang.T("alert.told", a.Told)
	}
	if effect := q.R.URL.Query().Get("effect"); q.Lang.Has("effect." + effect) {
		p.Effect = q.Lang.T("effect." + effect)
		if q.R.URL.Query().Get("again") == "true" {
			p.Effect = q.Lang.T("effect.again")
		} else if effect == string(wire.EffectWarns) || effect == corrected {
			p.Sent = p.Alert.Tone
		}
	}
	if a.Approvals != nil {
		for _, g := range a.Approvals.Given {
			p.Approved = append(p.Approved, approvedOf(q, g))
		}
		if wait := a.Approvals.Needed - len(a.Approvals.Given); wait > 0 && a.State == wire.StatePending {
			p.Waits = q.Lang.T("alert.waits", wait)
		}
	}
	for _, g := range a.ByGroup {
		missing := g.Rungs.Queued - min(g.Rungs.Presented, g.Rungs.Queued)
		p.Groups = append(p.Groups, group{
			Place: names.Of(g.Place), Kind: q.Lang.Or("kind.", g.Kind), Queued: view.Show(g.Rungs.Queued), Presented: view.Show(g.Rungs.Presented),
			Missing: view.Show(missing), Complete: missing == 0,
		})
	}
	for _, m := range a.Messages {
		p.History = append(p.History, message{q.Lang.Or("message.", m.MsgType), q.DayTime(m.Accepted), m.Author, m.Headlines.In(q.Lang.Tag, m.Headline), m.Reason, m.Pending})
	}
	slices.Reverse(p.History)
	return q.Show("alert", p)
}

type endPage struct {
	frame.Page
	Alert view.Row
}

func (c alertPages) endPage(q *frame.Request) error {
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	p := endPage{Page: q.Page("end"), Alert: view.RowOf(q, a)}
	p.Path = q.Inside(view.PathOf(a.ID, "end"))
	return q.Show("end", p)
}

// end ends the alert everywhere. No approval is ever needed.
func (c alertPages) end(q *frame.Request) error {
	out, err := c.alerts.CancelAlert(q.R.Context(), q.By(), q.R.PathValue("id"), wire.CancelAlert{Reason: q.Form("reason")}, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(view.PathOf(out.Alert) + "?effect=" + string(out.Effect) + "&again=" + strconv.FormatBool(out.Duplicate))
}

// LanguageName is what a language is called in itself.
func (alertPage) LanguageName(tag string) string { return view.LanguageName(tag) }
