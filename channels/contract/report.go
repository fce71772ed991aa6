package contract

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of a report. A device's packet has 64 KiB in all, and the photo travels in base64.
const (
	MaxReportBytes = 64_000   // one payload on the report topic
	MaxReportPhoto = 45 << 10 // bytes of the photo, before base64
	MaxReportText  = 1000     // bytes
	MaxReportPlace = 200      // bytes
	MinReportID    = 16       // letters of a report's id; 64 are the most
	MaxAccuracy    = 100_000  // metres
)

// The kinds of reports.
const (
	ReportNeedHelp   = "need_help"
	ReportHazard     = "hazard"
	ReportBlockedWay = "blocked_way"
	ReportDamage     = "damage"
	ReportAllClear   = "all_clear"
	ReportOther      = "other"
	ReportPosition   = "position" // where a responder is, for one alert or drill
)

// Report is what a person tells by a device, of their own accord.
type Report struct {
	ID       string    `json:"id"` // made by the device; a report of the same id is the same report
	Kind     string    `json:"kind"`
	Alert    string    `json:"alert,omitempty"` // that it belongs to
	At       time.Time `json:"at,omitzero"`     // when the person made it; absent where the device does not know the time
	Text     string    `json:"text,omitempty"`
	Place    string    `json:"place,omitempty"` // in the person's words
	Position *Position `json:"position,omitempty"`
	Photo    []byte    `json:"photo,omitempty"` // a JPEG, or a WebP that stands still
}

// Position is where the device is, as it measured it.
type Position struct {
	Lat      float64 `json:"lat"`                // degrees, WGS 84
	Lon      float64 `json:"lon"`                // degrees
	Accuracy float64 `json:"accuracy,omitempty"` // metres; 0: not told
}

// ParseReport reads the payload of a report topic. Unknown members are ignored. It returns ErrMalformed for
// everything that the contract does not allow; that the photo is one is not looked at here.
func ParseReport(raw []byte) (Report, error) {
	var r Report
	if len(raw) > MaxReportBytes {
		return Report{}, fmt.Errorf("%w: %d bytes of a report, at most %d are allowed", ErrMalformed, len(raw), MaxReportBytes)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return Report{}, fmt.Errorf("%w: reading a report: %w", ErrMalformed, err)
	}
	if err := r.check(); err != nil {
		return Report{}, fmt.Errorf("%w: report: %w", ErrMalformed, err)
	}
	r.Text, r.Place = strings.TrimSpace(r.Text), strings.TrimSpace(r.Place)
	return r, nil
}

// ReportID makes the id of a report of 16 random bytes.
func ReportID(random [16]byte) string { return base64.RawURLEncoding.EncodeToString(random[:]) }

func (r Report) check() error {
	kinds := []string{ReportNeedHelp, ReportHazard, ReportBlockedWay, ReportDamage, ReportAllClear, ReportOther, ReportPosition}
	position := r.Kind == ReportPosition
	switch {
	case !ValidDeviceID(r.ID) || len(r.ID) < MinReportID:
		return fmt.Errorf("%.70q is not the id of a report", r.ID)
	case !slices.Contains(kinds, r.Kind):
		return fmt.Errorf("%.70q is not a kind of report", r.Kind)
	case r.Alert != "" && !alertID(r.Alert):
		return fmt.Errorf("%.70q is not an alert id", r.Alert)
	case !plain(r.Text, MaxReportText) || !plain(r.Place, MaxReportPlace):
		return fmt.Errorf("text has at most %d bytes and place %d, of letters and line feeds", MaxReportText, MaxReportPlace)
	case len(r.Photo) > MaxReportPhoto:
		return fmt.Errorf("the photo has %d bytes, and %d are the most", len(r.Photo), MaxReportPhoto)
	case position && (r.Alert == "" || r.Position == nil || len(r.Photo) > 0 || r.Text != ""):
		return errors.New("a position belongs to an alert, and has nothing else")
	case r.Kind == ReportOther && strings.TrimSpace(r.Text) == "" && len(r.Photo) == 0:
		return errors.New("it says nothing")
	}
	return r.Position.check()
}

// check refuses positions that are not on earth, or that could be anywhere; nil is no position.
func (p *Position) check() error {
	if p == nil {
		return nil
	}
	if err := (&Location{Lat: p.Lat, Lon: p.Lon}).check(); err != nil {
		return err
	}
	if !(p.Accuracy >= 0 && p.Accuracy <= MaxAccuracy) {
		return fmt.Errorf("a position that is right to %v m says nothing", p.Accuracy)
	}
	return nil
}

// alertID reports whether it looks as alerts' ids do: 26 of a-z and 2-7.
func alertID(id string) bool {
	return len(id) == 26 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// plain reports whether a text is UTF-8 without control characters but line feeds and tabs, and short enough.
func plain(text string, most int) bool {
	return len(text) <= most && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}
