package node_test

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
	"almenara/storage/receipt"
)

const ownWords = "Chan 12B: my knee is broken"

// listedAnswers are what members answered to an alert, as node i lists it.
func (d *district) listedAnswers(i int, id string) (out []string) {
	d.t.Helper()
	page, err := d.client(i).AlertReceipts(d.ctx(), id, wire.ReceiptQuery{Rung: "acknowledged"})
	require.NoError(d.t, err)
	for _, row := range page.Rows {
		out = append(out, row.Answer)
	}
	slices.Sort(out)
	return out
}

// answersOf is listedAnswers, once it does not change any more: it has to be the same in the report.
func (d *district) answersOf(i int, id string) []string {
	d.t.Helper()
	out := d.listedAnswers(i, id)
	report, err := d.client(i).AlertReport(d.ctx(), id)
	require.NoError(d.t, err)
	total := uint64(0)
	for _, a := range report.Answers {
		require.Contains(d.t, out, a.Name)
		total += a.Count
	}
	require.EqualValues(d.t, len(out), total)
	return out
}

// holdsNoWords looks for what the person said in everything that a node gives away.
func (d *district) holdsNoWords(i int, ids ...string) {
	d.t.Helper()
	var backup bytes.Buffer
	require.NoError(d.t, d.client(i).Backup(d.ctx(), func(int64) (io.Writer, error) { return &backup, nil }))
	require.NotContains(d.t, backup.String(), "my knee")
	export, _ := d.audit(i)
	require.NotContains(d.t, export, "my knee")
	for _, id := range ids {
		for _, row := range d.receiptsCSV(i, id) {
			require.NotContains(d.t, row, ownWords)
		}
	}
}

// What an erased person answered in their own words is gone from every node, also where a node that was away brings an
// answer after it, and every count stays.
func TestErase_AnswersInTheirOwnWordsAreGoneFromEveryNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	here := d.estate("own-words")
	phones := d.enrol("phone", here.Block, 2)
	his := phones[0].ID
	answering(phones[:1], ownWords)
	answering(phones[1:], "we are fine")
	fleet := d.fleet(phones...)
	d.feed = d.user(wire.AddUser{Name: "observatory", Roles: []string{"composer"}, Senders: []string{observatory}, System: true})
	agreed := d.post(0, warning("own-words", polygon(here.Area)), "", "committed")
	fleet.proven(revisionOf(agreed), 2)
	both := func(a wire.Alert) bool { return a.Rungs.Acknowledged == 2 && a.CountsFrom == wire.SourceDistrict }
	d.everywhere(agreed.Alert, "both have answered", both)
	require.Equal(t, []string{ownWords, "we are fine"}, d.answersOf(1, agreed.Alert))

	fleet.Stop()
	alone := d.post(2, warning("own-words-alone", polygon(here.Area)), "", "committed") // answered where nobody else hears it
	d.stop(1)
	d.kill(0)
	d.awaitOn(2, func(s wire.Status) bool { return s.Alone && !s.Quorum })
	fleet = d.fleet(phones...)
	fleet.proven(revisionOf(alone), 2)
	d.eventually("both have answered", func() bool { return d.show(2, alone.Alert).Rungs.Acknowledged == 2 })
	require.Equal(t, []string{ownWords, "we are fine"}, d.answersOf(2, alone.Alert))
	fleet.Stop()
	d.kill(2)

	d.start(0)
	d.start(1)
	d.await(func(s wire.Status) bool { return s.Quorum })
	x, err := d.client(0).ErasePerson(d.ctx(), his, "his letter")
	require.NoError(t, err)
	require.True(t, x.Agreed)
	d.start(2)
	for _, sent := range []wire.Outcome{agreed, alone} {
		d.everywhere(sent.Alert, "counts are as they were", both)
		for i := range 3 {
			d.eventually("the words are gone", func() bool { return d.listedAnswers(i, sent.Alert)[0] == receipt.WordsErased })
			require.Equal(t, []string{receipt.WordsErased, "we are fine"}, d.answersOf(i, sent.Alert))
		}
	}
	for i := range 3 {
		d.holdsNoWords(i, agreed.Alert, alone.Alert)
	}
	d.sameEverywhere()
}

// While a node is older answers keep their words, and nothing is proposed at which it would stop. When it is upgraded
// they go by themselves.
func TestErase_AnswersLoseTheirWordsOnceEveryNodeIsUpgraded(t *testing.T) {
	t.Parallel()
	d := newTuned(t, 3, func(i int, o *node.Options) {
		if i == 2 {
			o.CommandVersion = 15
		}
	})
	here := d.estate("own-words-old")
	his := d.enrol("phone", here.Block, 1)
	fleet := d.fleet(answering(slices.Clone(his), ownWords)...)
	d.feed = d.user(wire.AddUser{Name: "observatory", Roles: []string{"composer"}, Senders: []string{observatory}, System: true})
	sent := d.post(0, warning("own-words-old", polygon(here.Area)), "", "committed")
	fleet.proven(revisionOf(sent), 1)
	d.everywhere(sent.Alert, "it was answered", func(a wire.Alert) bool { return a.Rungs.Acknowledged == 1 })
	x, err := d.client(0).ErasePerson(d.ctx(), his[0].ID, "his letter")
	require.NoError(t, err)
	require.True(t, x.Agreed, "all that nodes of before erase")
	d.await(func(s wire.Status) bool { return s.Ready })
	require.Equal(t, []string{ownWords}, d.answersOf(0, sent.Alert))
	d.sameEverywhere()

	d.stop(2)
	d.opts[2].CommandVersion = 0
	d.start(2)
	for i := range 3 {
		d.eventually("the words are gone", func() bool { return slices.Equal(d.listedAnswers(i, sent.Alert), []string{receipt.WordsErased}) })
		require.Equal(t, []string{receipt.WordsErased}, d.answersOf(i, sent.Alert))
		d.holdsNoWords(i, sent.Alert)
	}
	d.everywhere(sent.Alert, "counts are as they were", func(a wire.Alert) bool { return a.Rungs.Acknowledged == 1 })
	d.sameEverywhere()
}
