package tallies

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
	"almenara/storage/storagetest"
)

const answered = alert.ID("aaaaaaaaaaaaaaaaaaaaaaaaaa")

// put stores a block in which member 7 answered so.
func put(t *testing.T, tx *storage.Txn, answer string) error {
	body, err := receipt.Block{Receipts: []receipt.Receipt{{Alert: answered, Revision: 1, Member: 7, Rung: receipt.Acknowledged, At: time.UnixMilli(1000), Answer: answer}}}.Encode()
	require.NoError(t, err)
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signed, err := fact.Sign(fact.Fact{Kind: fact.KindReceipts, Stream: fact.Receipts, Origin: "n1", Epoch: 1, Seq: 1, Body: body}, "k", key)
	require.NoError(t, err)
	raw, err := signed.Encode()
	require.NoError(t, err)
	_, err = factlog.PutReceiptBlock(tx, factlog.ReceiptBlock{Alert: string(answered), Index: 5, Signed: raw})
	return err
}

// Whoever asks while blocks are written anew is answered from before, and nothing of that is kept.
func TestReworded_NothingOfBeforeIsKept(t *testing.T) {
	for _, folded := range []bool{false, true} {
		s := storagetest.Open(t)
		r := New(s)
		says := func() string {
			t.Helper()
			tally, err := r.Of(answered)
			require.NoError(t, err)
			a, ok := tally.AnswerOf(answered, 7)
			require.True(t, ok)
			return a.Text
		}
		storagetest.Update(t, s, func(tx *storage.Txn) error { return put(t, tx, "my knee") })
		if folded {
			storagetest.Update(t, s, func(tx *storage.Txn) error { return r.Fold(tx, answered, receipt.Block{}) })
		}
		require.Equal(t, "my knee", says())
		asked := r.rewording()
		var slow *receipt.Tally
		require.NoError(t, s.View(func(tx *storage.Txn) (err error) {
			slow, _, err = readTally(tx, answered)
			return err
		}))

		tx, err := s.Write()
		require.NoError(t, err)
		require.NoError(t, put(t, tx, receipt.WordsErased))
		require.NoError(t, r.Reworded(tx, answered))
		require.Equal(t, "my knee", says(), "it is not committed")
		require.NoError(t, tx.Commit())
		tx.Discard()
		require.NoError(t, r.Save(6))
		r.keep(answered, past{slow, factlog.Place{Index: 5}}, asked) // who began to read before is done now
		require.Equal(t, receipt.WordsErased, says())
	}
}
