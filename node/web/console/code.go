package console

import (
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
)

// codePage shows the code with which the person approves one alert by voice.
type codePage struct {
	frame.Page
	Headline, ID        string // of the alert; "" where this node does not have it
	Code, Number, Until string
	For                 string
}

// numberPage asks for the number of an alert that this node does not have.
type numberPage struct {
	frame.Page
}

func (c approvalPages) numberPage(q *frame.Request) error {
	p := numberPage{Page: q.Page("number")}
	p.Path = frame.Below + "approvals/number"
	return q.Show("number", p)
}

// codeOfNumber shows the code for an alert that this node does not have.
func (c approvalPages) codeOfNumber(q *frame.Request) error {
	if q.Form("number") == "" {
		return wire.Problemf(wire.KindMalformed, "the number of eight digits is needed, as it is read out to you").Because(why.NumberWrong, "")
	}
	return c.showCode(q, acts.AskCode{Number: q.Form("number")}, "")
}

// code shows the code for the message whose digest the page showed, and for no other.
func (c approvalPages) code(q *frame.Request) error {
	if q.Form("digest") == "" {
		return wire.Problemf(wire.KindMalformed, "there is no code: the form does not say which message was read").Because(why.FormWrong)
	}
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	return c.showCode(q, acts.AskCode{Alert: a.ID, Digest: q.Form("digest")}, a.Headlines.In(q.Lang.Tag, a.Headline))
}

// showCode makes the code and shows it once.
func (c approvalPages) showCode(q *frame.Request, in acts.AskCode, headline string) error {
	made, err := c.spoken.SpokenCode(q.R.Context(), q.By(), in)
	if err != nil {
		return err
	}
	p := codePage{Page: q.Page("code"), Headline: headline, ID: in.Alert, Code: grouped(made.Code), Number: grouped(made.Number), Until: q.ClockTime(made.Until), For: made.For}
	p.Path = frame.Below + "approvals"
	return q.Show("code", p)
}

// approveSpoken approves the message whose digest the page showed, in the name of whoever read out the
// code.
func (c approvalPages) approveSpoken(q *frame.Request) error {
	if q.Form("digest") == "" {
		return wire.Problemf(wire.KindMalformed, "nothing was approved: the form does not say which message was read").Because(why.FormWrong)
	}
	out, err := c.spoken.ApproveSpoken(q.R.Context(), q.By(), q.R.PathValue("id"),
		acts.TypeApproval{For: q.Form("for"), Code: q.Form("code"), Digest: q.Form("digest"), Reason: q.Form("reason")}, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(view.PathOf(out.Alert) + "?effect=" + string(out.Effect))
}

// grouped is a number in two halves, as it is read out.
func grouped(digits string) string {
	half := len(digits) / 2
	return digits[:half] + " " + digits[half:]
}
