package raftlog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"almenara/cluster/hclogs"
)

// State is what a raft log on disk says of itself.
type State struct {
	Begun       bool   // its id has had a term: it may have voted
	First, Last uint64 // entries in it; 0 for none
}

// Inspect reads the log in dir, of a node that is not running. A missing log is the zero
// value.
func Inspect(dir string, logger *slog.Logger) (state State, err error) {
	if _, err := os.Stat(dir); err != nil {
		return state, nil
	}
	store, err := OpenWAL(dir, hclogs.New(logger))
	if err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	term, err := store.GetUint64(KeyTerm)
	if err == nil {
		state.First, err = store.FirstIndex()
	}
	if err == nil {
		state.Last, err = store.LastIndex()
	}
	if err != nil {
		return state, fmt.Errorf("reading raft log: %w", err)
	}
	state.Begun = term > 0
	return state, nil
}
