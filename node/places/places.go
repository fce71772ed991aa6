// Package places changes places of the tree: what a place is called, where it is, in which place it lies, what codes
// name it, and that it is no more. Whoever changes a single one says what was read; of two who do, the second is told.
//
//	ChangePlace ─> held against what is, and against what names it ─> Proposer (command.ChangePlace) ─> agreed
//
// Places by the thousand are put together (many.go). It never imports api, channels or another part of node but
// alerts, authority, known, records with records/held, and wire.
package places

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/known"
	"almenara/node/records"
	"almenara/node/records/held"
	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/coded"
	"almenara/storage/member"
)

// Proposer has changes agreed on; *records.Proposer is one.
type Proposer interface {
	// AwaitAgreed waits until this node has everything that was agreed on before.
	AwaitAgreed(ctx context.Context) error
	Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
}

// Book knows what is in force; *alerts.Book is one.
type Book interface {
	At(now time.Time) alerts.Picture
}

// Options say what Places need. None may be nil.
type Options struct {
	State    *agreed.Reader
	Store    *storage.Store
	Proposer Proposer
	Book     Book
	Clock    func() time.Time
}

// Places answers service.PlaceTree. Its methods may be called from any goroutine.
type Places struct {
	o   Options
	one sync.Mutex // of many places of who is limited to some
}

// New makes it.
func New(o Options) *Places { return &Places{o: o} }

// ShowPlace implements service.PlaceTree.
func (p *Places) ShowPlace(_ context.Context, path string) (places.ShownPlace, error) {
	index, version := p.o.State.Index(), places.VersionNone
	is, described := index.Place(audience.Path(path))
	switch {
	case described:
		version = versionOf(is)
	case known.Has(index, audience.Path(path)):
		is.Path = audience.Path(path)
	default:
		return places.ShownPlace{}, noPlace(path)
	}
	out := places.ShownPlace{Place: records.WritePlace(is), Version: version}
	var err error
	if out.Members, out.Devices, out.Below, err = p.within(is.Path); err != nil {
		return out, err
	}
	if out.NamedBy, err = p.namedBy(is.Path); err != nil {
		return out, err
	}
	cited, err := p.citedBy(p.codesUnder(is.Path))
	out.NamedBy = append(out.NamedBy, cited...)
	return out, err
}

func noPlace(path string) *wire.Problem {
	return wire.Problemf(wire.KindNotFound, "there is no place %.200q with a name, a position or an outline", path).Because(why.PlaceGone, path)
}

func versionOf(p audience.Place) string {
	return hex.EncodeToString(member.PlaceRecord{Place: p}.PlaceState())
}

// ChangePlace implements service.PlaceTree. Of two who change what they read before, the second is refused,
// whichever nodes they ask.
func (p *Places) ChangePlace(ctx context.Context, by authority.Caller, in places.ChangePlace) (places.ChangedPlace, error) {
	if (in.Place == nil) != in.Remove {
		return places.ChangedPlace{}, wire.Problemf(wire.KindMalformed, "a change of a place needs what it is from now on, or that it is removed, and not both").Because(why.PlaceUnfit, in.Path, coded.New("place-neither", "it is neither changed nor removed"))
	}
	if err := inplaces.Hold(by, authority.ChangeAudience, in.Path, in.Path); err != nil {
		return places.ChangedPlace{}, err
	}
	if in.Place != nil {
		if err := inplaces.Hold(by, authority.ChangeAudience, in.Place.Path, in.Place.Path); err != nil {
			return places.ChangedPlace{}, err
		}
	}
	if !in.DryRun {
		if err := p.o.Proposer.AwaitAgreed(ctx); err != nil { // or what was changed elsewhere would be told too late
			return places.ChangedPlace{}, err
		}
	}
	is, live := p.o.State.Index().Place(audience.Path(in.Path))
	if err := sameVersion(in, is, live); err != nil {
		return places.ChangedPlace{}, err
	}
	entry := &command.ChangePlace{}
	if live {
		entry.Path, entry.Was = is.Path, member.PlaceRecord{Place: is}.PlaceState()
	}
	out := places.ChangedPlace{DryRun: in.DryRun, Path: in.Path, Changes: []places.Difference{}}
	var err error
	if out.Members, out.Devices, out.Below, err = p.within(audience.Path(in.Path)); err != nil {
		return out, err
	}
	if in.Remove {
		if err := p.mayGo(is, out); err != nil {
			return out, err
		}
		out.Changes = differences(is, audience.Place{})
	} else {
		becomes, err := p.becomes(is, live, in, out)
		if err == nil {
			err = p.checkCodes(by, is, becomes, in.SharedCodes)
		}
		if err == nil {
			err = held.PlacesFit(by, p.o.State.Index(), []audience.Place{becomes})
		}
		if err == nil && outlineOf(is) != outlineOf(becomes) {
			err = p.outlinesFit(becomes)
		}
		if err != nil {
			return out, err
		}
		entry.Place, out.Path, out.Version, out.Changes = &becomes, string(becomes.Path), versionOf(becomes), differences(is, becomes)
	}
	if in.DryRun || len(out.Changes) == 0 {
		return out, nil
	}
	_, err = p.o.Proposer.Change(ctx, by.Name, entry)
	return out, err
}

// sameVersion refuses what was said of what the place is no more.
func sameVersion(in places.ChangePlace, is audience.Place, live bool) error {
	switch {
	case live && in.Version == places.VersionNone:
		return wire.Problemf(wire.KindConflict, "%s is a place already; nothing was changed", in.Path).Because(why.PlaceThere, in.Path)
	case live && in.Version != "" && in.Version != versionOf(is), !live && in.Version != "" && in.Version != places.VersionNone:
		return wire.Problemf(wire.KindConflict, "somebody else has changed the place %s meanwhile; nothing was changed: read it again", in.Path).Because(why.PlaceChanged, in.Path)
	case !live && in.Remove:
		return noPlace(in.Path)
	}
	return nil
}

