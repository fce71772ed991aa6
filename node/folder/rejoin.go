package folder

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/journal"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/node/reachable"
	"almenara/storage"
	"almenara/storage/audit"
	"almenara/storage/durable"
	"almenara/storage/noderecord"
	"almenara/storage/wait"
)

const (
	pageBytes     = 1 << 20     // bounds what is handed over at once
	rejoiningFile = "rejoining" // Rejoin is under way; holds the old server id
	nextDir       = "identity.next"
	adoptedPause  = 250 * time.Millisecond
	adoptedTime   = time.Minute
)

// ErrLeftBehind is returned by Rejoin when facts of the old node cannot be handed over.
// Nothing was changed but what was handed over.
var ErrLeftBehind = errors.New("facts would be lost that only this node has")

// RejoinOptions say how a node comes back.
type RejoinOptions struct {
	Dir   string
	Token string // of an invitation
	// Lossy goes on though facts could not be handed over: what only this node has is
	// lost then.
	Lossy  bool
	Logger *slog.Logger
	// Progress is told what is being done; nil tells nobody.
	Progress func(string)
}

// Rejoined says what Rejoin did; all of it is durable.
type Rejoined struct {
	Node, Old string // server ids
	Sent      int    // facts that the district did not have
	Gaps      int    // streams of which facts are gone with a damaged state
	Changes   int    // lines of agreed changes that were left behind
	Report    string // file that lists them; "" for none
	Unread    string // why the old state could not be read; "" when it could
}

// Rejoin brings a node that may not return under its id back as a new one: quarantined,
// removed, or with a log or a state that is lost or damaged. In the order in which it
// becomes durable: its facts are given to the district and adopted there, it is
// admitted under a new id, what was agreed is wiped, the new identity takes the old
// one's place. The node must not be running; afterwards it is started as before, and
// the old id is removed when the new one has a vote.
//
// It may be repeated, with a new invitation where the first was not used up, after any
// failure or crash.
func Rejoin(ctx context.Context, o RejoinOptions) (Rejoined, error) {
	r, err := newRejoin(o)
	if err != nil {
		return Rejoined{}, err
	}
	if err := r.run(ctx); err != nil {
		return r.out, fmt.Errorf("joining anew: %w", err)
	}
	return r.out, nil
}

type rejoin struct {
	o        RejoinOptions
	token    identity.Token
	settings Settings
	identity *identity.Identity
	wiping   bool // an earlier attempt was admitted already
	out      Rejoined
}

func newRejoin(o RejoinOptions) (*rejoin, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r := &rejoin{o: o}
	var err error
	if r.settings, err = Load(o.Dir); err != nil {
		return nil, err
	}
	if r.token, err = identity.ParseToken(o.Token); err != nil {
		return nil, err
	}
	if r.settings.Advertised() == "" {
		return nil, fmt.Errorf("%w: the other nodes must know where to reach this one", reachable.ErrOptions)
	}
	if raw, err := os.ReadFile(filepath.Join(o.Dir, rejoiningFile)); err == nil {
		r.wiping, r.out.Old = true, string(raw)
		return r, nil
	}
	if r.identity, err = identity.Load(IdentityDir(o.Dir)); err != nil {
		return nil, fmt.Errorf("%w; a box without its identity joins as a new one, with almenara join into an empty folder", err)
	}
	r.out.Old = r.identity.NodeID
	if r.token.District != r.identity.District.ID {
		return nil, fmt.Errorf("%w: the invitation is for another district than this node's", identity.ErrWrongDistrict)
	}
	return r, nil
}

func (r *rejoin) run(ctx context.Context) error {
	if !r.wiping {
		if err := r.empty(ctx); err != nil {
			return err
		}
		r.o.Progress("joining under a new id")
		_, err := joining.Join(ctx, r.token, filepath.Join(r.o.Dir, nextDir), r.settings.Hosts()[:1], command.Max())
		if err != nil && !errors.Is(err, identity.ErrAlreadyMember) { // that is an earlier attempt's
			return err
		}
		if err := leaveMark(r.o.Dir, rejoiningFile, r.out.Old); err != nil {
			return err
		}
	}
	r.o.Progress("wiping what was agreed")
	return r.wipe()
}

