package imports

import (
	"iter"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/coded"
)

// Limits of what a Diff shows.
const (
	MaxDiffLines = 200 // of members kept
	diffColumns  = 80
)

// Diff is what applying an import would change.
type Diff struct {
	Added, Changed, Removed, Unchanged int

	// Changes are the first, one readable line each for programs and terminals. Each is an error so that what it says
	// has a code (storage/coded): pages say it in their language.
	Changes []error
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
	d := &Differ{lookup: lookup, existing: existing, diff: Diff{}}
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
		d.diff.add(coded.Errorf("import-adds", "+ %s: %s at %s", m.ID, coded.Kind(m.Kind), string(m.Place)))
		return nil
	}
	changes := changesOf(old, &m)
	if len(changes) == 0 {
		d.diff.Unchanged++
		return nil
	}
	d.diff.Changed++
	d.diff.add(changed{m.ID, changes})
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
			d.diff.add(coded.Errorf("import-removes", "- %s", id))
		}
	}
	d.existing = nil
	return d.diff
}

// changed is a member of which fields change.
type changed struct {
	member string
	fields []error
}

// Error is the line.
func (c changed) Error() string {
	texts := make([]string, len(c.fields))
	for n, field := range c.fields {
		texts[n] = field.Error()
	}
	return "~ " + c.member + ": " + strings.Join(texts, "; ")
}

// Saying implements coded.Saying.
func (c changed) Saying() (code string, with []any) {
	return "import-changes", []any{c.member, c.fields}
}

// changesOf describes each field that differs, its name first.
func changesOf(old, m *audience.Member) (changes []error) {
	value := func(field coded.Word, differs bool, before, after any) {
		if differs {
			changes = append(changes, coded.Errorf("import-field", "%s %s → %s", field, before, after))
		}
	}
	text := func(field coded.Word, before, after string) {
		value(field, before != after, orNone(before), orNone(after))
	}
	list := func(field coded.Word, before, after []string) {
		if slices.Equal(before, after) {
			return
		}
		if delta := deltaOf(before, after); delta != "" {
			changes = append(changes, coded.Errorf("import-list", "%s%s", field, delta))
		} else {
			changes = append(changes, coded.Errorf("import-order", "%s in another order", field))
		}
	}
	text("name", old.Name, m.Name)
	value("kind", old.Kind != m.Kind, coded.Kind(old.Kind), coded.Kind(m.Kind)) // none has none
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

func orNone(s string) any {
	if s == "" {
		return coded.Word("none")
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

// line is a change whose text is one line of a terminal.
type line struct {
	text string
	says error
}

// Error is the line.
func (l line) Error() string { return l.text }

// Unwrap is what it says, with its code.
func (l line) Unwrap() error { return l.says }

// add keeps the change while there is room for it.
func (d *Diff) add(change error) {
	if len(d.Changes) < MaxDiffLines {
		d.Changes = append(d.Changes, line{fit(strings.ReplaceAll(change.Error(), "\n", " "), diffColumns), change})
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
