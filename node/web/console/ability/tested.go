package ability

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/able"
)

// tested fills in what silent tests came to.
func (out *abilityPage) tested(q *frame.Request, a able.Ability, c counts, names view.PlaceNames, status wire.Status) {
	out.Lead = lead{Share: percent(a.Passed, a.Devices), Says: q.Lang.T("ability.lead", a.Passed, a.Devices), Night: a.Night, Unanswered: nodesOf(q, a.Unanswered, status)}
	for _, s := range a.States {
		if s.Name != able.DevicePassed {
			out.States = append(out.States, view.Counted{Name: q.Lang.Or("stands.", s.Name), Count: view.Show(s.Count)})
		}
	}
	proven := map[string]uint64{}
	for _, p := range a.Places {
		proven[p.Place] = p.Passed
	}
	for _, place := range slices.Sorted(maps.Keys(c.blocks)) {
		b := c.blocks[place]
		out.Blocks = append(out.Blocks, block{
			names.Of(place), place, view.Show(b.devices), view.Show(proven[place]), view.Show(b.connected), view.Show(b.dark), proven[place] >= b.devices,
		})
	}
	for _, d := range a.Missing[:min(len(a.Missing), missingShown)] {
		m := missing{
			Place: names.Of(blockOf(d.Place)), Kind: q.Lang.Or("kind.", d.Kind), Device: d.Device, Path: frame.Below + "devices/" + url.PathEscape(d.Device),
			State: q.Lang.Or("stands.", d.Stands), Why: q.Say(d.Why),
		}
		if !d.Passed.IsZero() {
			m.Passed = q.Lang.T("ability.passed", q.DayTime(d.Passed))
		}
		out.List = append(out.List, m)
	}
	out.More = len(a.Missing) > missingShown || a.More > 0
	out.Nights = nightsOf(q, a.Nights, names)
}

// nodesOf names nodes.
func nodesOf(q *frame.Request, ids []string, status wire.Status) string {
	var out []string
	for _, id := range ids {
		name := id
		for _, n := range status.Nodes {
			if n.ID == id && n.Name != "" {
				name = n.Name
			}
		}
		out = append(out, name)
	}
	return strings.Join(out, q.Lang.T("layout.list"))
}

// endings are what ends soon, in words: "Key n1 ends in 26 d".
func endings(q *frame.Request, status wire.Status) (out []string) {
	for _, e := range status.Ends {
		what := q.Say(e.Name).Text
		if q.Now.Before(e.At) {
			out = append(out, q.Lang.T("ability.ends", what, q.Lang.Span(e.At.Sub(q.Now))))
		} else {
			out = append(out, q.Lang.T("ability.ended", what))
		}
	}
	return out
}

// test begins silent tests, of everything or of one place. What they come to is on the page some minutes
// later.
func (p pages) test(q *frame.Request) error {
	var in able.TestDevices
	if place := q.Form("place"); place != "" {
		in.Places = []string{place}
	}
	begun, err := p.s.Tests.TestDevices(q.R.Context(), q.By(), in)
	var problem *wire.Problem
	switch {
	case errors.As(err, &problem) && (problem.Kind == wire.KindConflict || problem.Kind == wire.KindNotFound):
		out, err := p.morning(q)
		if err != nil {
			return err
		}
		if out.Wrong = q.Lang.T("ability.test.conflict"); problem.Kind == wire.KindNotFound {
			out.Wrong = q.Lang.T("ability.test.none")
		}
		return q.ShowAs(wire.HTTPStatus(problem.Kind), "ability", out)
	case err != nil:
		return err
	}
	return q.To(frame.Below + "ability?begun=" + strconv.Itoa(begun.Devices))
}
