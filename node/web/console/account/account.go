package account

import (
	"almenara/node/signin"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type accountPage struct {
	frame.Page
	Roles  []string
	Places []string
	Until  string
	Factor signin.SecondFactor
	Codes  []string // recovery codes, told only once
	Keys   keysPart
	Rows   []passkeyRow
}

func (p pages) accountPage(q *frame.Request) error {
	out, err := p.account(q)
	if err != nil {
		return err
	}
	return q.Show("account", out)
}

func (p pages) account(q *frame.Request) (accountPage, error) {
	out := accountPage{Page: q.Page("account"), Places: q.By().Places, Until: q.DayTime(q.Who.Until), Factor: p.service.NewSecondFactor(*q.Who), Keys: keysOf(q)}
	for _, role := range q.By().Roles {
		out.Roles = append(out.Roles, q.Lang.Or("role.", role))
	}
	var err error
	out.Rows, err = p.rows(q)
	return out, err
}

// changePassword changes the person's own; all sessions end with that.
func (p pages) changePassword(q *frame.Request) error {
	if q.R.PostFormValue("password") != q.R.PostFormValue("again") {
		return wire.Problemf(wire.KindRefused, "%s", q.Lang.T("account.differ")).Because(why.InWords, q.Lang.T("account.differ"))
	}
	if err := p.service.ChangePassword(q.R.Context(), *q.Who, q.R.PostFormValue("old"), q.R.PostFormValue("password"), q.R.RemoteAddr); err != nil {
		return err
	}
	q.DropSession()
	return q.To(frame.Below + "sign-in?changed=1")
}

// setSecondFactor shows the recovery codes; all sessions have ended with that.
func (p pages) setSecondFactor(q *frame.Request) error {
	codes, err := p.service.SetSecondFactor(q.R.Context(), *q.Who, q.Form("secret"), q.Form("code"), q.R.PostFormValue("old"), q.R.RemoteAddr)
	if err != nil {
		return err
	}
	q.DropSession()
	out, err := p.account(q)
	if err != nil {
		return err
	}
	out.Codes = codes
	return q.Show("account", out)
}
