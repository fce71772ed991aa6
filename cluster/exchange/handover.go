package exchange

import (
	"context"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/fact"
	"almenara/cluster/journal"
)

// ErrGap says that facts lie between what the other side has and what can still be
// read here: they were adopted by a state machine that is gone.
var ErrGap = errors.New("facts are missing in between")

// lanesAtOnce is how many lanes one question of a handover names.
const lanesAtOnce = 512

// heldMessage is how far a node has the lanes that it was asked for, in their order.
type heldMessage struct {
	_     struct{} `cbor:",toarray"`
	Lanes []heldLane
}

type heldLane struct {
	_       struct{} `cbor:",toarray"`
	High    uint64   // durable here, without a gap
	Adopted uint64   // in the state machine
}

// HandedOver says what became of a handover.
type HandedOver struct {
	Sent    int         // facts that the other side lacked
	Waiting int         // facts that it has, and has not adopted yet
	Gaps    []fact.Lane // of what it lacks and could not be given; High is what it wants next
}

// Complete reports that nothing of this node is left that the other side has not
// adopted, gaps apart.
func (h HandedOver) Complete() bool { return h.Waiting == 0 }

// HandOver gives every fact of the journal and of the lanes in more, which the state
// machine has, to a node of another incarnation, in each lane's order, and notes what
// has been adopted there as adopted. call posts to that node's HandoverHandlers. On a
// nil error everything but Gaps is on that node's disk. It may be repeated, and need
// not have been started.
func (e *Exchange) HandOver(ctx context.Context, more []fact.Lane, call func(ctx context.Context, path string, body []byte) ([]byte, error)) (HandedOver, error) {
	e.trim()
	h := &handover{e: e, call: call}
	lanes := e.lanesWith(more)
	for len(lanes) > 0 {
		n := min(len(lanes), lanesAtOnce)
		if err := h.lanes(ctx, lanes[:n]); err != nil {
			return h.out, fmt.Errorf("handing facts over: %w", err)
		}
		lanes = lanes[n:]
	}
	e.trim()
	return h.out, nil
}

// lanesWith are the journal's lanes and those of more, each as far as either goes.
func (e *Exchange) lanesWith(more []fact.Lane) []fact.Lane {
	lanes := e.o.Journal.Vector()
	at := make(map[fact.LaneKey]int, len(lanes))
	for i, l := range lanes {
		at[l.Key()] = i
	}
	for _, l := range more {
		if i, ok := at[l.Key()]; ok {
			lanes[i].High = max(lanes[i].High, l.High)
			continue
		}
		at[l.Key()] = len(lanes)
		lanes = append(lanes, l)
	}
	return lanes
}

type handover struct {
	e    *Exchange
	call func(ctx context.Context, path string, body []byte) ([]byte, error)
	out  HandedOver
}

// lanes gives what the other side lacks of some lanes.
func (h *handover) lanes(ctx context.Context, lanes []fact.Lane) error {
	held, err := h.ask(ctx, lanes)
	if err != nil {
		return err
	}
	for i, l := range lanes {
		j := h.e.o.Journal
		j.Adopt(l.Key(), held[i].Adopted)
		high := max(l.High, j.High(l.Key()))
		if high <= held[i].High {
			h.out.Waiting += int(high - min(held[i].Adopted, high))
			continue
		}
		reached, err := h.lane(ctx, l, held[i].High, high)
		if err != nil {
			return err
		}
		h.out.Waiting += int(reached - min(held[i].Adopted, reached))
		if reached < high {
			l.High = reached + 1
			h.out.Gaps = append(h.out.Gaps, l)
		}
	}
	return nil
}

func (h *handover) ask(ctx context.Context, lanes []fact.Lane) ([]heldLane, error) {
	body, err := cbor.Marshal(vectorMessage{Lanes: lanes})
	if err != nil {
		return nil, err
	}
	b, err := h.call(ctx, "/fact/held", body)
	if err != nil {
		return nil, err
	}
	var m heldMessage
	if err := decodeMessage(b, &m); err != nil {
		return nil, err
	}
	if len(m.Lanes) != len(lanes) {
		return nil, errMessage
	}
	return m.Lanes, nil
}

// lane gives one lane from after seq to high, page by page, and says how far it came.
func (h *handover) lane(ctx context.Context, l fact.Lane, seq, high uint64) (uint64, error) {
	for seq < high {
		page, err := h.e.after(l, seq, journal.PageFacts)
		if err != nil {
			return seq, err
		}
		if page = following(page, seq); len(page) == 0 {
			return seq, nil
		}
		if err := h.push(ctx, page); err != nil {
			return seq, err
		}
		seq += uint64(len(page))
		h.out.Sent += len(page)
	}
	return seq, nil
}

// following cuts a page where the first fact is not the one after seq.
func following(page []fact.Signed, seq uint64) []fact.Signed {
	for i, s := range page {
		if f, err := s.Fact(); err != nil || f.Seq != seq+1+uint64(i) {
			return page[:i]
		}
	}
	return page
}

func (h *handover) push(ctx context.Context, page []fact.Signed) error {
	body, err := cbor.Marshal(factsMessage{Facts: page})
	if err != nil {
		return err
	}
	b, err := h.call(ctx, "/fact/push", body)
	if err != nil {
		return err
	}
	answer, err := decodePushAnswer(b, len(page))
	if err != nil {
		return err
	}
	for i, r := range answer.Results {
		if r != resultStored {
			return fmt.Errorf("fact %s was not taken (result %d)", page[i].ID(), r)
		}
	}
	return nil
}