// empty hands over what only this node has.
func (r *rejoin) empty(ctx context.Context) error {
	old, err := r.open()
	if err != nil {
		return err
	}
	defer old.close()
	if err := r.report(old.store); err != nil {
		return err
	}
	r.o.Progress("handing over alerts and receipts")
	err = r.handOver(ctx, old)
	if err == nil && r.out.Gaps > 0 {
		err = fmt.Errorf("%d streams have facts that were in the damaged state alone", r.out.Gaps)
	}
	if err == nil || r.o.Lossy {
		return nil
	}
	return fmt.Errorf("%w: %w; nothing was wiped", ErrLeftBehind, err)
}

// handOver repeats until the district has adopted everything.
func (r *rejoin) handOver(ctx context.Context, old *remains) (err error) {
	ctx, cancel := context.WithTimeout(ctx, adoptedTime)
	defer cancel()
	for {
		err = errors.New("no node of the district answers")
		for _, addr := range r.token.Addrs {
			var out exchange.HandedOver
			out, err = HandOver(ctx, r.identity, addr, old.ring, old.exchange, old.lanes)
			r.out.Sent += out.Sent
			if err == nil {
				r.out.Gaps = len(out.Gaps)
				if out.Complete() {
					return nil
				}
				break
			}
		}
		if !wait.Sleep(ctx, adoptedPause) {
			if err == nil {
				err = errors.New("the district has taken them and not agreed on them yet; run this again")
			}
			return err
		}
	}
}

// report writes the agreed changes that this node has from after the new incarnation
// began elsewhere.
func (r *rejoin) report(store *storage.Store) error {
	q, err := marks.LoadQuarantine(RaftDir(r.o.Dir), r.identity.District)
	if err != nil || q == nil || q.By == nil || store == nil {
		return err
	}
	from := q.By.Audit + 1
	err = store.View(func(t *storage.Txn) error {
		return audit.Each(t, from, 0, func(e audit.Entry) (bool, error) {
			if !ofFacts(e.Action) {
				r.out.Changes++
			}
			return true, nil
		})
	})
	if err != nil || r.out.Changes == 0 {
		return err
	}
	name := filepath.Join(r.o.Dir, "left-behind-"+r.out.Old[:8]+".jsonl")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("reporting what is left behind: %w", err)
	}
	if err := errors.Join(audit.Export(store, io.Writer(f), from, 0), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("reporting what is left behind: %w", err)
	}
	r.out.Report = name
	return durable.SyncDir(r.o.Dir)
}

// ofFacts reports whether an audit line is about a fact, which is handed over.
func ofFacts(action string) bool {
	return slices.ContainsFunc([]string{"alert ", "fact ", "fan-out", "receipts"}, func(p string) bool {
		return len(action) >= len(p) && action[:len(p)] == p
	})
}

// wipe deletes everything of the old node and puts the new identity in its place.
func (r *rejoin) wipe() error {
	next := filepath.Join(r.o.Dir, nextDir)
	if _, err := os.Stat(next); err == nil {
		for _, part := range []string{stateDir, "raft", "raft.lost", journalDir, "clock", "identity"} {
			if err := os.RemoveAll(filepath.Join(r.o.Dir, part)); err != nil {
				return fmt.Errorf("wiping %s: %w", part, err)
			}
		}
		if err := os.Rename(next, IdentityDir(r.o.Dir)); err != nil {
			return fmt.Errorf("taking the new identity: %w", err)
		}
	}
	id, err := identity.Load(IdentityDir(r.o.Dir))
	if err != nil {
		return err
	}
	r.out.Node = id.NodeID
	r.settings.Genesis = nil
	if !slices.Contains(r.settings.Replaces, r.out.Old) {
		r.settings.Replaces = append(r.settings.Replaces, r.out.Old)
	}
	if err := r.settings.Save(r.o.Dir); err != nil {
		return err
	}
	return endMark(r.o.Dir, rejoiningFile)
}

