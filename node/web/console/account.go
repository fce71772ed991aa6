package console

import (
	"almenara/node/signin"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

type accountPage struct {
	frame.Page
	Roles  []string
	Places []string
	Until  string
	Factor signin.SecondFactor
	Codes  []string // recovery codes, told only once
}

func (c signInPages) accountPage(q *frame.Request) error {
	return q.Show("account", c.account(q))
}

func (c signInPages) account(q *frame.Request) accountPage {
	p := accountPage{Page: q.Page("account"), Places: q.By().Places, Until: q.DayTime(q.Who.Until), Factor: c.service.NewSecondFactor(*q.Who)}
	for _, role := range q.By().Roles {
		p.Roles = append(p.Roles, q.Lang.Or("role.", role))
	}
	return p
}

// changePassword changes the person's own; all sessions end with that.
func (c signInPages) changePassword(q *frame.Request) error {
	if q.R.PostFormValue("password") != q.R.PostFormValue("again") {
		return wire.Problemf(wire.KindRefused, "%s", q.Lang.T("account.differ"))
	}
	if err := c.service.ChangePassword(q.R.Context(), *q.Who, q.R.PostFormValue("old"), q.R.PostFormValue("password"), q.R.RemoteAddr); err != nil {
		return err
	}
	q.DropSession()
	return q.To(Below + "sign-in?changed=1")
}

// setSecondFactor shows the recovery codes; all sessions have ended with that.
func (c signInPages) setSecondFactor(q *frame.Request) error {
	codes, err := c.service.SetSecondFactor(q.R.Context(), *q.Who, q.Form("secret"), q.Form("code"), q.R.PostFormValue("old"), q.R.RemoteAddr)
	if err != nil {
		return err
	}
	q.DropSession()
	p := c.account(q)
	p.Codes = codes
	return q.Show("account", p)
}
