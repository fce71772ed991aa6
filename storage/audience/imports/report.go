package imports

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is what is wrong with one row.
type Fault struct {
	Line    int     // line of the file on which the row begins, from 1
	Row     int     // row as a spreadsheet numbers it: without the line breaks inside fields
	Warning bool    // the row is taken all the same
	Wrong   []error // all of it
}

// Message is all that is wrong, in one line.
func (f Fault) Message() string {
	var out []string
	for _, one := range f.Wrong {
		out = append(out, one.Error())
	}
	return strings.Join(out, "; ")
}

// String is the fault as one line.
func (f Fault) String() string {
	if f.Warning {
		return f.where() + ": warning: " + f.Message()
	}
	return f.Error()
}

func (f Fault) where() string {
	if f.Row != f.Line {
		return fmt.Sprintf("line %d (row %d)", f.Line, f.Row)
	}
	return fmt.Sprintf("line %d", f.Line)
}

// Error is the line for who says by itself whether it is a warning.
func (f Fault) Error() string { return f.where() + ": " + f.Message() }

// Saying implements coded.Saying.
func (f Fault) Saying() (code string, with []any) {
	if f.Row != f.Line {
		return "import-row", []any{f.Line, f.Row, f.Wrong}
	}
	return "import-line", []any{f.Line, f.Wrong}
}

// Report is what Scan found.
type Report struct {
	Format      string  // members, residents or devices
	Encoding    string  // as a person would name it
	Rows        int     // without the header
	Valid       int     // members visited
	Errors      int     // rows that cannot be taken
	Warnings    int     // rows that were taken but should be looked at
	Unreachable int     // valid members without any endpoint
	Normalized  int     // values that were brought to one form: width, invisible characters, accents apart
	Faults      []Fault // the first 100, errors before warnings when there are more
}

// note adds the fault of a row, if it has one: all of its problems in one line.
func (r *Report) note(line, number int, from *row) {
	f := Fault{Line: line, Row: number, Wrong: slices.Clone(from.problems)}
	switch {
	case len(from.problems) > 0:
		r.Errors++
	case len(from.notes) > 0:
		r.Warnings++
		f.Warning, f.Wrong = true, slices.Clone(from.notes)
	default:
		return
	}
	if len(r.Faults) < MaxFaults {
		r.Faults = append(r.Faults, f)
	} else if !f.Warning {
		r.replaceWarning(f)
	}
}

// replaceWarning drops the last warning for an error: errors decide.
func (r *Report) replaceWarning(f Fault) {
	for i := len(r.Faults) - 1; i >= 0; i-- {
		if r.Faults[i].Warning {
			r.Faults = append(append(r.Faults[:i:i], r.Faults[i+1:]...), f)
			return
		}
	}
}
