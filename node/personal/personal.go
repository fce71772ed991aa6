// Package personal erases what is known of persons, and removes what is kept no longer than the district
// wants.
//
//	administrator ─> ErasePerson ─> a pseudonym in the log ─> FinishErasures: what was recorded is searched, step by step
//	leader, daily ─> RemoveOld: what is older than the district keeps
//	every node   ─> leftovers: the log of changes moves on, the store and the journal are written anew, photos go
//
// It never imports api, pages, channels or another part of node but authority and wire.
package personal

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/wire"
	shown "almenara/node/wire/personal"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
	"almenara/storage/member"
	"almenara/storage/personal"
)

// Proposer has changes agreed on; *records.Proposer is one.
type Proposer interface {
	Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
	// Understood reports an error while a node of the district does not understand commands of a version.
	Understood(ctx context.Context, version uint64) error
}

// Options say what a Personal needs. None may be nil.
type Options struct {
	Dir      string // the data folder
	Store    *storage.Store
	Proposer Proposer
	Name     func() string // of this node, for the audit
	// Trusted reports whether this node's clock is right, as far as it knows: nothing is removed for its age before.
	Trusted func() bool
	// Books are what people reported and answered, in the memory of this node, and Photos the folder of photos.
	Books  []Book
	Photos Photos
	// Log is the first entry that this node's log of changes still has, and the last that was applied here.
	Log func() (first, applied uint64)
	// Propose commits an entry that does nothing.
	Propose func(ctx context.Context, entry []byte) ([]byte, error)
	// Journal overwrites what the journal holds no longer.
	Journal func() error
	// Emergency reports whether a real emergency is in force.
	Emergency func() bool
	Clock     func() time.Time
	Logger    *slog.Logger
}

// Personal answers service.Personal, and does what is to be done of itself. Its methods may be called from any
// goroutine, AtLeader and Clear by one at a time each.
type Personal struct {
	o         Options
	leftovers *leftovers
}

// New makes one.
func New(o Options) *Personal { return &Personal{o, openLeftovers(o)} }

// AtLeader is a duty of the leader: what is left of erasing persons, what is kept no longer, and moving the log of
// changes on.
func (p *Personal) AtLeader(ctx context.Context) error {
	return errors.Join(p.FinishErasures(ctx), p.RemoveOld(ctx), p.leftovers.moveLog(ctx))
}

// Clear is a duty of every node: it writes this node's files anew where they may hold something of an erased
// person, and remembers that.
func (p *Personal) Clear(context.Context) error { return p.leftovers.clear() }

// pageOfFacts is how many facts are read at a time.
const pageOfFacts = 500

// ShowPerson implements service.Personal.
func (p *Personal) ShowPerson(_ context.Context, by authority.Caller, id string) (out shown.Person, err error) {
	if err := authority.Door(by, authority.ErasePersons); err != nil {
		return out, err
	}
	return out, p.o.Store.View(func(t *storage.Txn) error {
		rec, known, err := member.Get(t, id)
		if err != nil {
			return fmt.Errorf("reading a member: %w", err)
		}
		if !known || strings.HasPrefix(id, personal.PseudonymPrefix) {
			return wire.Problemf(wire.KindNotFound, "there is no member %.100q", id).Because(why.NoMember, id)
		}
		out = shown.Person{Member: id, Name: rec.Member.Name, Kind: string(rec.Member.Kind), Place: string(rec.Member.Place), Removed: rec.Removed, Devices: []string{}}
		if err := storage.Devices.Each(t, func(d storage.Device) error {
			if d.Member == id {
				out.Devices = append(out.Devices, d.ID)
			}
			return nil
		}); err != nil {
			return fmt.Errorf("reading devices: %w", err)
		}
		return count(t, rec.Ordinal, &out)
	})
}

// count counts what was recorded of the person.
func count(t *storage.Txn, ordinal uint32, out *shown.Person) error {
	if err := each(t, fact.KindReport, func(f fact.Fact, _ bool) bool {
		if r, err := factbody.DecodeReport(f.Body); err == nil && r.Member == ordinal {
			out.Reports++
		}
		return true
	}); err != nil {
		return err
	}
	return each(t, fact.KindFollowUp, func(f fact.Fact, _ bool) bool {
		if u, err := factbody.DecodeFollowUp(f.Body); err == nil && u.Note != "" && slices.Contains(u.Members, ordinal) {
			out.Notes++
		}
		return true
	})
}

// each calls fn for the listed facts of a kind in log order, until it returns false; erased says that one has lost
// words.
func each(t *storage.Txn, kind fact.Kind, fn func(f fact.Fact, erased bool) bool) error {
	return eachKept(t, kind, 0, 0, func(_ uint64, f fact.Fact, erased bool) bool { return fn(f, erased) })
}

