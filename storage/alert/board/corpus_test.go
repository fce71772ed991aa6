package board

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

// boardCorpus gives the folder of real messages, or skips.
func boardCorpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ALMENARA_TESTDATA")
	if dir == "" {
		t.Skip("ALMENARA_TESTDATA is not set: it names the folder of real CAP messages")
	}
	return dir
}

func corpusEntry(t *testing.T, dir, file string) Entry {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	a, _, err := capxml.Parse(raw)
	require.NoError(t, err, file)
	return EntryOf(a, a.Digest().String(), a.Sent.Time(), file)
}

func TestBoardCorpus_TyphoonChainInEveryOrder(t *testing.T) {
	dir := boardCorpus(t)
	var chain []Entry
	for _, name := range []string{"tc8-1-alert", "tc8-1-alert-resent", "tc8-1-alert-conflict", "tc8-2-update", "tc8-3-cancel"} {
		chain = append(chain, corpusEntry(t, dir, "cap/synthetic-hk/"+name+".xml"))
	}
	first, conflict, update, cancel := chain[0], chain[2], chain[3], chain[4]
	require.Equal(t, first.Digest, chain[1].Digest, "white space is no other content")
	require.NotEqual(t, first.Digest, conflict.Digest)
	id := first.Key.ID()
	permute(4, func(order []int) {
		b := New()
		for _, i := range order {
			b.Add(chain[i])
		}
		require.Equal(t, map[alert.ID]string{id: update.Key.Identifier}, inForce(b, update.Sent))
		require.Len(t, conflicts(b), 1)
		b.Add(cancel)
		require.Empty(t, b.InForce(update.Sent))
		require.Equal(t, WhyCancelled, ended(b, cancel.Sent)[id])
	})
}

func TestBoardCorpus_EveryReferenceJoinsOrEnds(t *testing.T) {
	dir := boardCorpus(t)
	table, err := os.Open(filepath.Join(dir, "chains.tsv"))
	require.NoError(t, err)
	defer table.Close()
	lines := bufio.NewScanner(table)
	require.True(t, lines.Scan(), "a header")
	rows := 0
	for lines.Scan() {
		row := strings.Split(lines.Text(), "\t")
		if strings.Contains(row[0], "/invalid/") {
			continue
		}
		from, to := corpusEntry(t, dir, row[0]), corpusEntry(t, dir, row[2])
		now := from.Sent
		for _, b := range []*Board{boardOf(from, to), boardOf(to, from)} {
			require.NotEqual(t, InForce, b.Judge(to, now), row[0])
			one, ok := b.AlertOf(from.Key)
			require.True(t, ok)
			card, ok := b.Card(to.Key.ID())
			require.True(t, ok)
			if from.MsgType == alert.MsgTypeUpdate {
				require.Equal(t, card.ID, one, row[0])
			} else {
				require.NotEmpty(t, card.Cancels, row[0])
			}
		}
		rows++
	}
	require.NoError(t, lines.Err())
	require.Positive(t, rows)
}

func TestBoardCorpus_WhatExpiredYearsAgoIsNeverInForce(t *testing.T) {
	e := corpusEntry(t, boardCorpus(t), "cap/synthetic-hk/expired.xml")
	b := boardOf(e)
	require.Equal(t, InForce, b.Judge(e, e.Sent))
	now := corpusEntry(t, boardCorpus(t), "cap/synthetic-hk/tc8-1-alert.xml").Sent
	require.Equal(t, Expired, b.Judge(e, now))
	require.Empty(t, b.InForce(now))
	require.Empty(t, b.Ended(now))
}
