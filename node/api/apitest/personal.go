package apitest

import (
	"context"
	"time"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/personal"
)

// known is what is known of persons.
type known struct {
	*asked
	Erasures personal.Erasures
	Kept     personal.Kept
}

// ShowPerson answers for everybody but "nobody".
func (f *known) ShowPerson(_ context.Context, by authority.Caller, id string) (personal.Person, error) {
	if err := f.note(&by, "ShowPerson %s", id); err != nil || id == "nobody" {
		if err == nil {
			err = wire.Problemf(wire.KindNotFound, "there is no member %q", id)
		}
		return personal.Person{}, err
	}
	return personal.Person{Member: id, Name: "陳大文 Chan Tai Man", Kind: "person", Place: "tuen-mun/on-ting", Devices: []string{"phone-1"}, Reports: 2, Notes: 1}, nil
}

// ErasePerson notes whom, and on whose word.
func (f *known) ErasePerson(_ context.Context, by authority.Caller, id string, in personal.Erase) (personal.Erasure, error) {
	return ExampleErasures().Erasures[0], f.note(&by, "ErasePerson %s %s %q", id, in.Member, in.Word)
}

// ListErasures answers Erasures.
func (f *known) ListErasures(_ context.Context, by authority.Caller) (personal.Erasures, error) {
	return f.Erasures, f.note(&by, "ListErasures")
}

// ShowRetention answers Kept.
func (f *known) ShowRetention(_ context.Context, by authority.Caller) (personal.Kept, error) {
	return f.Kept, f.note(&by, "ShowRetention")
}

// PutRetention notes what was set.
func (f *known) PutRetention(_ context.Context, by authority.Caller, in personal.Retention) (personal.Kept, error) {
	return f.Kept, f.note(&by, "PutRetention %d %d %d", in.PositionDays, in.ReportMonths, in.NoteMonths)
}

// ExampleErasures are two persons who were erased.
func ExampleErasures() personal.Erasures {
	at := time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)
	return personal.Erasures{Erasures: []personal.Erasure{
		{Pseudonym: "erased-abcdefghijklmnop", Kind: "person", At: at, By: "amy", Word: "letter of 3 May", Devices: 1, Records: 3, Lines: 2, Agreed: true, Files: true},
		{Pseudonym: "erased-bcdefghijklmnopq", Kind: "person", At: at.Add(-time.Hour), By: "amy", Word: "by telephone"},
	}}
}

// ExampleKept are the defaults, and what is removed next.
func ExampleKept() personal.Kept {
	on := time.Date(2026, 7, 21, 0, 0, 0, 0, time.UTC)
	return personal.Kept{Retention: personal.Retention{PositionDays: 30, ReportMonths: 13, NoteMonths: 13, ResidentMonths: 13, NoticeMonths: 13}, Next: []personal.Removal{
		{What: personal.Positions, On: on, Before: on.AddDate(0, 0, -30), Due: 12, Removed: 40},
		{What: personal.Reports, On: on, Before: on.AddDate(0, -13, 0), Due: 5000, More: true},
		{What: personal.Moderations, On: on, Before: on.AddDate(0, -13, 0)},
		{What: personal.Notes, On: on, Before: on.AddDate(0, -13, 0)},
		{What: personal.ResidentWords, On: on, Before: on.AddDate(0, -13, 0), Due: 3},
		{What: personal.Notices, On: on, Before: on.AddDate(0, -13, 0)},
	}}
}
