package account

import (
	"time"

	"almenara/node/signin"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// start goes to the page that a person uses first.
func (p pages) start(q *frame.Request) error {
	if q.May("send") {
		return q.To(frame.Below + "wall")
	}
	return q.To(frame.Below + "now")
}

type signInPage struct {
	frame.Page
	Next, Name string
	Wrong      string // what was wrong, in words; "" at first
	Changed    bool   // the password was changed just now
	Keys       keysPart
}

func (p pages) signInPage(q *frame.Request) error {
	if q.Who != nil {
		return q.To(q.Inside(q.R.URL.Query().Get("next")))
	}
	return q.Show("sign-in", signInPage{Page: q.Page("sign-in"), Next: q.Inside(q.R.URL.Query().Get("next")), Changed: q.R.URL.Query().Get("changed") != "", Keys: keysOf(q)})
}

func (p pages) signIn(q *frame.Request) error {
	return p.begin(q, signin.Attempt{Name: q.Form("name"), Password: q.R.PostFormValue("password"), Code: q.Form("code"), Address: q.R.RemoteAddr})
}

// begin begins a session, or shows the page again with what was wrong.
func (p pages) begin(q *frame.Request, a signin.Attempt) error {
	next := q.Inside(q.Form("next"))
	begun, err := p.service.Begin(q.R.Context(), a)
	if problem, ok := err.(*wire.Problem); ok {
		data := signInPage{Page: q.Page("sign-in"), Next: next, Name: a.Name, Wrong: q.Lang.T("sign-in.wrong." + problem.Kind), Keys: keysOf(q)}
		if a.Passkey != "" || !q.Lang.Has("sign-in.wrong."+problem.Kind) {
			data.Wrong = q.Said(problem).Text
		}
		if problem.RetryAfter > 0 {
			data.Wrong += " " + q.Lang.T("sign-in.wait", q.Lang.Span(time.Duration(problem.RetryAfter)*time.Second))
		}
		return q.ShowAs(wire.HTTPStatus(problem.Kind), "sign-in", data)
	}
	if err != nil {
		return err
	}
	q.KeepSession(begun)
	return q.To(next)
}

type firstPage struct {
	frame.Page
	Wrong string
}

func (p pages) firstPage(q *frame.Request) error {
	return q.Show("first", firstPage{Page: q.Page("first")})
}

// first takes a token and sets the first password of its user.
func (p pages) first(q *frame.Request) error {
	wrong := func(p *wire.Problem) error {
		return q.ShowAs(wire.HTTPStatus(p.Kind), "first", firstPage{q.Page("first"), q.Said(p).Text})
	}
	password := q.R.PostFormValue("password")
	if password != q.R.PostFormValue("again") {
		return wrong(wire.Problemf(wire.KindRefused, "%s", q.Lang.T("account.differ")).Because(why.InWords, q.Lang.T("account.differ")))
	}
	name, err := p.service.First(q.R.Context(), q.Form("token"), password, q.R.RemoteAddr)
	if problem, ok := err.(*wire.Problem); ok {
		return wrong(problem)
	}
	if err != nil {
		return err
	}
	begun, err := p.service.Begin(q.R.Context(), signin.Attempt{Name: name, Password: password, Address: q.R.RemoteAddr})
	if err != nil {
		return q.To(frame.Below + "sign-in?changed=1")
	}
	q.KeepSession(begun)
	return q.To(frame.Below)
}

func (p pages) signOut(q *frame.Request) error {
	err := p.service.End(q.R.Context(), *q.Who)
	q.DropSession()
	if err != nil {
		return err // it has ended here; the problem says that other nodes do not know yet
	}
	return q.To(frame.Below + "sign-in")
}

func (p pages) signOutEverywhere(q *frame.Request) error {
	if err := p.service.EndAll(q.R.Context(), *q.Who); err != nil {
		return err
	}
	q.DropSession()
	return q.To(frame.Below + "sign-in")
}
