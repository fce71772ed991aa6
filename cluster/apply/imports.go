package apply

import (
	"fmt"
	"slices"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/member"
)

func importResult(i member.Import) command.ImportResult {
	next := i.Next
	if i.State == member.ImportStaging {
		next = i.Staged
	}
	return command.ImportResult{Next: next, Done: i.State == member.ImportDone, Put: i.Put, Removed: i.Removed}
}

// noImport answers for an import that cannot be read, or that is none.
func noImport(id string, err error) (command.Result, string, error) {
	if err != nil {
		return failed(err)
	}
	return refuse(command.KindNotFound, "import-none", "import %q is not known", id)
}

// stageMembers checks and keeps one chunk. Nothing else sees it.
func (e *entry) stageMembers(p *command.StageMembers) (command.Result, string, error) {
	imp, known, err := member.Imports.Get(e.Txn, p.Import)
	if err != nil {
		return failed(err)
	}
	if !known {
		imp = member.Import{ID: p.Import, State: member.ImportStaging}
	}
	switch {
	case imp.State != member.ImportStaging:
		return refuse(command.KindConflict, "import-active", "import %q is active already", p.Import)
	case p.Chunk < imp.Staged:
		return command.OK(importResult(imp)), "", nil
	case p.Chunk > imp.Staged:
		return refuse(command.KindGap, "import-chunk", "want chunk %d of import %q", imp.Staged, p.Import)
	}
	if _, refusal, ok := parseMembers(p.Members); !ok {
		return refusal, "", nil
	}
	if err := member.PutChunk(e.Txn, p.Import, p.Chunk, p.Members); err != nil {
		return failed(err)
	}
	imp.Staged++
	return command.OK(importResult(imp)), "", member.Imports.Put(e.Txn, imp)
}

// activateImport makes a complete import inevitable. Only one may be active, so that
// what is removed at its end is clear.
func (e *entry) activateImport(p *command.ActivateImport) (command.Result, string, error) {
	all, err := member.Imports.All(e.Txn)
	if err != nil {
		return failed(err)
	}
	var imp member.Import
	for _, i := range all {
		if i.ID == p.Import {
			imp = i
		} else if i.State == member.ImportActive {
			return refuse(command.KindConflict, "import-other", "import %q is still being folded in", i.ID)
		}
	}
	switch {
	case imp.ID == "":
		return noImport(p.Import, nil)
	case imp.State != member.ImportStaging:
		return command.OK(importResult(imp)), "", nil
	case imp.Staged != p.Chunks:
		return refuse(command.KindGap, "import-chunk", "want chunk %d of import %q", imp.Staged, p.Import)
	}
	imp.State, imp.Chunks, imp.Replace, imp.Index = member.ImportActive, p.Chunks, p.Replace, e.index
	if imp.Chunks == 0 && !imp.Replace {
		imp.State = member.ImportDone
	}
	if err := member.Imports.Put(e.Txn, imp); err != nil {
		return failed(err)
	}
	e.Changed |= ChangedImports
	return done(importResult(imp), "%s, %d chunks, replace %t", p.Import, p.Chunks, p.Replace)
}

// importActive reports whether an import is being folded in.
func (e *entry) importActive() (bool, error) {
	all, err := member.Imports.All(e.Txn)
	return slices.ContainsFunc(all, func(i member.Import) bool { return i.State == member.ImportActive }), err
}

// foldImport takes the step that p.Chunk names, if it is the next one.
func (e *entry) foldImport(p *command.FoldImport) (command.Result, string, error) {
	imp, known, err := member.Imports.Get(e.Txn, p.Import)
	if err != nil || !known {
		return noImport(p.Import, err)
	}
	switch {
	case imp.State == member.ImportStaging:
		return refuse(command.KindConflict, "import-inactive", "import %q is not active", p.Import)
	case imp.State == member.ImportDone || p.Chunk < imp.Next:
		return command.OK(importResult(imp)), "", nil
	case p.Chunk > imp.Next:
		return refuse(command.KindGap, "import-step", "want step %d of import %q", imp.Next, p.Import)
	}
	if imp.Next < imp.Chunks {
		err = e.foldChunk(&imp)
	} else {
		err = e.sweepMembers(&imp)
	}
	if err != nil {
		return failed(err)
	}
	imp.Next++
	if imp.Next == imp.Chunks && !imp.Replace {
		imp.State = member.ImportDone
	}
	if err := member.Imports.Put(e.Txn, imp); err != nil {
		return failed(err)
	}
	e.Changed |= ChangedMembers
	summary := ""
	if imp.State == member.ImportDone {
		e.Changed |= ChangedImports
		summary = fmt.Sprintf("%s done: %d members put, %d removed", imp.ID, imp.Put, imp.Removed)
	}
	return command.OK(importResult(imp)), summary, nil
}

// foldChunk writes the members of the next chunk, except those that were written
// after the activation: that was later, so it wins.
func (e *entry) foldChunk(imp *member.Import) error {
	raws, ok, err := member.Chunk(e.Txn, imp.ID, imp.Next)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: chunk %d of import %q is gone", storage.ErrDamaged, imp.Next, imp.ID)
	}
	for _, raw := range raws {
		m, err := audience.DecodeMember(raw)
		if err != nil {
			return fmt.Errorf("%w: chunk %d of import %q: %w", storage.ErrDamaged, imp.Next, imp.ID, err)
		}
		head, known, err := member.Head(e.Txn, m.ID)
		if err != nil {
			return err
		}
		if known && head.Index > imp.Index {
			continue
		}
		if err := e.replaceMember(head, known, &parsed{m, raw}); err != nil {
			return err
		}
		imp.Put++
	}
	return member.RemoveChunk(e.Txn, imp.ID, imp.Next)
}

// sweepMembers looks at the next members by id and removes those that nobody has
// written since the activation: they are not in the import.
func (e *entry) sweepMembers(imp *member.Import) error {
	var stale []string
	seen := 0
	err := member.Heads(e.Txn, imp.Cursor, func(head member.Record) bool {
		seen++
		imp.Cursor = head.Member.ID
		if !head.Removed && head.Index <= imp.Index {
			stale = append(stale, head.Member.ID)
		}
		return seen < command.SweepStep
	})
	if err != nil {
		return err
	}
	for _, id := range stale {
		if _, err := e.dropMember(id); err != nil {
			return err
		}
	}
	imp.Removed += uint64(len(stale))
	if seen < command.SweepStep {
		imp.State = member.ImportDone
	}
	return nil
}

// dropImport deletes the chunks of an import that is not active, from the last on.
func (e *entry) dropImport(p *command.DropImport) (command.Result, string, error) {
	imp, known, err := member.Imports.Get(e.Txn, p.Import)
	if err != nil || !known {
		return noImport(p.Import, err)
	}
	switch {
	case imp.State == member.ImportActive:
		return refuse(command.KindConflict, "import-not-dropped", "import %q is active and cannot be dropped", p.Import)
	case imp.State == member.ImportDone:
		imp.Staged = 0
	}
	for n := 0; n < command.DropStep && imp.Staged > 0; n++ {
		imp.Staged--
		if err := member.RemoveChunk(e.Txn, imp.ID, imp.Staged); err != nil {
			return failed(err)
		}
	}
	if imp.Staged > 0 {
		return command.OK(importResult(imp)), "", member.Imports.Put(e.Txn, imp)
	}
	if err := member.Imports.Delete(e.Txn, imp.ID); err != nil {
		return failed(err)
	}
	return done(command.ImportResult{Done: true}, "%s", imp.ID)
}