// remains are what can still be read of a node that is not running. store is nil
// where the state cannot be.
type remains struct {
	store    *storage.Store
	state    *agreed.Reader
	journal  *journal.Journal
	exchange *exchange.Exchange
	lanes    []fact.Lane
	ring     []byte
}

func (m *remains) close() {
	if m.exchange != nil {
		m.exchange.Stop()
	}
	if m.journal != nil {
		_ = m.journal.Close() // nothing was written to it
	}
	if m.store != nil {
		_ = m.store.Close()
	}
}

func (r *rejoin) open() (*remains, error) {
	m := &remains{}
	if err := m.openState(r.o); errors.Is(err, durable.ErrInUse) {
		return nil, err
	} else if err != nil {
		r.out.Unread = err.Error()
	}
	err := m.openFacts(r)
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// openState opens the state; what it leaves open after an error can be read no more.
func (m *remains) openState(o RejoinOptions) error {
	dir := StateDir(o.Dir)
	if _, err := os.Stat(filepath.Join(dir, "CURRENT")); err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	store, err := storage.Open(dir, storage.Options{Logger: o.Logger})
	if err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	machine, err := fsm.New(store, fsm.Hooks{Halt: func(error) {}, Logger: o.Logger})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	state := agreed.New(machine)
	marks, err := state.Marks()
	if err != nil {
		return errors.Join(err, store.Close())
	}
	m.store, m.state, m.lanes = store, state, LanesOf(marks)
	_ = store.View(func(t *storage.Txn) error { // without it only known keys are believed
		ring, _, err := noderecord.KeyRingRecord.Get(t)
		m.ring = []byte(ring.Signed)
		return err
	})
	return nil
}

// openFacts opens the journal and puts an exchange over it that is never started.
func (m *remains) openFacts(r *rejoin) error {
	options := journalAsIs(JournalDir(r.o.Dir))
	options.Origin, options.Logger = r.out.Old, r.o.Logger
	j, err := journal.Open(options)
	if err != nil {
		return err
	}
	m.journal = j
	clock, err := fact.OpenClock(filepath.Join(r.o.Dir, "clock"), nil)
	if err != nil {
		return err
	}
	m.exchange = exchange.New(exchange.Options{
		Journal: j, Clock: clock, Logger: r.o.Logger, Signer: fact.Signer{Origin: r.out.Old},
		Keys:  func(string, string) (ed25519.PublicKey, bool) { return nil, false },
		Peers: func() []string { return nil }, Marks: m.mark, FromStore: m.fromStore,
		Propose: func(context.Context, []fact.Signed) error { return outcome.ErrStopped },
		OnNew:   func(fact.Fact, fact.Signed) {},
	})
	return nil
}

// journalAsIs opens a journal with the files that are there, whatever sizes its node was
// told.
func journalAsIs(dir string) journal.Options {
	o := journal.Options{Dir: dir, AlertsBytes: 4 << 20, ReceiptsBytes: 4 << 20, SegmentBytes: 1 << 20}
	for stream, total := range map[string]*int64{"alerts": &o.AlertsBytes, "receipts": &o.ReceiptsBytes} {
		files, _ := filepath.Glob(filepath.Join(dir, stream+"-*.journal")) // the pattern is good
		var sum int64
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.Size() > 0 {
				sum, o.SegmentBytes = sum+info.Size(), info.Size()
			}
		}
		*total = max(sum, 4*o.SegmentBytes)
	}
	return o
}

func (m *remains) mark(origin string, stream fact.Stream, epoch uint64) uint64 {
	if m.state == nil {
		return 0
	}
	seq, _ := m.state.Mark(origin, stream, epoch) // unreadable is as good as not there
	return seq
}

func (m *remains) fromStore(origin string, stream fact.Stream, epoch, seq uint64, most int) ([]fact.Signed, error) {
	if m.state == nil {
		return nil, nil
	}
	return m.state.FactsAfter(origin, stream, epoch, seq, most, pageBytes)
}
