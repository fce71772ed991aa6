package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"almenara/cluster/command"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
)

// How an import is cut into entries of the log.
const (
	chunkMembers = 1000
	chunkBytes   = 128 << 10
)

// Import implements api.Audience. The file is read twice: once to judge it whole,
// once to stage it. Nothing of it holds before everything is staged and activated;
// from then on the district finishes it, whichever node leads.
func (n *Node) Import(ctx context.Context, by api.Caller, csv io.Reader, dryRun, replace bool, progress func(done, total int)) (wire.Imported, error) {
	file, err := n.spool(csv)
	if err != nil {
		return wire.Imported{}, err
	}
	defer func() { _ = file.Close(); _ = os.Remove(file.Name()) }()
	out, err := n.judge(file, dryRun, replace)
	if err != nil || dryRun || len(out.Faults) > 0 {
		return out, err
	}
	if err := n.apply(ctx, by, file, out.Rows, replace, progress); err != nil {
		return out, problem(err)
	}
	out.Applied = true
	return out, nil
}

// spool keeps the upload in a file beside the state: memory does not grow with it.
func (n *Node) spool(csv io.Reader) (*os.File, error) {
	if err := n.store.CheckSpace(audience.MaxImportBytes); err != nil {
		return nil, wire.Problemf(wire.KindBusy, "the disk is too full for an import: %v", err)
	}
	file, err := os.CreateTemp(n.options.Dir, uploads)
	if err != nil {
		return nil, fmt.Errorf("keeping the upload: %w", err)
	}
	size, err := io.Copy(file, io.LimitReader(csv, audience.MaxImportBytes+1))
	if err == nil && size > audience.MaxImportBytes {
		err = wire.Problemf(wire.KindTooLarge, "the file is larger than %d MiB; split it", audience.MaxImportBytes>>20)
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name())
		return nil, err
	}
	return file, nil
}

// judge says what the file would change and what is wrong with it.
func (n *Node) judge(file *os.File, dryRun, replace bool) (wire.Imported, error) {
	out := wire.Imported{DryRun: dryRun}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return out, fmt.Errorf("reading the upload: %w", err)
	}
	var report audience.Report
	var diff audience.Diff
	err := n.store.View(func(t *storage.Txn) (err error) {
		differ := audience.NewDiffer(liveMember(t), n.existing(replace))
		if report, err = audience.Scan(file, differ.Visit); err == nil {
			diff = differ.Finish()
		}
		return err
	})
	if err != nil {
		return out, wire.Problemf(wire.KindMalformed, "the file cannot be read: %v; nothing was changed", err)
	}
	out.Rows, out.Encoding, out.Format = report.Rows, report.Encoding, report.Format
	out.Added, out.Changed, out.Removed, out.Unchanged = diff.Added, diff.Changed, diff.Removed, diff.Unchanged
	out.Diff = diff.Lines
	for _, f := range report.Faults {
		if f.Warning {
			out.Warnings = append(out.Warnings, strings.Replace(f.String(), ": warning: ", ": ", 1))
		} else {
			out.Faults = append(out.Faults, f.String())
		}
	}
	if missing := report.Errors - len(out.Faults); missing > 0 {
		out.Faults = append(out.Faults, fmt.Sprintf("and %d more faults", missing))
	}
	return out, nil
}

// existing lists all member ids where the import replaces them; nil otherwise.
func (n *Node) existing(replace bool) iter.Seq[string] {
	if !replace {
		return nil
	}
	return func(yield func(string) bool) {
		index := n.state.Index()
		for it := index.Ordinals().Iterator(); it.HasNext(); {
			if id, ok := index.ID(it.Next()); ok && !yield(id) {
				return
			}
		}
	}
}

// importing is one import on its way into the log.
type importing struct {
	n        *Node
	ctx      context.Context
	by       string
	id       string
	chunk    uint32
	members  [][]byte
	bytes    int
	done     int
	total    int
	progress func(done, total int)
}

// apply stages the file, activates it and folds it in.
func (n *Node) apply(ctx context.Context, by api.Caller, file *os.File, rows int, replace bool, progress func(done, total int)) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the upload: %w", err)
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	in := &importing{n: n, ctx: ctx, by: by.Name, id: hex.EncodeToString(id[:]), total: rows, progress: progress}
	if err := in.stage(file); err != nil {
		return errors.Join(err, in.drop(context.WithoutCancel(ctx)))
	}
	if _, err := n.propose(ctx, by.Name, &command.ActivateImport{Import: in.id, Chunks: in.chunk, Replace: replace}); err != nil {
		return err // it may be active; the steward finishes it or drops it
	}
	return n.finishImport(ctx, in.id)
}

func (in *importing) stage(file io.Reader) error {
	_, err := audience.Scan(file, func(_ int, m audience.Member) error {
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
	_, err := in.n.propose(in.ctx, in.by, &command.StageMembers{Import: in.id, Chunk: in.chunk, Members: in.members})
	if err != nil {
		return err
	}
	in.chunk, in.members, in.bytes = in.chunk+1, nil, 0
	if in.progress != nil {
		in.progress(in.done, in.total)
	}
	return in.ctx.Err()
}

// drop gives up what was staged.
func (in *importing) drop(ctx context.Context) error {
	for {
		result, err := in.n.propose(ctx, in.by, &command.DropImport{Import: in.id})
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

// finishImports folds in what was activated and not finished, for whoever leads.
func (n *Node) finishImports(ctx context.Context) error {
	var imports []storage.Import
	err := n.store.View(func(t *storage.Txn) (err error) {
		imports, err = t.Imports()
		return err
	})
	for _, i := range imports {
		if err == nil && i.State == storage.ImportActive {
			err = n.finishImport(ctx, i.ID)
		}
	}
	if err != nil {
		return err
	}
	return n.dropAbandoned(ctx, imports)
}

// finishImport takes the steps of an active import. Others may take them at the
// same time: a step that was taken changes nothing.
func (n *Node) finishImport(ctx context.Context, id string) error {
	for {
		next, done, err := n.importStep(id)
		if err != nil || done {
			return err
		}
		result, err := n.propose(ctx, n.Name(), &command.FoldImport{Import: id, Chunk: next})
		if err != nil {
			return err
		}
		if r, err := command.DecodeData[command.ImportResult](result); err != nil || r.Done {
			return err
		}
	}
}

// importStep reads which step an import is at; done when there is nothing to do.
func (n *Node) importStep(id string) (next uint32, done bool, err error) {
	i, ok, err := n.state.Import(id)
	return i.Next, !ok || i.State != storage.ImportActive, err
}

// liveMember finds members for a comparison.
func liveMember(t *storage.Txn) func(id string) (*audience.Member, bool) {
	return func(id string) (*audience.Member, bool) {
		rec, ok, err := t.Member(id)
		if err != nil || !ok || rec.Removed {
			return nil, false
		}
		return &rec.Member, true
	}
}
