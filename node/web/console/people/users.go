package people

import (
	"errors"
	"slices"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type peoplePage struct {
	frame.Page
	Users   []user
	Revoked []user
	Roles   []choice // that may be given
	Places  []choice
	Filled  filled
	Wrong   frame.Said // why nobody was added
	Change  bool       // whether the person may add users
}

// filled is what the form holds that was sent and not taken.
type filled struct {
	Name, Senders string
	System        bool
}

// user is one line of the list.
type user struct {
	Path, Name string
	Facts      []fact
	Revoked    bool
	System     bool
	Self       bool
}

// fact is one thing that is known of somebody.
type fact struct{ Label, Value string }

func (p pages) people(q *frame.Request) error {
	out, err := p.list(q)
	if err != nil {
		return err
	}
	return q.Show("people", out)
}

func (p pages) list(q *frame.Request) (peoplePage, error) {
	out := peoplePage{Page: q.Page("people"), Change: q.May(authority.ChangeUsers)}
	out.Path = q.Inside(frame.Below + "people")
	users, err := p.s.Users.ListUsers(q.R.Context())
	if err != nil {
		return out, err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return out, err
	}
	for _, u := range users {
		line := lineOf(q, u, names)
		if u.Revoked {
			out.Revoked = append(out.Revoked, line)
		} else {
			out.Users = append(out.Users, line)
		}
	}
	out.Roles = rolesToChoose(q, q.R.PostForm["role"])
	out.Places, err = p.placesToChoose(q, q.R.PostForm["place"]...)
	return out, err
}

func rolesToChoose(q *frame.Request, chosen []string) (out []choice) {
	for _, role := range authority.Roles() {
		out = append(out, choice{role, q.Lang.Or("role.", role), slices.Contains(chosen, role)})
	}
	return out
}

func lineOf(q *frame.Request, u wire.User, names view.PlaceNames) user {
	line := user{Path: pathOf("people", u.Name), Name: u.Name, System: u.System, Revoked: u.Revoked, Self: q.Who != nil && u.Name == q.By().Name}
	var roles, places []string
	for _, role := range u.Roles {
		roles = append(roles, q.Lang.Or("role.", role))
	}
	for _, place := range u.Places {
		places = append(places, names.Of(place))
	}
	if len(places) == 0 {
		places = []string{q.Lang.T("people.everywhere")}
	}
	line.Facts = []fact{{q.Lang.T("people.roles"), strings.Join(roles, q.Lang.T("layout.list"))}, {q.Lang.T("people.where"), strings.Join(places, q.Lang.T("layout.list"))}}
	if len(u.Senders) > 0 {
		line.Facts = append(line.Facts, fact{q.Lang.T("people.senders.short"), strings.Join(u.Senders, q.Lang.T("layout.list"))})
	}
	switch {
	case u.Assumed:
		line.Facts = append(line.Facts, fact{q.Lang.T("people.kind"), q.Lang.T("people.kind.assumed")})
	case u.System:
		line.Facts = append(line.Facts, fact{q.Lang.T("people.kind"), q.Lang.T("people.kind.system")})
	}
	return line
}

// add adds a user and shows the token, which is told only here; the page again where that was refused.
func (p pages) add(q *frame.Request) error {
	in := wire.AddUser{
		Name: q.Form("name"), Roles: q.R.PostForm["role"], Places: q.R.PostForm["place"], Senders: words(q.Form("senders")), System: q.Form("system") != "",
	}
	added, err := p.s.Users.AddUser(q.R.Context(), q.By(), in)
	if problem, ok := err.(*wire.Problem); ok {
		out, err := p.list(q)
		if err != nil {
			return err
		}
		out.Wrong, out.Filled = q.Said(problem), filled{in.Name, strings.Join(in.Senders, " "), in.System}
		return q.ShowAs(wire.HTTPStatus(problem.Kind), "people", out)
	}
	if err != nil {
		return err
	}
	out, err := p.one(q, added)
	if err != nil {
		return err
	}
	out.Token = added.Token
	return q.Show("person", out)
}

type personPage struct {
	frame.Page
	Person  user
	Version string   // of what the person is and may do, as it is shown
	Roles   []choice // that may be given, those that the person has chosen
	Places  []choice
	Token   string     // told only once
	Done    string     // what was done just now
	Wrong   frame.Said // why it was not
	Change  bool
	Address string // of the page on which a token becomes a password
	Word    string // to be typed
}

func (p pages) person(q *frame.Request) error {
	out, err := p.find(q)
	if err != nil {
		return err
	}
	switch q.Done() {
	case "password":
		out.Done = q.Lang.T("person.password.done")
	case "may":
		out.Done = q.Lang.T("person.may.done")
	case "kind":
		out.Done = q.Lang.T("person.kind.done")
	case "revoke":
		out.Done = q.Lang.T("person.revoke.done")
	}
	return q.Show("person", out)
}

// find is the page about the user whom the path names.
func (p pages) find(q *frame.Request) (personPage, error) {
	users, err := p.s.Users.ListUsers(q.R.Context())
	if err != nil {
		return personPage{}, err
	}
	name := q.R.PathValue("name")
	at := slices.IndexFunc(users, func(u wire.User) bool { return u.Name == name })
	if at < 0 {
		return personPage{}, wire.Problemf(wire.KindNotFound, "there is no user %.100q", name).Because(why.NoUser, name)
	}
	return p.one(q, users[at])
}

func (p pages) one(q *frame.Request, u wire.User) (personPage, error) {
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return personPage{}, err
	}
	out := personPage{Page: q.Page("person"), Person: lineOf(q, u, names), Change: q.May(authority.ChangeUsers), Word: q.Lang.T("people.word")}
	out.Title, out.Path = q.Lang.T("person.heading", u.Name), q.Inside(pathOf("people", u.Name))
	out.Roles, out.Version = rolesToChoose(q, u.Roles), u.Version
	if out.Places, err = p.placesToChoose(q, u.Places...); err != nil {
		return personPage{}, err
	}
	scheme := "http://"
	if q.R.TLS != nil {
		scheme = "https://"
	}
	out.Address = scheme + q.R.Host + frame.Below + "first"
	return out, nil
}

