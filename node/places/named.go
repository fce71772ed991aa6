package places

import (
	"fmt"
	"slices"

	"almenara/node/wire/places"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/notice"
)

// namedBy lists what names a place or one below it, and would mean nobody if the place were elsewhere:
// scenarios, people who are limited to it, licences that hold, planned notices that are open and alerts in
// force. What names a place above it goes on to mean whoever is there.
func (p *Places) namedBy(path audience.Path) (out []places.Naming, err error) {
	add := func(kind, id string) { out = append(out, places.Naming{Kind: kind, ID: id}) }
	rights, err := p.o.State.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading who may warn: %w", err)
	}
	for _, s := range rights.Scenarios {
		if names(path, slices.Concat(s.Groups, []string{s.Select})...) {
			out = append(out, places.Naming{Kind: places.ByScenario, ID: s.ID, Title: s.Title})
		}
	}
	var users []storage.User
	if err := p.o.Store.View(func(t *storage.Txn) (err error) { users, err = storage.Users.All(t); return err }); err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	for _, u := range users {
		if !u.Revoked && slices.ContainsFunc(u.Places, func(one string) bool { return audience.Path(one).Under(path) }) {
			add(places.ByUser, u.Name)
		}
	}
	now := p.o.Clock()
	for _, l := range rights.Licences {
		if !l.Revoked && l.Until > now.UnixMilli() && audience.Path(l.Place).Under(path) {
			add(places.ByLicence, l.ID)
		}
	}
	newest, err := p.newestNotices()
	if err != nil {
		return nil, err
	}
	for _, v := range newest {
		if names(path, slices.Concat(v.Groups, []string{v.Select, v.Within})...) {
			add(places.ByNotice, v.Notice)
		}
	}
	live, err := p.inForce()
	if err != nil {
		return nil, err
	}
	for _, one := range live {
		if slices.ContainsFunc(one.targets, func(t audience.Target) bool { return names(path, t.Select) }) {
			add(places.ByAlert, one.id)
		}
	}
	return out, nil
}

// newestNotices are the newest versions of the planned notices that are open.
func (p *Places) newestNotices() (out []notice.Version, err error) {
	open, _, err := p.o.State.Notices(0)
	if err != nil {
		return nil, fmt.Errorf("reading planned notices: %w", err)
	}
	for _, n := range open {
		_, said, _, err := p.o.State.Notice(n.ID)
		if err != nil {
			return nil, fmt.Errorf("reading a planned notice: %w", err)
		}
		if newest := len(said) - 1; newest >= 0 {
			out = append(out, said[newest])
		}
	}
	return out, nil
}

// meant is an alert in force, and whom it means.
type meant struct {
	id      string
	targets []audience.Target
}

func (p *Places) inForce() (out []meant, err error) {
	picture := p.o.Book.At(p.o.Clock())
	if picture.Err != nil {
		return nil, fmt.Errorf("reading what is in force: %w", picture.Err)
	}
	for _, live := range picture.InForce {
		targets, err := live.Message.EveryTarget()
		if err != nil {
			return nil, fmt.Errorf("reading what is in force: %w", err)
		}
		out = append(out, meant{string(live.ID), targets})
	}
	return out, nil
}

// names reports whether one of the selections names the place or one below it.
func names(path audience.Path, selections ...string) bool {
	return slices.ContainsFunc(selections, func(text string) bool {
		s, err := audience.Parse(text)
		return err == nil && inNode(path, s.Root()) // a text that is none selects nobody
	})
}

func inNode(path audience.Path, n audience.Node) bool {
	if n.Op == audience.OpPlace || n.Op == audience.OpPlaceUnder {
		return slices.ContainsFunc(n.Values, func(value string) bool { return audience.Path(value).Under(path) })
	}
	return slices.ContainsFunc(n.Kids, func(kid audience.Node) bool { return inNode(path, kid) })
}
