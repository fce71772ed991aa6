//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// deed is an entry from one second to another.
func deed(client int, key string, d Deed, value string, done bool, from, to float64) Entry {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return Entry{Client: client, Key: key, Deed: d, Value: value, Done: done, Call: seconds(from), Return: seconds(to)}
}

func pending(e Entry) Entry { e.Open = true; return e }

func TestLedger_TakesWhatOneRegisterCanExplain(t *testing.T) {
	for name, entries := range map[string][]Entry{
		"a read during a write sees either": {
			deed(1, "r", Write, "a", true, 0, 1), deed(1, "r", Write, "b", true, 2, 5), deed(2, "r", Read, "a", true, 3, 3.1), deed(3, "r", Read, "b", true, 3.2, 3.3),
		},
		"an open write comes late":    {pending(deed(1, "r", Write, "a", true, 0, 6)), deed(2, "r", Read, "", true, 7, 8), deed(2, "r", Read, "a", true, 9, 10)},
		"an open write comes never":   {pending(deed(1, "r", Write, "a", true, 0, 6)), deed(2, "r", Read, "", true, 7, 8)},
		"one of two takes a cell":     {deed(1, "c", Take, "a", true, 0, 2), deed(2, "c", Take, "b", false, 1, 3), deed(3, "c", Read, "a", true, 4, 5)},
		"an open take excludes":       {pending(deed(1, "c", Take, "a", false, 0, 6)), deed(2, "c", Take, "b", false, 7, 8), deed(2, "c", Free, "", true, 9, 10), deed(2, "c", Take, "c", true, 11, 12)},
		"nothing to free":             {deed(1, "c", Free, "", false, 0, 1), deed(1, "c", Take, "a", true, 2, 3), deed(1, "c", Free, "", true, 4, 5), deed(1, "c", Free, "", true, 6, 7)},
		"keys have nothing in common": {deed(1, "r", Write, "a", true, 0, 1), deed(1, "q", Read, "", true, 2, 3)},
	} {
		t.Run(name, func(t *testing.T) {
			v := agreedLinearizable(Evidence{History: History{Ledger: entries}})
			require.Empty(t, v.Breaches)
			require.Equal(t, len(entries), v.Judged)
		})
	}
}

func TestLedger_SeesWhatNoRegisterWouldDo(t *testing.T) {
	for name, entries := range map[string][]Entry{
		"a stale read":                {deed(1, "r", Write, "a", true, 0, 1), deed(1, "r", Write, "b", true, 2, 3), deed(2, "r", Read, "a", true, 4, 5)},
		"a read back in time":         {deed(1, "r", Write, "a", true, 0, 1), pending(deed(1, "r", Write, "b", true, 2, 3)), deed(2, "r", Read, "b", true, 4, 5), deed(3, "r", Read, "a", true, 6, 7)},
		"an acknowledged write lost":  {deed(1, "r", Write, "a", true, 0, 1), deed(2, "r", Read, "", true, 2, 3)},
		"a value that nobody wrote":   {deed(2, "r", Read, "x", true, 2, 3)},
		"two take a cell":             {deed(1, "c", Take, "a", true, 0, 2), deed(2, "c", Take, "b", true, 1, 3)},
		"a free cell is refused":      {deed(1, "c", Take, "a", false, 0, 2)},
		"a freed cell is still taken": {deed(1, "c", Take, "a", true, 0, 1), deed(1, "c", Free, "", true, 2, 3), deed(2, "c", Read, "a", true, 4, 5)},
		"a refused take shows":        {deed(1, "c", Take, "a", true, 0, 1), deed(2, "c", Take, "b", false, 2, 3), deed(3, "c", Read, "b", true, 4, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			v := agreedLinearizable(Evidence{History: History{Ledger: entries}})
			require.Len(t, v.Breaches, 1)
			require.Contains(t, v.Breaches[0], entries[0].Key)
		})
	}
}
