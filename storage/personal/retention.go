package personal

import (
	"fmt"
	"time"
)

// Retention says how long what is known of people is kept. Zero months or days stand for the default.
type Retention struct {
	PositionDays uint32 `cbor:"1,keyasint,omitempty"` // positions of responders
	ReportMonths uint32 `cbor:"2,keyasint,omitempty"` // what people reported, with photos, and what was made of it
	NoteMonths   uint32 `cbor:"3,keyasint,omitempty"` // notes at who was told in person

	By string `cbor:"4,keyasint,omitempty"` // who set it; "": nobody yet
	At int64  `cbor:"5,keyasint,omitempty"` // ms since 1970

	ResidentMonths uint32 `cbor:"6,keyasint,omitempty"` // words, photos and places of what residents answered
	NoticeMonths   uint32 `cbor:"7,keyasint,omitempty"` // planned notices, from when they were over
}

// The defaults, and the least that may be set. Planned notices are a record of who decided what, of which 12
// months are kept whatever a district sets.
const (
	DefaultPositionDays = 30
	DefaultMonths       = 13
	LeastPositionDays   = 1
	LeastMonths         = 1
	LeastNoticeMonths   = 12
)

// Grace is how long after the first look at what is old nothing is removed, where nobody has set a Retention:
// who comes from a version that kept everything has that long to say so.
const Grace = 30 * 24 * time.Hour

// WithDefaults fills in what zero stands for.
func (r Retention) WithDefaults() Retention {
	for _, d := range []struct {
		is    *uint32
		usual uint32
	}{{&r.PositionDays, DefaultPositionDays}, {&r.ReportMonths, DefaultMonths}, {&r.NoteMonths, DefaultMonths}, {&r.ResidentMonths, DefaultMonths}, {&r.NoticeMonths, DefaultMonths}} {
		if *d.is == 0 {
			*d.is = d.usual
		}
	}
	return r
}

// Validate says what is wrong with the settings.
func (r Retention) Validate() error {
	if r.PositionDays > MostDays || max(r.ReportMonths, r.NoteMonths, r.ResidentMonths, r.NoticeMonths) > MostMonths {
		return fmt.Errorf("%d days or %d months are the most", MostDays, MostMonths)
	}
	if r.NoticeMonths > 0 && r.NoticeMonths < LeastNoticeMonths {
		return fmt.Errorf("planned notices are kept for %d months at least", LeastNoticeMonths)
	}
	return nil
}

// What says which of the things that a Retention is about are removed. Numbers are never given anew.
type What uint8

// The values of What.
const (
	OldPositions   What = iota + 1 // positions of responders
	OldReports                     // what people reported
	OldModerations                 // what was made of reports
	OldNotes                       // notes at who was told
	OldResidents                   // words and photos of residents, whose answers stay
	OldNotices                     // planned notices that are over
)

// Removal is how far the removal of one thing has been carried out.
type Removal struct {
	What   What   `cbor:"1,keyasint"`
	Before int64  `cbor:"2,keyasint"`           // ms since 1970: what is older was removed
	Count  uint64 `cbor:"3,keyasint"`           // removed, ever
	Since  int64  `cbor:"4,keyasint,omitempty"` // ms since 1970, of the first look at what is old

	// All up to this place in the log was looked at, and is old.
	Index uint64 `cbor:"5,keyasint,omitempty"`
	N     uint16 `cbor:"6,keyasint,omitempty"`
}

// Day is the midnight, UTC, of the day of t: removals are carried out after it.
func Day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Cutoff is the time before which a thing is old on the day of now.
func (r Retention) Cutoff(what What, now time.Time) time.Time {
	r = r.WithDefaults()
	months := map[What]uint32{OldReports: r.ReportMonths, OldModerations: r.ReportMonths, OldNotes: r.NoteMonths, OldResidents: r.ResidentMonths, OldNotices: r.NoticeMonths}
	if what == OldPositions {
		return Day(now).AddDate(0, 0, -int(r.PositionDays))
	}
	return Day(now).AddDate(0, -int(months[what]), 0)
}

// Begins is the time from which on the setting is carried out, for a thing of which was is known: the midnight
// after it was set, or Grace after the first look where nobody has set it.
func (r Retention) Begins(was Removal) time.Time {
	if r.At > 0 {
		return Day(time.UnixMilli(r.At)).Add(24 * time.Hour)
	}
	return time.UnixMilli(was.Since).UTC().Add(Grace)
}