// eachKept is each after a place in the log; fn is told at which index a fact was agreed on.
func eachKept(t *storage.Txn, kind fact.Kind, index uint64, n uint16, fn func(index uint64, f fact.Fact, erased bool) bool) error {
	for {
		page, err := factlog.KeptAfter(t, uint8(kind), index, n, pageOfFacts)
		if err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		for _, k := range page {
			index, n = k.Index, k.N
			signed, err := fact.DecodeSigned(k.Signed)
			if err != nil {
				return fmt.Errorf("reading facts: %w", err)
			}
			if f, err := signed.Fact(); err == nil && !fn(index, f, signed.Erased()) {
				return nil
			}
		}
		if len(page) < pageOfFacts {
			return nil
		}
	}
}

// ErasePerson implements service.Personal.
func (p *Personal) ErasePerson(ctx context.Context, by authority.Caller, id string, in shown.Erase) (out shown.Erasure, err error) {
	if err := authority.Door(by, authority.ErasePersons); err != nil {
		return out, err
	}
	word := strings.TrimSpace(in.Word)
	switch {
	case in.Member != id:
		return out, wire.Problemf(wire.KindMalformed, "nobody was erased: the id in the body is not the one in the path").Because(why.FormWrong)
	case word == "" || len(word) > personal.MaxWord || strings.ContainsFunc(word, func(c rune) bool { return c < ' ' }):
		return out, wire.Problemf(wire.KindMalformed, "nobody was erased: say on whose word, in one line of at most %d bytes", personal.MaxWord).Because(why.WhoseWord, personal.MaxWord)
	}
	if _, err := p.ShowPerson(ctx, by, id); err != nil {
		return out, err
	}
	if err := p.o.Store.View(func(t *storage.Txn) error { return p.notOthers(t, id) }); err != nil {
		return out, err
	}
	pseudonym := newPseudonym()
	if _, err := p.o.Proposer.Change(ctx, by.Name, &command.ErasePerson{Member: id, Pseudonym: pseudonym, Word: word}); err != nil {
		return out, err
	}
	_ = p.FinishErasures(ctx) // what is not done now is the leader's duty
	all, err := p.erasures()
	for _, x := range all {
		if x.Pseudonym == pseudonym {
			return x, err
		}
	}
	if err == nil { // agreed, and not applied here yet
		out = shown.Erasure{Pseudonym: pseudonym, At: p.o.Clock().UTC(), By: by.Name, Word: word}
	}
	return out, err
}

// newPseudonym is a name from which nothing leads back.
func newPseudonym() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return personal.PseudonymPrefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// ListErasures implements service.Personal.
func (p *Personal) ListErasures(_ context.Context, by authority.Caller) (shown.Erasures, error) {
	if err := authority.Door(by, authority.ReadErasures); err != nil {
		return shown.Erasures{}, err
	}
	all, err := p.erasures()
	return shown.Erasures{Erasures: all}, err
}

func (p *Personal) erasures() ([]shown.Erasure, error) {
	out := []shown.Erasure{}
	err := p.o.Store.View(func(t *storage.Txn) error {
		return personal.Erasures.Each(t, func(x personal.Erasure) error {
			out = append(out, shown.Erasure{
				Pseudonym: x.Pseudonym, Kind: x.Kind, At: time.UnixMilli(x.At).UTC(), By: x.By, Word: x.Word, Devices: x.Devices, Records: x.Facts, Lines: x.Lines,
				Agreed: x.Done(), Files: x.Done() && p.leftovers.done() >= x.DoneAt,
				Waits: x.Done() && p.leftovers.done() < x.DoneAt && p.leftovers.waits(max(x.At, x.Late)),
			})
			return nil
		})
	})
	slices.SortStableFunc(out, func(a, b shown.Erasure) int { return b.At.Compare(a.At) })
	return out, err
}

// FinishErasures is a duty of the leader: it takes the steps that are left of every erasure. While a node is not
// upgraded answers to alerts keep their words; they are searched as soon as all are.
func (p *Personal) FinishErasures(ctx context.Context) error {
	var open []personal.Erasure
	answers := false
	err := p.o.Store.View(func(t *storage.Txn) error {
		return personal.Erasures.Each(t, func(x personal.Erasure) error {
			if !x.Done() || !x.Answered {
				open = append(open, x)
			}
			return nil
		})
	})
	if len(open) > 0 {
		answers = p.o.Proposer.Understood(ctx, command.AnswersSince) == nil
	}
	for _, x := range open {
		for step, done := x.Step, x.Done() && !answers; err == nil && !done; {
			var out command.SearchResult
			out, err = search(p, ctx, x.By, &command.EraseTraces{Pseudonym: x.Pseudonym, Step: step, Answers: answers})
			step, done = out.Step, out.Done
		}
	}
	return err
}

// search proposes a step of a search, and reads what it came to.
func search(p *Personal, ctx context.Context, actor string, payload command.Payload) (command.SearchResult, error) {
	r, err := p.o.Proposer.Change(ctx, actor, payload)
	if err != nil {
		return command.SearchResult{}, err
	}
	return command.DecodeData[command.SearchResult](r)
}
