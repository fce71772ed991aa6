package alert

import (
	"regexp"
	"strings"
	"time"

	"almenara/storage/coded"
)

// dateTimeLayout is the form of CAP 1.2 §3.3.2: no fraction, numeric offset.
const dateTimeLayout = "2006-01-02T15:04:05-07:00"

// maxOffset is the largest offset that XML Schema's dateTime allows.
const maxOffset = 14 * time.Hour

// DateTime is a CAP 1.2 §3.3.2 date and time: seconds and a numeric offset, never
// Z. It remembers how the sender wrote it, so that it is written back the same, but for
// Z and fractions, which are never written. The zero value is absent. Two values are == when they have the same text.
type DateTime struct {
	at   time.Time // UTC
	text string
}

// ParseDateTime reads s as CAP 1.2 writes it, for example
// 2026-07-20T17:40:00+08:00. Impossible dates, the year 0 and offsets beyond 14 hours
// are errors; 24:00:00 is the start of the next day, as in XML Schema. Z and fractions
// of a second, which CAP forbids, senders write and nobody can misread, become -00:00
// and nothing.
func ParseDateTime(s string) (DateTime, error) {
	d, _, err := ReadDateTime(s)
	return d, err
}

// loose splits a date and time with Z or a fraction of a second.
var loose = regexp.MustCompile(`^([0-9T:-]+)(?:\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})$`)

// ReadDateTime is ParseDateTime that also says whether CAP forbids the form.
func ReadDateTime(s string) (d DateTime, odd bool, err error) {
	if len(s) != len(dateTimeLayout) {
		if parts := loose.FindStringSubmatch(s); parts != nil {
			d, err = strictDateTime(parts[1] + strings.Replace(parts[2], "Z", "-00:00", 1))
			if err == nil {
				return d, true, nil
			}
		}
	}
	d, err = strictDateTime(s)
	return d, false, err
}

// strictDateTime reads the form of CAP alone.
func strictDateTime(s string) (DateTime, error) {
	at, err := time.Parse(dateTimeLayout, strings.Replace(s, "T24:00:00", "T00:00:00", 1))
	if err != nil || len(s) != len(dateTimeLayout) || s[len(s)-2] > '5' || // package time lets 60 minutes pass
		at.Year() < 1 || offsetOf(at).Abs() > maxOffset {
		return DateTime{}, coded.Errorf("cap-time", "%q is not a CAP date and time such as 2026-07-20T17:40:00+08:00", Clip(s))
	}
	if strings.Contains(s, "T24:00:00") {
		at = at.AddDate(0, 0, 1)
	}
	return DateTime{at: Earlier(at.UTC(), lastTime), text: s}, nil
}

// lastTime is the last moment that RFC 3339, and so JSON, can write. Some senders mean "until
// further notice" by the end of 9999 in a zone west of Greenwich, where UTC has the year
// 10000; they are read as this, so that everything that is said of them can be written.
var lastTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// NewDateTime writes t with second precision in t's own zone. A zone without
// offset becomes -00:00, as CAP wants.
func NewDateTime(t time.Time) DateTime {
	if t = t.Truncate(time.Second); t.Year() > lastTime.Year() {
		t = lastTime
	}
	text := t.Format(dateTimeLayout)
	if strings.HasSuffix(text, "+00:00") {
		text = strings.TrimSuffix(text, "+00:00") + "-00:00"
	}
	return DateTime{at: Earlier(t.UTC(), lastTime), text: text}
}

// Time is the instant, in UTC; the zero time when absent.
func (d DateTime) Time() time.Time { return d.at }

// String is the text as sent; "" when absent.
func (d DateTime) String() string { return d.text }

// IsZero reports an absent value.
func (d DateTime) IsZero() bool { return d.text == "" }

// add moves the value by d in the zone it was written in; absent stays absent.
func (d DateTime) add(by time.Duration) DateTime {
	if d.IsZero() {
		return d
	}
	return NewDateTime(d.at.Add(by).In(d.zone()))
}

// zone is the fixed offset that the sender wrote.
func (d DateTime) zone() *time.Location {
	at, err := time.Parse("-07:00", d.text[len(d.text)-len("-07:00"):])
	if err != nil {
		return time.UTC
	}
	return time.FixedZone("", int(offsetOf(at)/time.Second))
}

// offsetOf is t's distance from UTC.
func offsetOf(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// MarshalText writes the text as sent.
func (d DateTime) MarshalText() ([]byte, error) { return []byte(d.text), nil }

// UnmarshalText reads what MarshalText wrote; empty text is absent.
func (d *DateTime) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = DateTime{}
		return nil
	}
	*d, err = ParseDateTime(string(b))
	return err
}

// MarshalBinary is MarshalText, for codecs such as CBOR that ask for bytes first.
func (d DateTime) MarshalBinary() ([]byte, error) { return d.MarshalText() }

// UnmarshalBinary reads what MarshalBinary wrote.
func (d *DateTime) UnmarshalBinary(b []byte) error { return d.UnmarshalText(b) }
