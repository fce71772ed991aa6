//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/identity"
	"almenara/storage/durable"
)

// worker is the process whose disk loses power. It does what a node does to its disk,
// small, and tells each promise the moment it is given.
type worker struct {
	*parts
	*teller
	r        *rand.Rand
	sidecar  *os.File // not on the disk: every entry before it is applied
	term     uint64
	settings uint64
	members  int
	imported int // chunks of the import under way
	identity *identity.Identity
	failed   chan error
}

// work runs the workload in dir; decided entries go to the file sidecar.
func work(dir, sidecar string, seed uint64, steps, imports int) error {
	w := &worker{
		teller: &teller{out: os.Stdout, in: bufio.NewReader(os.Stdin)},
		r:      rand.New(rand.NewPCG(seed, 1)), term: 1, failed: make(chan error, 1),
	}
	var err error
	if w.sidecar, err = os.Create(sidecar); err != nil {
		return err
	}
	if w.parts, err = openParts(dir); err != nil {
		return err
	}
	w.adopting, w.onNew = w.adopt, w.told
	if err := w.startExchange(); err != nil {
		return err
	}
	if err := w.tell(ack{Kind: ackReady}); err != nil {
		return err
	}
	for i := range steps {
		step := func() error { return w.step(i < imports, imports == 0) }
		if i == imports {
			step = w.alert // whatever the seed: without a fact there is nothing to lose
		}
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		select {
		case err := <-w.failed:
			return fmt.Errorf("step %d: %w", i, err)
		default:
		}
	}
	tables, err := filepath.Glob(filepath.Join(dir, "store", "*", "*.sst"))
	if err == nil {
		err = w.tell(ack{Kind: ackTables, Index: uint64(len(tables))})
	}
	return errors.Join(err, w.close(), w.sidecar.Close())
}

// step does one of the things that a node does; a light workload imports nothing.
func (w *worker) step(large, light bool) error {
	kinds := []func() error{
		w.putMembers, w.putMembers, w.batch, w.alert, w.alert, w.alert, w.receipts, w.receipts,
		w.conflict, w.vote, w.save, w.shorten, w.ahead, w.importStep, w.importStep, w.importStep, w.importStep,
	}
	switch {
	case large:
		return w.importStep()
	case light:
		kinds = kinds[:len(kinds)-4]
	}
	return kinds[w.r.IntN(len(kinds))]()
}

// told acknowledges a fact.
func (w *worker) told(f fact.Fact, s fact.Signed) {
	err := w.tell(ack{Kind: ackFact, Stream: f.Stream, Epoch: f.Epoch, Seq: f.Seq, ID: s.ID().String(), HLC: f.HLC})
	if err != nil {
		w.fail(err)
	}
}

func (w *worker) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

// adopt commits facts, as the leader of one would.
func (w *worker) adopt(_ context.Context, facts []fact.Signed) error {
	err := w.propose(&command.AdoptFacts{Facts: facts})
	if err != nil {
		w.fail(err)
	}
	return err
}

// propose puts commands into the log together, then applies them together.
func (w *worker) propose(payloads ...command.Payload) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var logs []*raft.Log
	for _, p := range payloads {
		l, err := w.entry(w.next+uint64(len(logs)), p)
		if err != nil {
			return err
		}
		logs = append(logs, l)
		if _, err := fmt.Fprintln(w.sidecar, l.Index, l.Term, base64.StdEncoding.EncodeToString(l.Data)); err != nil {
			return err
		}
	}
	if err := w.append(logs); err != nil {
		return err
	}
	w.next += uint64(len(logs))
	for _, response := range w.state.ApplyBatch(logs) {
		if err := refusal(response); err != nil {
			return err
		}
	}
	return w.tell(ack{Kind: ackApplied, Index: logs[len(logs)-1].Index})
}

// refusal is why the state machine did not do what an entry says.
func refusal(response any) error {
	raw, ok := response.([]byte)
	if !ok {
		return fmt.Errorf("applying: %v", response)
	}
	result, err := command.DecodeResult(raw)
	return errors.Join(err, result.Error())
}

func (w *worker) entry(index uint64, p command.Payload) (*raft.Log, error) {
	at := begin.Add(time.Duration(index) * time.Second).UnixMilli()
	data, err := command.Command{Actor: "amy", At: at, Payload: p}.Encode()
	if err != nil {
		return nil, err
	}
	return entryAt(index, w.term, data), nil
}

// append makes entries durable in the raft log.
func (w *worker) append(logs []*raft.Log) error {
	if err := w.log.StoreLogs(logs); err != nil {
		return err
	}
	for _, l := range logs {
		if err := w.tell(ack{Kind: ackEntry, Index: l.Index, Sum: sumOf(l)}); err != nil {
			return err
		}
	}
	return nil
}

func sumOf(l *raft.Log) string {
	sum := sha256.Sum256(l.Data)
	return fmt.Sprintf("%d-%x", l.Term, sum[:8])
}

// conflict is what happens to a follower: entries come, a leader of another term takes
// them back and puts others in their place.
func (w *worker) conflict() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := w.next
	var lost []*raft.Log
	for i := range uint64(2) {
		l, err := w.entry(first+i, &command.PutMembers{Members: members(1000000+int(first+i), 3)})
		if err != nil {
			return err
		}
		lost = append(lost, l)
	}
	if err := w.append(lost); err != nil {
		return err
	}
	if err := w.newTerm(); err != nil {
		return err
	}
	if err := w.tell(ack{Kind: ackCut, Index: first}); err != nil {
		return err
	}
	return w.log.DeleteRange(first, first+1)
}

func (w *worker) vote() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newTerm()
}

func (w *worker) newTerm() error {
	w.term++
	if err := w.log.SetUint64([]byte("CurrentTerm"), w.term); err != nil {
		return err
	}
	return w.tell(ack{Kind: ackTerm, Index: w.term})
}

// shorten removes what the state machine has from the head of the log and the
// journal.
func (w *worker) shorten() error {
	w.mu.Lock()
	first, err := w.log.FirstIndex()
	if applied := w.state.Applied(); err == nil && first > 0 && applied > first+trailingLogs {
		err = w.log.DeleteRange(first, applied-trailingLogs)
	}
	w.mu.Unlock()
	w.journal.Trim(w.mark)
	return err
}

// ahead follows a node whose clock is ahead: only the ceiling on disk keeps times from
// being given twice after that.
func (w *worker) ahead() error {
	w.clock.Observe(fact.HLC(time.Now().Add(50 * time.Second)))
	return nil
}

// save replaces the small files.
func (w *worker) save() (err error) {
	w.settings++
	text := fmt.Sprintf("%d %s\n", w.settings, strings.Repeat("setting ", w.r.IntN(2000)))
	if err := durable.WriteFile(filepath.Join(w.dir, settingsFile), withSum(text)); err != nil {
		return err
	}
	if err := w.tell(ack{Kind: ackSettings, Index: w.settings}); err != nil {
		return err
	}
	if w.identity == nil {
		if w.identity, err = newIdentity(); err != nil {
			return err
		}
	}
	if err := w.identity.Save(w.dir); err != nil {
		return err
	}
	return w.tell(ack{Kind: ackIdentity})
}