// setPassword sets the person's, and ends all sessions of that person.
func (p pages) setPassword(q *frame.Request) error {
	if q.R.PostFormValue("new") != q.R.PostFormValue("again") {
		return p.refuse(q, q.Lang.T("account.differ"))
	}
	return p.then(q, "password", p.s.Passwords.SetPassword(q.R.Context(), q.By(), q.R.PathValue("name"), q.R.PostFormValue("new"), q.Form("without") != ""))
}

// setMay gives the user other roles and places; no place is the whole district.
func (p pages) setMay(q *frame.Request) error {
	roles, places := q.R.PostForm["role"], append([]string{}, q.R.PostForm["place"]...)
	if len(roles) == 0 {
		return p.refuse(q, q.Lang.T("person.may.none"))
	}
	err := p.s.Users.SetUser(q.R.Context(), q.By(), q.R.PathValue("name"), wire.SetUser{Version: q.Form("version"), Roles: roles, Places: &places})
	var problem *wire.Problem
	if errors.As(err, &problem) && problem.Why.Reason == why.UserChanged {
		return p.bothChanged(q, problem, roles, places)
	}
	return p.then(q, "may", err)
}

// bothChanged shows what holds now, by somebody else's change, and what was chosen here still marked. Sent again
// it is of what is shown then.
func (p pages) bothChanged(q *frame.Request, problem *wire.Problem, roles, places []string) error {
	out, err := p.find(q)
	if err != nil {
		return err
	}
	out.Wrong, out.Roles = q.Said(problem), rolesToChoose(q, roles)
	if out.Places, err = p.placesToChoose(q, places...); err != nil {
		return err
	}
	return q.ShowAs(wire.HTTPStatus(wire.KindConflict), "person", out)
}

func (p pages) setKind(q *frame.Request) error {
	return p.then(q, "kind", p.s.Users.SetUser(q.R.Context(), q.By(), q.R.PathValue("name"), wire.SetUser{Version: q.Form("version"), System: new(q.Form("system") == "yes")}))
}

func (p pages) revoke(q *frame.Request) error {
	if !view.Typed(q.Form("word"), "people.word") {
		return p.refuse(q, q.Lang.T("people.word.wrong", q.Lang.T("people.word")))
	}
	return p.then(q, "revoke", p.s.Users.RevokeUser(q.R.Context(), q.By(), q.R.PathValue("name")))
}

// then goes back to the user with what was done.
func (p pages) then(q *frame.Request, done string, err error) error {
	if err != nil {
		return err
	}
	return q.To(pathOf("people", q.R.PathValue("name")) + "?done=" + done)
}

// refuse shows the user again, with why nothing was done.
func (p pages) refuse(q *frame.Request, why string) error {
	out, err := p.find(q)
	if err != nil {
		return err
	}
	out.Wrong = frame.Said{Text: why}
	return q.ShowAs(wire.HTTPStatus(wire.KindRefused), "person", out)
}
