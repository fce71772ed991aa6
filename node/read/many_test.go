package read_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/receipt"
)

// crowded is a library of ten thousand screens in a hundred blocks, of which half have presented each of n
// alerts in force.
func crowded(t *testing.T, n int) (*library, []alert.ID) {
	t.Helper()
	const members = 10_000
	l := newLibrary(t)
	var raw [][]byte
	for i := range members {
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: fmt.Sprint("x", i), Name: fmt.Sprint("Lift ", i), Kind: audience.KindScreen, Place: audience.Path(fmt.Sprintf("d/e/block-%d", i%100))}))
	}
	for len(raw) > 0 {
		some := raw[:min(len(raw), 500)]
		l.propose(&command.PutMembers{Members: some})
		raw = raw[len(some):]
	}
	var ids []alert.ID
	for i := range n {
		id, revision := l.say(fmt.Sprint("a", i), "d", true)
		var told []receipt.Receipt
		for m := range members / 2 {
			o, ok := l.log.State.Index().Ordinal(fmt.Sprint("x", m))
			require.True(t, ok)
			told = append(told, receipt.Receipt{Alert: id, Revision: revision, Member: o, Rung: receipt.Presented, At: noon})
		}
		blocks, err := receipt.Blocks(told)
		require.NoError(t, err)
		for _, b := range blocks {
			l.fact(fact.KindReceipts, fact.Receipts, b, true)
		}
		ids = append(ids, id)
	}
	return l, ids
}

// Everybody who has the console open during a storm asks for this each second, at every node.
func TestListAlerts_OfFiftyInForceForTenThousandIsQuick(t *testing.T) {
	l, ids := crowded(t, 50)
	var took, told time.Duration
	const looks = 5
	for range looks {
		begun := time.Now()
		page, _, err := l.ListAlerts(t.Context(), wire.AlertQuery{Open: true, Limit: 500})
		took += time.Since(begun)
		require.NoError(t, err)
		require.Len(t, page, 50)
		require.EqualValues(t, 5000, page[0].Rungs.Presented)
		require.EqualValues(t, 10_006, page[0].Rungs.Queued)
		begun = time.Now()
		for _, id := range ids {
			_, ok := l.Event(id)
			require.True(t, ok)
		}
		told += time.Since(begun)
	}
	t.Logf("a list of 50 alerts takes %v, and 50 events %v", took/looks, told/looks)
	require.Less(t, took/looks, 500*time.Millisecond)
	require.Less(t, told/looks, 250*time.Millisecond, "or events would come faster than they are made")
}

// Of hundreds of alerts about the same for other people, none is held against all others at each look.
func TestListAlerts_OfHundredsAboutTheSameForOthersIsQuick(t *testing.T) {
	l := newLibrary(t)
	const n = 400
	var raw [][]byte
	for i := range n {
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: fmt.Sprint("x", i), Kind: audience.KindScreen, Place: audience.Path(fmt.Sprintf("d/f/block-%d", i))}))
	}
	l.propose(&command.PutMembers{Members: raw[:n/2]})
	l.propose(&command.PutMembers{Members: raw[n/2:]})
	for i := range n {
		l.now = noon.Add(time.Duration(i) * time.Millisecond)
		l.say(fmt.Sprint("a", i), fmt.Sprintf("d/f/block-%d", i), true)
	}
	begun := time.Now()
	page, _, err := l.ListAlerts(t.Context(), wire.AlertQuery{Open: true, Limit: n})
	require.NoError(t, err)
	require.Len(t, page, n)
	t.Logf("a list of %d alerts takes %v", n, time.Since(begun))
	require.Less(t, time.Since(begun), 10*time.Second, "what is held against each is bounded")
}
