package console

import (
	"slices"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type approvalsPage struct {
	frame.Page
	Rows    []waiting
	May     bool // approve something
	Notices *view.NoticesLine
}

// waiting is an alert that waits for approval.
type waiting struct {
	ID, Headline, Author, Age, Needs string
	Asked                            view.Asked
	Drill, Own, May                  bool
	State                            wire.State
}

// approvals lists what waits for a second person, the longest first.
func (c approvalPages) approvals(q *frame.Request) error {
	alerts, _, err := c.reader.ListAlerts(q.R.Context(), wire.AlertQuery{Waiting: true, Limit: view.MostStanding})
	if err != nil {
		return err
	}
	p := approvalsPage{Page: q.Page("approvals"), May: q.May(authority.Approve)}
	for i := len(alerts) - 1; i >= 0; i-- {
		a := alerts[i]
		authority.MinimalAlert(q.By(), &a)
		w := waiting{ID: a.ID, Headline: a.Headlines.In(q.Lang.Tag, a.Headline), Author: a.Author, Age: q.Lang.Span(q.Now.Sub(a.Sent)), Drill: a.Status != "Actual", Own: a.Author == q.By().Name, May: q.May(authority.Approve), State: a.State}
		if a.Approvals != nil {
			w.Needs, w.Asked = q.Lang.T("approvals.needs", a.Approvals.Needed-len(a.Approvals.Given)), view.AskedNow(q, a.Approvals)
		}
		p.Rows = append(p.Rows, w)
	}
	if p.Notices, err = view.NoticesOf(c.notices, q); err != nil {
		return err
	}
	return q.Show("approvals", p)
}

type approvePage struct {
	frame.Page
	Alert   view.Row
	Pending []pendingMessage
	ByKind  []counted
	ByPlace []counted
	Total   string
}

// pendingMessage is one message that waits, with all that it says.
type pendingMessage struct {
	Digest, Author, At, Why string
	Needed                  int
	Given                   []approvedBy
	Texts                   []wire.MessageText
	Own, May                bool // the person wrote it; may approve it
	Number                  string
	Others                  []string // who may approve it, besides the person
	Asked                   view.Asked
}

type approvedBy struct{ Name, At, Reason, TypedBy string }

func approvedOf(q *frame.Request, g wire.ApprovedBy) approvedBy {
	return approvedBy{g.Name, q.DayTime(g.At), g.Reason, g.TypedBy}
}

func (c approvalPages) approvePage(q *frame.Request) error {
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(c.places, q)
	if err != nil {
		return err
	}
	p := approvePage{Page: q.Page("approve"), Alert: view.RowOf(q, a), Total: view.Show(a.Addressed.Total)}
	p.Path = q.Inside(view.PathOf(a.ID, "approve"))
	for _, n := range a.Addressed.ByKind {
		p.ByKind = append(p.ByKind, counted{q.Lang.Or("kind.", n.Name), view.Show(n.Count)})
	}
	for _, n := range a.Addressed.ByPlace {
		p.ByPlace = append(p.ByPlace, counted{names.Of(n.Name), view.Show(n.Count)})
	}
	for _, m := range a.Messages {
		if !m.Pending {
			continue
		}
		one := pendingMessage{Digest: m.Digest, Author: m.Author, At: q.Lang.Span(q.Now.Sub(m.Accepted)), Texts: m.Texts, Own: m.Author == q.By().Name, Number: grouped(m.Number)}
		if m.Approvals != nil {
			one.Needed = m.Approvals.Needed - len(m.Approvals.Given)
			for _, g := range m.Approvals.Given {
				one.Given = append(one.Given, approvedOf(q, g))
			}
			one.Asked = view.AskedNow(q, m.Approvals)
			one.May = slices.Contains(m.Approvals.MayApprove, q.By().Name)
			one.Others = slices.DeleteFunc(slices.Clone(m.Approvals.MayApprove), func(name string) bool { return name == q.By().Name })
			one.Why = view.DemandOf(q, c.scenarios, m.Approvals.Why)
		}
		p.Pending = append(p.Pending, one)
	}
	return q.Show("approve", p)
}

// approve stands by the message whose digest the page showed, and by no other.
func (c approvalPages) approve(q *frame.Request) error {
	digest := q.Form("digest")
	if digest == "" {
		return wire.Problemf(wire.KindMalformed, "nothing was approved: the form does not say which message was read").Because(why.FormWrong)
	}
	out, err := c.service.ApproveAlert(q.R.Context(), q.By(), q.R.PathValue("id"), wire.Approve{Digest: digest, Reason: q.Form("reason")}, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(view.PathOf(out.Alert) + "?effect=" + string(out.Effect))
}

// LanguageName is what a language is called in itself.
func (approvePage) LanguageName(tag string) string { return view.LanguageName(tag) }
