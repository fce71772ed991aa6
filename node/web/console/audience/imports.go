package audience

import (
	"io"
	"path"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

type importPage struct {
	frame.Page
	Replace bool
	Report  *report // of a file that was read; nil at first
	Wrong   string  // why nothing happened, in the person's language
	Problem frame.Said
	Details []string
}

// report is what a file would change, or has changed.
type report struct {
	File                                      string
	Rows                                      int
	Added, Changed, Removed, Unchanged        string
	Format, Encoding                          string
	Normalized                                int
	Faults, Warnings, Diff                    []frame.Point
	FaultCount, MoreDiff, MoreFaults, MoreOld int // how many there are, and how many are not shown
	Orphaned                                  int // devices that would be left without a member
	OrphanedFirst                             []string
	Applied                                   bool
	Nothing                                   bool   // the file changes nothing
	ID                                        string // to apply it; "" where it cannot be
	TooLarge                                  bool   // it is judged, and too large to be kept for the word
	Replace                                   bool
}

// linesShown is how many lines of each sort are shown.
const linesShown = 200

// page is the base of the page; whoever changes the language on an answer comes back to the form.
func page(q *frame.Request) frame.Page {
	out := q.Page("import")
	out.Path = q.Inside(frame.Below + "import")
	return out
}

func (p pages) importPage(q *frame.Request) error {
	out := importPage{Page: page(q)}
	if q.R.URL.Query().Get("gone") != "" {
		out.Wrong = q.Lang.T("import.gone")
	}
	return q.Show("import", out)
}

// try reads a file, says what it would change, and keeps it for the word to apply it. Nothing is changed.
func (p pages) try(q *frame.Request) error {
	replace := q.Form("replace") != ""
	f := q.File()
	if f == nil {
		return p.refuse(q, importPage{Wrong: q.Lang.T("import.nofile"), Replace: replace})
	}
	if err := p.open.Take(q.By().Name, false); err != nil {
		return err
	}
	defer p.open.Give(q.By().Name)
	pack := newPacker()
	in, err := p.s.Imports.Import(q.R.Context(), q.By(), io.TeeReader(f, pack), wire.ImportOptions{DryRun: true, Replace: replace}, nil)
	if err = f.Or(err); err != nil {
		return p.failed(q, err, replace)
	}
	out := importPage{Page: page(q), Replace: replace, Report: reportOf(q, in, nameOf(f.Name))}
	out.Report.Replace = replace
	packed, whole := pack.packed()
	switch {
	case len(in.Faults) > 0 || in.FaultCount > 0 || out.Report.Nothing:
	case !whole:
		out.Report.TooLarge = true
	default:
		out.Report.ID, err = p.kept.keep(file{by: q.By().Name, name: out.Report.File, replace: replace, packed: packed})
	}
	if err != nil {
		return err
	}
	return q.Show("import", out)
}

// apply takes a file in that was judged before: all of it, or nothing.
func (p pages) apply(q *frame.Request) error {
	id := q.Form("upload")
	f, ok := p.kept.find(id, q.By().Name)
	if !ok {
		return q.To(frame.Below + "import?gone=1")
	}
	if err := p.open.Take(q.By().Name, false); err != nil {
		return err
	}
	defer p.open.Give(q.By().Name)
	rows, err := f.read()
	if err != nil {
		return err
	}
	in, err := p.s.Imports.Import(q.R.Context(), q.By(), rows, wire.ImportOptions{Replace: f.replace, Yes: q.Form("yes") != ""}, nil)
	if err != nil {
		return p.failed(q, err, f.replace)
	}
	p.kept.forget(id)
	return q.Show("import", importPage{Page: page(q), Report: reportOf(q, in, f.name)})
}

// failed shows the page with why nothing happened, or what is not known.
func (p pages) failed(q *frame.Request, err error, replace bool) error {
	problem, ok := err.(*wire.Problem)
	if !ok {
		return err
	}
	out := importPage{Page: page(q), Wrong: q.Lang.T("problem." + problem.Kind), Problem: q.Said(problem), Details: problem.Details, Replace: replace}
	return q.ShowAs(wire.HTTPStatus(problem.Kind), "import", out)
}

func (p pages) refuse(q *frame.Request, out importPage) error {
	out.Page = page(q)
	return q.ShowAs(wire.HTTPStatus(wire.KindRefused), "import", out)
}

func reportOf(q *frame.Request, in wire.Imported, name string) *report {
	out := &report{
		File: name, Rows: in.Rows, Added: shown(in.Added), Changed: shown(in.Changed), Removed: shown(in.Removed), Unchanged: shown(in.Unchanged), Format: q.Lang.Or("import.format.", in.Format), Encoding: in.Encoding,
		Normalized: in.Normalized, Faults: q.Sentences(first(in.Faults)), Warnings: q.Sentences(first(in.Warnings)), Diff: q.Sentences(first(in.Diff)), FaultCount: max(in.FaultCount, len(in.Faults)),
		Orphaned: in.Orphaned, OrphanedFirst: in.OrphanedFirst, Applied: in.Applied,
	}
	out.MoreFaults, out.MoreOld = len(in.Faults)-len(out.Faults), len(in.Warnings)-len(out.Warnings)
	out.MoreDiff = max(0, in.Added+in.Changed+in.Removed-len(out.Diff))
	out.Nothing = !in.Applied && in.Added+in.Changed+in.Removed == 0
	return out
}

func shown(n int) string { return view.Show(uint64(max(n, 0))) }

func first[S any](lines []S) []S { return lines[:min(len(lines), linesShown)] }

// nameOf is a file's name, short enough to be shown. Some browsers send the folder with it.
func nameOf(name string) string {
	runes := []rune(path.Base(strings.ReplaceAll(name, `\`, "/")))
	return string(runes[:min(len(runes), 100)])
}
