package imports

import (
	"fmt"
	"strings"
)

// Fault is what is wrong with one row.
type Fault struct {
	Line    int  // line of the file on which the row begins, from 1
	Row     int  // row as a spreadsheet numbers it: without the line breaks inside fields
	Warning bool // the row is taken all the same
	Message string
}

// String is the fault as one line.
func (f Fault) String() string {
	where := fmt.Sprintf("line %d", f.Line)
	if f.Row != f.Line {
		where += fmt.Sprintf(" (row %d)", f.Row)
	}
	if f.Warning {
		where += ": warning"
	}
	return where + ": " + f.Message
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
	f := Fault{Line: line, Row: number, Message: strings.Join(from.problems, "; ")}
	switch {
	case len(from.problems) > 0:
		r.Errors++
	case len(from.notes) > 0:
		r.Warnings++
		f.Warning, f.Message = true, strings.Join(from.notes, "; ")
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
