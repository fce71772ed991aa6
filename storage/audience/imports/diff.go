package imports

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
)

// Limits of what a Diff shows.
const (
	MaxDiffLines = 200 // of members kept, unless told otherwise
	diffColumns  = 80
)

// Diff is what applying an import would change.
type Diff struct {
	Added, Changed, Removed, Unchanged int

	Fields map[string]int // how many members change in name, kind, place, tags, languages, location, endpoints
	Lines  []string       // the first changes, one readable line each
}

// Differ compares an import with the members there are. Visit is for Scan.
type Differ struct {
	lookup   func(id string) (*audience.Member, bool)
	existing iter.Seq[string]
	seen     map[string]struct{}
	diff     Diff

	Removed func(id string) // told of each member that would be removed; may be nil
}

// NewDiffer compares with the members that lookup finds. A row stands for the
// whole member: what it does not have is taken away. existing lists the ids of all
// members when the import replaces them, so that those not in the file are
// removed; nil when it only adds and changes.
func NewDiffer(lookup func(id string) (*audience.Member, bool), existing iter.Seq[string]) *Differ {
	d := &Differ{lookup: lookup, existing: existing, diff: Diff{Fields: map[string]int{}}}
	if existing != nil {
		d.seen = map[string]struct{}{}
	}
	return d
}

// Visit compares one member of the import.
func (d *Differ) Visit(_ int, m audience.Member) error {
	if d.seen != nil {
		d.seen[m.ID] = struct{}{}
	}
	old, ok := d.lookup(m.ID)
	if !ok {
		d.diff.Added++
		d.diff.addLine("+ %s: %s at %s", m.ID, m.Kind, m.Place)
		return nil
	}
	changes := changesOf(old, &m)
	if len(changes) == 0 {
		d.diff.Unchanged++
		return nil
	}
	d.diff.Changed++
	for _, change := range changes {
		field, _, _ := strings.Cut(change, " ")
		d.diff.Fields[field]++
	}
	d.diff.addLine("~ %s: %s", m.ID, strings.Join(changes, "; "))
	return nil
}

// Finish returns the comparison, after the whole import was visited.
func (d *Differ) Finish() Diff {
	if d.existing == nil {
		return d.diff
	}
	for id := range d.existing {
		if _, ok := d.seen[id]; !ok {
			d.diff.Removed++
			if d.Removed != nil {
				d.Removed(id)
			}
			d.diff.addLine("- %s", id)
		}
	}
	d.existing = nil
	return d.diff
}

// changesOf describes each field that differs, its name first.
func changesOf(old, m *audience.Member) []string {
	var changes []string
	text := func(field, before, after string) {
		if before != after {
			changes = append(changes, fmt.Sprintf("%s %s → %s", field, orNone(before), orNone(after)))
		}
	}
	list := func(field string, before, after []string) {
		if slices.Equal(before, after) {
			return
		}
		delta := deltaOf(before, after)
		if delta == "" {
			delta = " in another order"
		}
		changes = append(changes, field+delta)
	}
	text("name", old.Name, m.Name)
	text("kind", string(old.Kind), string(m.Kind))
	text("place", string(old.Place), string(m.Place))
	list("tags", tagTexts(old.Tags), tagTexts(m.Tags))
	list("languages", old.Languages, m.Languages)
	text("location", locationText(old.Location), locationText(m.Location))
	list("endpoints", endpointTexts(old.Endpoints), endpointTexts(m.Endpoints))
	return changes
}

// deltaOf lists what is new with + and what is gone with -.
func deltaOf(before, after []string) string {
	var b strings.Builder
	for _, item := range after {
		if !slices.Contains(before, item) {
			b.WriteString(" +" + item)
		}
	}
	for _, item := range before {
		if !slices.Contains(after, item) {
			b.WriteString(" -" + item)
		}
	}
	return b.String()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func tagTexts(tags []audience.Tag) []string {
	texts := make([]string, len(tags))
	for i, tag := range tags {
		texts[i] = tag.Name + "=" + tag.Value
	}
	return texts
}

func endpointTexts(endpoints []audience.Endpoint) []string {
	texts := make([]string, len(endpoints))
	for i, endpoint := range endpoints {
		texts[i] = endpoint.Channel + ":" + endpoint.Address
	}
	return texts
}

func locationText(p *geometry.Point) string {
	if p == nil {
		return ""
	}
	return p.String()
}

// addLine keeps the line, within 80 columns, while there is room for it.
func (d *Diff) addLine(text string, args ...any) {
	if len(d.Lines) < MaxDiffLines {
		line := strings.ReplaceAll(fmt.Sprintf(text, args...), "\n", " ")
		d.Lines = append(d.Lines, fit(line, diffColumns))
	}
}

// fit cuts s to the columns of a terminal, where Han characters take two.
func fit(s string, columns int) string {
	used, cut := 0, 0
	for i, r := range s {
		if used < columns {
			cut = i // the ellipsis would still fit here
		}
		if used += runeColumns(r); used > columns {
			return s[:cut] + "…"
		}
	}
	return s
}

func runeColumns(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
