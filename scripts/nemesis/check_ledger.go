//go:build linux

package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkTime bounds the search in the history of one key.
const checkTime = 30 * time.Second

// cell is the state of one key: a register, or a cell that can be taken.
type cell struct {
	value string
	ever  bool // it was taken once
}

// ledgerModel says what one key may answer (porcupine's Model). An open deed may have
// any effect that it could have had.
var ledgerModel = porcupine.Model{
	Init: func() any { return cell{} },
	Step: func(state, input, _ any) (bool, any) {
		ok, after := input.(Entry).step(state.(cell))
		return ok, after
	},
}

func (e Entry) step(s cell) (bool, cell) {
	switch e.Deed {
	case Read:
		return s.value == e.Value, s
	case Write:
		return true, cell{value: e.Value}
	case Take:
		free := s.value == ""
		if free {
			return e.Done || e.Open, cell{value: e.Value, ever: true}
		}
		return !e.Done, s
	default:
		if s.ever {
			return e.Done || e.Open, cell{ever: true}
		}
		return !e.Done, s
	}
}

// agreedLinearizable holds every key to be one register that all clients share,
// whichever node they asked.
func agreedLinearizable(e Evidence) (v Verdict) {
	keys := map[string][]Entry{}
	for _, entry := range e.Ledger {
		keys[entry.Key] = append(keys[entry.Key], entry)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		operations := operationsOf(keys[key])
		result, info := porcupine.CheckOperationsVerbose(ledgerModel, operations, checkTime)
		switch result {
		case porcupine.Ok:
			v.Judged += len(operations)
		case porcupine.Unknown:
			v.Excused += len(operations)
		default:
			v.breach("what clients saw of %s is not one history: %s", key, stuck(keys[key], info))
		}
	}
	return v
}

// operationsOf writes a history the way porcupine reads it. What is open returns never.
func operationsOf(entries []Entry) (out []porcupine.Operation) {
	for _, e := range entries {
		op := porcupine.Operation{ClientId: e.Client, Input: e, Call: int64(e.Call), Return: int64(e.Return)}
		if e.Open {
			op.Return = math.MaxInt64
		}
		out = append(out, op)
	}
	return out
}

// stuck says where the longest order that works ends: the deeds that were under way
// then, in the order in which they began.
func stuck(entries []Entry, info porcupine.LinearizationInfo) string {
	longest := 0
	in := map[int]bool{}
	for _, partition := range info.PartialLinearizations() {
		for _, order := range partition {
			if len(order) > longest {
				longest = len(order)
				clear(in)
				for _, i := range order {
					in[i] = true
				}
			}
		}
	}
	var left []Entry
	for i, e := range entries {
		if !in[i] && !e.Open {
			left = append(left, e)
		}
	}
	slices.SortFunc(left, func(a, b Entry) int { return int(a.Call - b.Call) })
	var said []string
	for _, e := range left[:min(3, len(left))] {
		said = append(said, e.String())
	}
	return fmt.Sprintf("%d of %d deeds fit, then: %s", longest, len(entries), strings.Join(said, "; "))
}

// String is the deed as it is printed.
func (e Entry) String() string {
	text := fmt.Sprintf("client %d, %.3f to %.3f s: %s %q", e.Client, e.Call.Seconds(), e.Return.Seconds(), e.Deed, e.Value)
	if (e.Deed == Take || e.Deed == Free) && !e.Done {
		text += " (refused)"
	}
	return text
}
