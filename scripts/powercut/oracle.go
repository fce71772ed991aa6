//go:build linux

package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/raft"

	"almenara/cluster/fsm"
)

// oracle knows the state after each decided entry, from a replica whose disk never
// failed and that applied one entry at a time.
type oracle struct {
	hashes map[uint64]string // by index; 0 is the empty state
}

// newOracle replays the sidecar of a workload in dir.
func newOracle(dir, sidecar string) (o *oracle, err error) {
	f, err := os.Open(sidecar)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var halted error
	state, store, err := openState(dir, fsm.Hooks{Halt: func(err error) { halted = err }, Logger: quiet})
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, store.Close(), halted)
	}()
	o = &oracle{hashes: map[uint64]string{}}
	lines := bufio.NewReader(f)
	for {
		if err := o.note(state); err != nil {
			return nil, err
		}
		l, ok, err := readEntry(lines)
		if err != nil || !ok {
			return o, err
		}
		if err, bad := state.Apply(l).(error); bad {
			return nil, err
		}
	}
}

func (o *oracle) note(state *fsm.FSM) error {
	index, sum, err := hashOf(state)
	o.hashes[index] = sum
	return err
}

// readEntry reads one line; a last one that is not whole was never proposed.
func readEntry(lines *bufio.Reader) (*raft.Log, bool, error) {
	line, err := lines.ReadString('\n')
	if err != nil {
		return nil, false, nil
	}
	var index, term uint64
	var data string
	if _, err := fmt.Sscan(strings.TrimSpace(line), &index, &term, &data); err != nil {
		return nil, false, err
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	return entryAt(index, term, raw), err == nil, err
}
