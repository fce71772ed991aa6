package sheets

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"almenara/node/wire"
)

// Report writes the report: one table, in which part says what a line is
// about. Times are UTC with milliseconds; seconds are from Begun.
func Report(to io.Writer, r wire.Report) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	_ = w.Write([]string{"part", "what", "at", "seconds", "clock", "by", "text", "place", "kind", "member", "of", "count", "first", "half", "ninety", "ninety_five", "last", "node_clock"})
	line := func(part, what string, at time.Time, cells ...string) {
		row := append([]string{part, what, exact(at), secondsFrom(r.Begun, at)}, cells...)
		_ = w.Write(append(row, make([]string, 18-len(row))...))
	}
	line("alert", "headline", r.Alert.Sent, "", plainCell(r.Alert.Author), plainCell(r.Alert.Headline), "", "", r.Alert.ID)
	line("alert", "made", r.Made, "node")
	if r.RoundedTo > 0 {
		line("alert", "rounded_to", time.Time{}, "", "", "", "", "", "", "", strconv.FormatUint(r.RoundedTo, 10))
	}
	for _, e := range r.Events {
		clock := "node"
		if e.What.ByDevices() {
			clock = "device"
		}
		row := []string{clock, plainCell(e.By), plainCell(firstOf(e.Headline, e.Reason)), "", e.MsgType, ""}
		if e.Reached != nil {
			row = append(row, spreadCells(*e.Reached)...)
		}
		line("event", string(e.What), e.At, row...)
	}
	spread := func(part, what, place, kind string, s wire.Spread) {
		line(part, what, time.Time{}, append([]string{"device", "", "", plainCell(place), plainCell(kind), ""}, spreadCells(s)...)...)
	}
	spread("reached", "presented", "", "", r.Reached)
	if r.Stopped != nil {
		spread("reached", "stopped", "", "", *r.Stopped)
	}
	for _, k := range r.Kinds {
		spread("kind", "presented", "", k.Kind, k.Reached)
	}
	for _, g := range r.Groups {
		spread("block", "presented", g.Place, g.Kind, g.Reached)
	}
	for _, p := range r.Curve {
		line("curve", "presented", p.At, "device", "", "", "", "", "", "", strconv.FormatUint(p.Count, 10))
	}
	for _, m := range r.Slowest {
		line("slowest", "presented", m.At, "device", "", "", plainCell(m.Place), plainCell(m.Kind), plainCell(m.Member))
	}
	for _, m := range r.Dark {
		line("dark", "told nothing", time.Time{}, "", "", "", plainCell(m.Place), plainCell(m.Kind), plainCell(m.Member))
	}
	line("dark", "total", time.Time{}, "", "", "", "", "", "", "", strconv.FormatUint(r.DarkTotal, 10))
	for _, a := range r.Answers {
		line("answer", "answered", time.Time{}, "", "", plainCell(a.Name), "", "", "", "", strconv.FormatUint(a.Count, 10))
	}
	for _, b := range r.Residents {
		for _, n := range []struct {
			what  string
			count int
		}{{"seen", b.Seen}, {"help", b.Help}, {"photos", b.Photos}} {
			line("residents", n.what, time.Time{}, "", "", "", plainCell(b.Place), "", "", "", strconv.Itoa(n.count))
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func spreadCells(s wire.Spread) []string {
	return []string{
		strconv.FormatUint(s.Of, 10), strconv.FormatUint(s.Count, 10), exact(s.First), exact(s.Half), exact(s.Ninety), exact(s.NinetyFive), exact(s.Last), strconv.FormatUint(s.NodeClock, 10),
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// exact writes a time with milliseconds.
func exact(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func secondsFrom(begun, at time.Time) string {
	if begun.IsZero() || at.IsZero() {
		return ""
	}
	return strconv.FormatFloat(at.Sub(begun).Seconds(), 'f', 1, 64)
}