// becomes is the place as it is from now on, where it may be that.
func (p *Places) becomes(is audience.Place, live bool, in places.ChangePlace, within places.ChangedPlace) (audience.Place, error) {
	to := *in.Place
	to.Path = audience.NormalKey(to.Path)
	out, err := records.ReadPlace(to)
	if err != nil {
		return out, wire.Problemf(wire.KindRefused, "place %q: %v; nothing was changed", to.Path, err).Because(why.PlaceUnfit, to.Path, err)
	}
	if !live && to.Path != in.Path {
		return out, noPlace(in.Path)
	}
	if live && out.Path == is.Path {
		return out, nil
	}
	index := p.o.State.Index()
	if out.Path.Depth() > 1 {
		if err := known.Places(index, string(out.Path)); err != nil {
			return out, err
		}
	}
	if !live {
		return out, nil
	}
	_, there := index.Place(out.Path)
	if there || out.Path.Under(is.Path) || !index.Under(out.Path).IsEmpty() {
		return out, wire.Problemf(wire.KindConflict, "%s is a place already; nothing was changed", out.Path).Because(why.PlaceThere, string(out.Path))
	}
	if within.Members > command.MaxMembers || within.Below >= command.MaxPlaces {
		return out, wire.Problemf(wire.KindRefused, "%d members and %d places are in %s, more than go along at once; nothing was changed: take what is below it there first",
			within.Members, within.Below, is.Path).Because(why.PlaceLarge, string(is.Path), within.Members)
	}
	named, err := p.namedBy(is.Path)
	if err == nil && len(named) > 0 {
		err = namedProblem(is.Path, named)
	}
	return out, err
}

// mayGo refuses to remove a place that is needed.
func (p *Places) mayGo(is audience.Place, within places.ChangedPlace) error {
	path := is.Path
	if within.Members > 0 {
		return wire.Problemf(wire.KindConflict, "%d members are in %s, with %d devices; nothing was changed: import them with another place, or remove them first",
			within.Members, path, within.Devices).Because(why.PlaceHasMembers, string(path), within.Members, within.Devices)
	}
	if within.Below > 0 {
		return wire.Problemf(wire.KindConflict, "there are %d places below %s; nothing was changed: remove those first", within.Below, path).Because(why.PlaceHasBelow, string(path), within.Below)
	}
	named, err := p.namedBy(path)
	if err == nil && len(named) > 0 {
		err = namedProblem(path, named)
	}
	if err != nil {
		return err
	}
	return p.notCited(func(string) audience.Path { return path }, is.Geocodes)
}

// mostNamed is how many are named in a refusal.
const mostNamed = 10

func namedProblem(path audience.Path, named []places.Naming) error {
	out := wire.Problemf(wire.KindConflict, "%d scenarios, people, licences, notices or alerts name %s or a place below it; nothing was changed: change those first", len(named), path).Because(why.PlaceNamed, string(path), len(named))
	out.Details = detailsOf(named)
	return out
}

func detailsOf(named []places.Naming) (out []string) {
	for _, n := range named[:min(len(named), mostNamed)] {
		out = append(out, n.Kind+" "+n.ID)
	}
	return out
}

// within counts what is at a place and below it.
func (p *Places) within(path audience.Path) (members, devices uint64, below int, err error) {
	index := p.o.State.Index()
	under := index.Under(path)
	for _, one := range index.Places() {
		if one.Path != path && one.Path.Under(path) {
			below++
		}
	}
	if under.IsEmpty() {
		return 0, 0, below, nil
	}
	err = p.o.State.EachDevice(func(d storage.Device) error {
		if ord, known := index.Ordinal(d.Member); known && !d.Revoked && under.Contains(ord) {
			devices++
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("reading devices: %w", err)
	}
	return under.GetCardinality(), devices, below, err
}

// differences says what is another one, in the order in which people look.
func differences(is, becomes audience.Place) (out []places.Difference) {
	out = []places.Difference{}
	add := func(what, language, before, after string) {
		if before != after {
			out = append(out, places.Difference{What: what, Language: language, Before: before, After: after})
		}
	}
	add(places.ChangesPath, "", string(is.Path), string(becomes.Path))
	var languages []string
	for _, name := range append(slices.Clone(is.Names), becomes.Names...) {
		languages = append(languages, name.Language)
	}
	slices.Sort(languages)
	for _, language := range slices.Compact(languages) {
		add(places.ChangesName, language, nameIn(is, language), nameIn(becomes, language))
	}
	add(places.ChangesPosition, "", positionOf(is), positionOf(becomes))
	if outlineOf(is) != outlineOf(becomes) {
		out = append(out, places.Difference{What: places.ChangesOutline, Before: corners(is), After: corners(becomes)})
	}
	add(places.ChangesCode, "", codesOf(is), codesOf(becomes))
	return out
}

func nameIn(p audience.Place, language string) string {
	for _, name := range p.Names {
		if name.Language == language {
			return name.Text
		}
	}
	return ""
}

func positionOf(p audience.Place) string {
	if p.Location == nil {
		return ""
	}
	return p.Location.String()
}

func outlineOf(p audience.Place) string {
	var out []string
	for _, polygon := range p.Shape {
		out = append(out, polygon.CAP())
	}
	return strings.Join(out, "\n")
}

func corners(p audience.Place) string {
	n := 0
	for _, polygon := range p.Shape {
		n += len(polygon)
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func codesOf(p audience.Place) string {
	var out []string
	for _, code := range p.Geocodes {
		out = append(out, codeText(code))
	}
	return strings.Join(out, ", ")
}
