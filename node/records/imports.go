package records

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/records/held"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/imports"
	"almenara/storage/member"
)

// How an import is cut into entries of the log.
const (
	chunkMembers = 1000
	chunkBytes   = 128 << 10
)

// Import implements api.Audience. The file is read twice: once to judge it whole,
// once to stage it. Nothing of it holds before everything is staged and activated;
// from then on the district finishes it, whichever node leads.
func (im *Imports) Import(ctx context.Context, by authority.Caller, csv io.Reader, how wire.ImportOptions, progress func(wire.Progress)) (wire.Imported, error) {
	if progress == nil {
		progress = func(wire.Progress) {}
	}
	if err := inplaces.Whole(by, authority.ChangeAudience); how.Replace && err != nil {
		return wire.Imported{}, err
	}
	file, err := im.spool(csv)
	if err != nil {
		return wire.Imported{}, err
	}
	defer func() { _ = file.Close(); _ = os.Remove(file.Name()) }()
	if inplaces.Holds(by, authority.ChangeAudience) && !how.DryRun { // or two files beside each other would not count each other
		im.one.Lock()
		defer im.one.Unlock()
		if err := im.proposer.AwaitAgreed(ctx); err != nil {
			return wire.Imported{}, err
		}
	}
	out, err := im.judge(file, by, how, progress)
	if err != nil || how.DryRun || len(out.Faults) > 0 {
		return out, err
	}
	if out.Orphaned > 0 && !how.Yes {
		return wire.Imported{}, orphaning(out)
	}
	in := im.newImporting(ctx, by, int64(out.Rows), progress)
	if err := in.apply(file, how.Replace); err != nil {
		return out, err
	}
	im.proposer.CatchUp(ctx)
	out.Applied = true
	return out, nil
}

// spool keeps the upload in a file beside the state: memory does not grow with it.
func (im *Imports) spool(csv io.Reader) (*os.File, error) {
	if err := im.proposer.disk.Refusal(); err != nil {
		return nil, err
	}
	if err := im.proposer.store.CheckSpace(imports.MaxImportBytes); err != nil {
		return nil, wire.Problemf(wire.KindBusy, "the disk is too full for an import: %v", err).Because(why.DiskFull)
	}
	file, err := os.CreateTemp(im.dir, uploads)
	if err != nil {
		return nil, fmt.Errorf("keeping the upload: %w", err)
	}
	size, err := io.Copy(file, io.LimitReader(csv, imports.MaxImportBytes+1))
	if err == nil && size > imports.MaxImportBytes {
		err = wire.Problemf(wire.KindTooLarge, "the file is larger than %d MiB; split it", imports.MaxImportBytes>>20).Because(why.FileLarge, imports.MaxImportBytes>>20)
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name())
		return nil, err
	}
	return file, nil
}

// judge says what the file would change and what is wrong with it, and refuses it where there would be too many members.
func (im *Imports) judge(file *os.File, by authority.Caller, how wire.ImportOptions, progress func(wire.Progress)) (wire.Imported, error) {
	out := wire.Imported{DryRun: how.DryRun}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return out, fmt.Errorf("reading the upload: %w", err)
	}
	var report imports.Report
	var diff imports.Diff
	var elsewhere error
	added := held.Added{}
	err := im.proposer.store.View(func(t *storage.Txn) (err error) {
		differ := imports.NewDiffer(liveMember(t), im.existing(how.Replace))
		visit := held.Rows(by, liveMember(t), differ.Visit, &elsewhere, added)
		removed := map[string]bool{}
		differ.Removed = func(id string) { removed[id] = true }
		if report, err = imports.ScanWith(file, im.importRules(), counted(visit, progress)); err != nil {
			return err
		}
		diff = differ.Finish()
		return countOrphans(t, removed, &out)
	})
	if err != nil {
		return out, wire.Problemf(wire.KindMalformed, "the file cannot be read: %v; nothing was changed", err).Because(why.FileUnreadable, err)
	}
	if err := cmp.Or(elsewhere, held.MembersFit(by, im.state.Index(), added, diff.Added-diff.Removed)); err != nil {
		return out, err
	}
	out.Rows, out.Encoding, out.Format = report.Rows, report.Encoding, report.Format
	out.Added, out.Changed, out.Removed, out.Unchanged = diff.Added, diff.Changed, diff.Removed, diff.Unchanged
	out.Diff, out.Normalized = why.Each(why.ImportChange, diff.Changes), report.Normalized
	for _, f := range report.Faults {
		says := why.Sayf("%v", error(f)).Because(why.ImportFault, f) // whoever shows a warning calls it so
		if f.Warning {
			out.Warnings = append(out.Warnings, says)
		} else {
			out.Faults = append(out.Faults, says)
		}
	}
	out.FaultCount = report.Errors
	if missing := report.Errors - len(out.Faults); missing > 0 {
		out.Faults = append(out.Faults, why.Sayf("and %d more faults", missing).Because(why.MoreFaults, missing))
	}
	return out, nil
}

