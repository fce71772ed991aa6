package imports

import (
	"fmt"
	"strings"
)

// String is the comparison for people, within 80 columns.
func (d Diff) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d added, %d changed, %d removed, %d unchanged\n", d.Added, d.Changed, d.Removed, d.Unchanged)
	for _, line := range d.Changes {
		b.WriteString(line.Error() + "\n")
	}
	if more := d.Added + d.Changed + d.Removed - len(d.Changes); more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	return b.String()
}

// OK reports whether the file may be applied: no row has an error.
func (r *Report) OK() bool { return r.Errors == 0 }

// String sums the report up, one fault per line.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows of %s (%s): %d valid, %d with errors, %d with warnings\n", r.Rows, r.Format, r.Encoding, r.Valid, r.Errors, r.Warnings)
	if r.Unreachable > 0 {
		fmt.Fprintf(&b, "%d members have no channel with an address; no alert will reach them\n", r.Unreachable)
	}
	if r.Normalized > 0 {
		fmt.Fprintf(&b, "%d values were brought to the form that selections compare (full width, invisible characters, accents, upper case)\n", r.Normalized)
	}
	for _, f := range r.Faults {
		b.WriteString(f.String() + "\n")
	}
	if more := r.Errors + r.Warnings - len(r.Faults); more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	if !r.OK() {
		b.WriteString("nothing was changed\n")
	}
	return b.String()
}
