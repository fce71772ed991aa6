package alert

import (
	"fmt"
	"time"
)

// DateTime is a CAP 1.2 §3.3.2 date and time: seconds and a numeric offset, never
// Z. It remembers how the sender wrote it, so that it is written back the same.
// The zero value is absent.
type DateTime struct {
	at   time.Time
	text string
}

// ParseDateTime reads s as CAP 1.2 writes it, for example
// 2026-07-20T17:40:00+08:00.
func ParseDateTime(s string) (DateTime, error) {
	at, err := time.Parse("2006-01-02T15:04:05-07:00", s)
	if err != nil || len(s) != len("2006-01-02T15:04:05-07:00") {
		return DateTime{}, fmt.Errorf("%q is not a CAP date and time such as 2026-07-20T17:40:00+08:00", s)
	}
	return DateTime{at: at, text: s}, nil
}

// NewDateTime writes t with second precision. UTC becomes -00:00, as CAP wants.
func NewDateTime(t time.Time) DateTime {
	t = t.Truncate(time.Second)
	text := t.Format("2006-01-02T15:04:05-07:00")
	if t.Location() == time.UTC {
		text = t.Format("2006-01-02T15:04:05") + "-00:00"
	}
	return DateTime{at: t, text: text}
}

// Time is the instant; the zero time when absent.
func (d DateTime) Time() time.Time { return d.at }

// String is the text as sent; "" when absent.
func (d DateTime) String() string { return d.text }

// IsZero reports an absent value.
func (d DateTime) IsZero() bool { return d.text == "" }

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