// importRules are what rows are held against that read well.
func (im *Imports) importRules() imports.Rules {
	index := im.state.Index()
	return imports.Rules{Kind: index.HasKind, Place: index.MayHold}
}

// countOrphans notes the devices that would be left without their members.
func countOrphans(t *storage.Txn, removed map[string]bool, out *wire.Imported) error {
	if len(removed) == 0 {
		return nil
	}
	return storage.Devices.Each(t, func(d storage.Device) error {
		if d.Revoked || !removed[d.Member] {
			return nil
		}
		if out.Orphaned++; len(out.OrphanedFirst) < 10 {
			out.OrphanedFirst = append(out.OrphanedFirst, d.ID)
		}
		return nil
	})
}

// orphaning refuses an import that nobody has confirmed.
func orphaning(out wire.Imported) error {
	p := wire.Problemf(wire.KindConflict, "the file lacks members that %d enrolled devices belong to, and no alert would reach those devices any more; "+
		"nothing was changed: add the members, revoke the devices, or say that it is meant (--yes)", out.Orphaned).Because(why.LacksMembers, out.Orphaned)
	p.Details = out.OrphanedFirst
	return p
}

// RemoveMember implements service.Imports. Devices that would be left without their member are named, and
// then nothing happens unless it is meant.
func (im *Imports) RemoveMember(ctx context.Context, by authority.Caller, id string, yes bool) (wire.RemovedMember, error) {
	if err := im.proposer.AwaitAgreed(ctx); err != nil { // or a device that was enrolled elsewhere would be passed over
		return wire.RemovedMember{}, err
	}
	if _, known := im.state.Index().Ordinal(id); !known {
		return wire.RemovedMember{}, wire.Problemf(wire.KindNotFound, "there is no member %s; nothing was changed", id).Because(why.NoMember, id)
	}
	var left wire.Imported
	var elsewhere error
	if err := im.proposer.store.View(func(t *storage.Txn) error {
		if m, known := liveMember(t)(id); known {
			elsewhere = inplaces.Hold(by, authority.ChangeAudience, id, string(m.Place))
		}
		return countOrphans(t, map[string]bool{id: true}, &left)
	}); err != nil || elsewhere != nil {
		return wire.RemovedMember{}, errors.Join(elsewhere, err)
	}
	out := wire.RemovedMember{Member: id, Orphaned: left.Orphaned, OrphanedFirst: left.OrphanedFirst}
	if out.Orphaned > 0 && !yes {
		p := wire.Problemf(wire.KindConflict, "enrolled devices belong to %s, %d of them, and no alert would reach those any more; "+
			"nothing was changed: revoke the devices, or say that it is meant (--yes)", id, out.Orphaned).Because(why.MemberHasDevices, id, out.Orphaned)
		p.Details = out.OrphanedFirst
		return wire.RemovedMember{}, p
	}
	_, err := im.proposer.Change(ctx, by.Name, &command.RemoveMembers{IDs: []string{id}})
	return out, err
}

// counted tells how many rows were visited, every thousand of them.
func counted(visit func(int, audience.Member) error, progress func(wire.Progress)) func(int, audience.Member) error {
	var rows int64
	return func(line int, m audience.Member) error {
		if rows++; rows%chunkMembers == 0 {
			progress(wire.Progress{Phase: wire.PhaseChecking, Done: rows})
		}
		return visit(line, m)
	}
}

// existing lists all member ids where the import replaces them; nil otherwise.
func (im *Imports) existing(replace bool) iter.Seq[string] {
	if !replace {
		return nil
	}
	return func(yield func(string) bool) {
		index := im.state.Index()
		for it := index.Ordinals().Iterator(); it.HasNext(); {
			if id, ok := index.ID(it.Next()); ok && !yield(id) {
				return
			}
		}
	}
}

// importing is one import on its way into the log.
type importing struct {
	im       *Imports
	ctx      context.Context
	by       string
	id       string
	chunk    uint32
	members  [][]byte
	bytes    int
	done     int64
	total    int64
	progress func(wire.Progress)
}

func (im *Imports) newImporting(ctx context.Context, by authority.Caller, rows int64, progress func(wire.Progress)) *importing {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return &importing{im: im, ctx: ctx, by: by.Name, id: hex.EncodeToString(id[:]), total: rows, progress: progress}
}

// apply stages the file, activates it and folds it in. Errors are for the caller of
// the API: from the activation on it may or will happen.
func (in *importing) apply(file *os.File, replace bool) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the upload: %w", err)
	}
	if err := in.stage(file); err != nil {
		return in.im.proposer.Problem(errors.Join(err, in.drop(context.WithoutCancel(in.ctx))))
	}
	result, err := in.im.proposer.Propose(in.ctx, in.by, &command.ActivateImport{Import: in.id, Chunks: in.chunk, Replace: replace})
	if errors.Is(err, command.ErrConflict) { // another one is being folded in
		return in.im.proposer.Problem(errors.Join(err, in.drop(context.WithoutCancel(in.ctx))))
	}
	if err != nil {
		return in.im.proposer.Problem(err)
	}
	step, err := command.DecodeData[command.ImportResult](result)
	if err == nil {
		err = in.im.foldImport(in.ctx, in.id, step, in.tellFold)
	}
	if err != nil {
		in.im.proposer.log.Warn("an import goes on without whoever asked for it", "import", in.id, "error", err)
		return wire.Problemf(wire.KindUnknownOutcome,
			"the import is agreed on and the district finishes it by itself; when it has is not known here: look again before you repeat it").Because(why.ImportGoesOn)
	}
	return nil
}

// tellFold tells how far the folding is.
func (in *importing) tellFold(step command.ImportResult) {
	if step.Next > in.chunk {
		in.progress(wire.Progress{Phase: wire.PhaseRemoving, Done: int64(step.Removed)})
		return
	}
	in.progress(wire.Progress{Phase: wire.PhaseFolding, Done: in.total * int64(step.Next) / int64(in.chunk), Total: in.total})
}

func (in *importing) stage(file io.Reader) error {
	_, err := imports.Scan(file, func(_ int, m audience.Member) error {
		encoded := audience.EncodeMember(&m)
		in.members, in.bytes, in.done = append(in.members, encoded), in.bytes+len(encoded), in.done+1
		if len(in.members) < chunkMembers && in.bytes < chunkBytes {
			return nil
		}
		return in.flush()
	})
	if err == nil && len(in.members) > 0 {
		err = in.flush()
	}
	return err
}

func (in *importing) flush() error {
	_, err := in.im.proposer.Propose(in.ctx, in.by, &command.StageMembers{Import: in.id, Chunk: in.chunk, Members: in.members})
	if err != nil {
		return err
	}
	in.chunk, in.members, in.bytes = in.chunk+1, nil, 0
	in.progress(wire.Progress{Phase: wire.PhaseStaging, Done: in.done, Total: in.total})
	return in.ctx.Err()
}

// drop gives up what was staged.
func (in *importing) drop(ctx context.Context) error {
	for {
		result, err := in.im.proposer.Propose(ctx, in.by, &command.DropImport{Import: in.id})
		if errors.Is(err, command.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if r, err := command.DecodeData[command.ImportResult](result); err != nil || r.Done {
			return err
		}
	}
}

// FinishImports folds in what was activated and not finished, for whoever leads.
func (im *Imports) FinishImports(ctx context.Context) error {
	var imports []member.Import
	err := im.proposer.store.View(func(t *storage.Txn) (err error) {
		imports, err = member.Imports.All(t)
		return err
	})
	if err != nil {
		return err
	}
	errs := []error{im.dropAbandoned(ctx, imports)}
	for _, i := range imports { // one that fails stops no other
		if i.State == member.ImportActive {
			errs = append(errs, im.foldImport(ctx, i.ID, command.ImportResult{Next: i.Next}, func(command.ImportResult) {}))
		}
	}
	return errors.Join(errs...)
}

// foldImport takes the steps of an active import from step on and tells of each.
// Others may take them at the same time: a step that was taken changes nothing, and
// its answer says which is the next one.
func (im *Imports) foldImport(ctx context.Context, id string, step command.ImportResult, tell func(command.ImportResult)) error {
	for !step.Done {
		result, err := im.proposer.Propose(ctx, im.name, &command.FoldImport{Import: id, Chunk: step.Next})
		if err != nil {
			return err
		}
		if step, err = command.DecodeData[command.ImportResult](result); err != nil {
			return err
		}
		tell(step)
	}
	return nil
}

// liveMember finds members for a comparison.
func liveMember(t *storage.Txn) func(id string) (*audience.Member, bool) {
	return func(id string) (*audience.Member, bool) {
		rec, ok, err := member.Get(t, id)
		if err != nil || !ok || rec.Removed {
			return nil, false
		}
		return &rec.Member, true
	}
}

// ImportsOptions say what Imports need. None may be empty.
type ImportsOptions struct {
	Proposer *Proposer
	Dir      string // the data folder, where uploads lie while they are read
	Name     string // of the node, which finishes what others began
	State    *agreed.Reader
}

// Imports brings whole audiences into the district. Its methods may be called from any
// goroutine, Finish from one.
type Imports struct {
	proposer *Proposer
	dir      string
	name     string
	state    *agreed.Reader
	staging  stalledImports
	one      sync.Mutex // of files of who is limited to places
}

// NewImports makes one.
func NewImports(o ImportsOptions) *Imports {
	return &Imports{proposer: o.Proposer, dir: o.Dir, name: o.Name, state: o.State}
}
