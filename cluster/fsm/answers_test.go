package fsm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/personal"
	"almenara/storage/receipt"
)

// said is that a member answered the town's alert in some words, so many seconds after another.
func (w *town) said(member uint32, after int, words string) receipt.Receipt {
	return receipt.Receipt{Alert: w.id, Revision: alert.Revision(w.revision), Member: member, Rung: receipt.Acknowledged, Answer: words, At: epoch.Add(time.Duration(after) * time.Second)}
}

func (w *town) block(rs ...receipt.Receipt) fact.Signed {
	w.Helper()
	body, err := receipt.Block{Receipts: rs}.Encode()
	require.NoError(w, err)
	return w.o.sign(w.T, fact.KindReceipts, fact.Receipts, body)
}

// talked is a town in which the person, and somebody else, answered in words of their own.
func talked(t *testing.T) *town {
	w := newTown(t)
	w.adopt(w.block(w.said(0, 1, "safe"), w.said(0, 60, "my knee is worse"), w.said(1, 60, "we carry Chan Tai Man down")), w.block(w.said(1, 90, "out of here"), w.said(0, 30, "Wong is here")))
	w.adopt(w.block(w.said(0, 120, "the knee again, my knee")))
	return w
}

// answers are the last answers of the person and of the other one.
func (w *town) answers() [2]string {
	w.Helper()
	tally, err := w.fsm.Derived().Tallies.Of(w.id)
	require.NoError(w, err)
	his, ok := tally.AnswerOf(w.id, 0)
	require.True(w, ok)
	hers, ok := tally.AnswerOf(w.id, 1)
	require.True(w, ok)
	return [2]string{his.Text, hers.Text}
}

// rungs is everything that receipts say but for words: what is counted, of whom, and when.
func (w *town) rungs() string {
	w.Helper()
	tally, err := w.fsm.Derived().Tallies.Of(w.id)
	require.NoError(w, err)
	out := fmt.Sprint(tally.Counts(w.id, alert.Revision(w.revision)))
	for r := receipt.Queued; r <= receipt.Refused; r++ {
		out += fmt.Sprint(r, tally.Members(w.id, alert.Revision(w.revision), r).ToArray())
	}
	require.NoError(w, w.read.ReceiptFacts(w.id, 0, func(f fact.Fact, b receipt.Block) {
		for _, r := range b.Receipts {
			out += fmt.Sprint(f.Seq, r.Member, r.Rung, r.Revision, r.At.UnixMilli(), r.Answer != "", receipt.Chosen(r.Answer) && r.Answer != receipt.WordsErased && r.Answer != "")
		}
	}))
	return out
}

func TestErase_AnswersLoseTheirOwnWordsAndNothingElse(t *testing.T) {
	w := talked(t)
	require.Equal(t, [2]string{"the knee again, my knee", "out of here"}, w.answers())
	rungs := w.rungs()
	w.erase("chan-tai-man", pseudonym)
	w.holdsNothing()
	require.Equal(t, [2]string{receipt.WordsErased, "out of here"}, w.answers(), "the tally in memory, too")
	require.Equal(t, rungs, w.rungs())
	var said []string
	require.NoError(t, w.read.ReceiptFacts(w.id, 0, func(_ fact.Fact, b receipt.Block) {
		for _, r := range b.Receipts {
			said = append(said, fmt.Sprint(r.Member, " ", r.Answer))
		}
	}))
	require.Equal(t, []string{"0 safe", "1 help", "0 safe", "0 *", "1 we carry * down", "0 *", "1 out of here", "0 *"}, said)

	hash := w.hash()
	w.reopen()
	require.Equal(t, hash, w.hash())
	require.Equal(t, rungs, w.rungs())
	require.Equal(t, [2]string{receipt.WordsErased, "out of here"}, w.answers())
	raw := w.dump()
	for _, word := range secrets {
		require.False(t, bytes.Contains(raw, []byte(word)), "%q is in a dump", word)
	}
	other := newRig(t)
	require.NoError(t, other.fsm.restoreBytes(bytes.NewReader(raw)))
	require.Equal(t, hash, other.hash())
}

// A checkpoint of a tally has answers, and is each replica's own: it goes with the words, and so does one that is due.
func TestErase_CheckpointsLoseTheWordsOfAnswers(t *testing.T) {
	for _, due := range []bool{false, true} {
		w := talked(t)
		many := func() (facts []fact.Signed) {
			for range 30 {
				rs := make([]receipt.Receipt, 0, 2000)
				for m := range uint32(2000) {
					rs = append(rs, receipt.Receipt{Alert: w.id, Revision: alert.Revision(w.revision), Member: m, Rung: receipt.Presented, At: epoch})
				}
				facts = append(facts, w.block(rs...))
			}
			return facts
		}
		facts := many()
		if !due {
			for _, f := range facts {
				w.adopt(f)
			}
			w.holds("my knee", "chk/")
			w.erase("chan-tai-man", pseudonym)
		} else {
			w.begin("chan-tai-man", pseudonym)
			from := len(w.s.logs)
			for _, f := range facts {
				w.s.add(&command.AdoptFacts{Facts: []fact.Signed{f}})
			}
			for step := range uint32(14) {
				w.s.add(&command.EraseTraces{Pseudonym: pseudonym, Step: step, Answers: true})
			}
			w.all(w.s.logs[from:])
		}
		w.holdsNothing()
		require.Equal(t, [2]string{receipt.WordsErased, "out of here"}, w.answers())
	}
}

// holds wants some words in the store, below a prefix.
func (w *town) holds(words, prefix string) {
	w.Helper()
	found := false
	require.NoError(w, w.store.View(func(t *storage.Txn) error {
		return t.Scan([]byte(prefix), nil, func(_, v []byte) (bool, error) {
			found = found || bytes.Contains(v, []byte(words))
			return true, nil
		})
	}))
	require.True(w, found)
}

// What a node that was away brings loses its words before it is recorded, and the files in which it came are cleared
// once more.
func TestErase_AnswersThatComeLateLoseTheirWords(t *testing.T) {
	w := talked(t)
	w.erase("chan-tai-man", pseudonym)
	done := w.erasure().DoneAt
	late := w.block(w.said(0, 200, "my knee, once more"), w.said(0, 150, "help"), w.said(1, 200, "the stairs are dark"), w.said(1, 210, "all well"))
	w.adopt(late)
	w.holdsNothing()
	require.Equal(t, [2]string{receipt.WordsErased, "all well"}, w.answers())
	x := w.erasure()
	require.Greater(t, x.DoneAt, done)
	require.Positive(t, x.Late)
	kept, err := w.read.FactsAfter("n1", fact.Receipts, 7, w.o.seq[fact.Receipts]-1, 1, 1<<20)
	require.NoError(t, err)
	require.True(t, kept[0].Erased())
	require.Equal(t, late.ID(), kept[0].ID())
	out, err := command.DecodeData[command.AdoptResult](w.one(w.s.add(&command.AdoptFacts{Facts: []fact.Signed{late}})))
	require.NoError(t, err)
	require.Equal(t, command.Known, out.Facts[0].Outcome)

	done = x.DoneAt
	w.adopt(w.block(w.said(0, 300, "safe"), w.said(1, 300, "still well")))
	require.Equal(t, done, w.erasure().DoneAt, "nothing of the person came")
	kept, err = w.read.FactsAfter("n1", fact.Receipts, 7, w.o.seq[fact.Receipts]-1, 1, 1<<20)
	require.NoError(t, err)
	require.False(t, kept[0].Erased())
	for i, come := range []func(){
		func() { w.report("phone-of-chan", 0, "r-9", "my knee again, Wong") },
		func() { w.moderate("phone-of-chan", "r-9", "called Chan again, ward 7") },
		func() { w.told("aunt Fong once more", 0) },
	} {
		come()
		require.Greater(t, w.erasure().DoneAt, done, "%d", i)
		done = w.erasure().DoneAt
	}
	again := newRig(t)
	again.all(w.s.logs)
	require.Equal(t, w.hash(), again.hash())
}

func (w *town) erasure() (x personal.Erasure) {
	w.Helper()
	require.NoError(w, w.store.View(func(t *storage.Txn) (err error) {
		var known bool
		x, known, err = personal.Erasures.Get(t, pseudonym)
		require.True(w, known)
		return err
	}))
	return x
}

// While a node is older, everybody does as it does. Once all are upgraded, answers of who was erased before are searched.
func TestErase_AnswersKeepTheirWordsWhileANodeIsOlder(t *testing.T) {
	w := talked(t)
	old := newRigWith(t, Hooks{MaxVersion: command.AnswersSince - 1})
	w.begin("chan-tai-man", pseudonym)
	w.adopt(w.block(w.said(0, 200, "my knee, between")))
	next := w.search(pseudonym, 0, false)
	w.adopt(w.block(w.said(0, 210, "my knee, late")))
	w.report("phone-of-chan", 0, "r-9", "my knee again, Wong")
	require.True(t, w.erasure().Done())
	require.Zero(t, w.erasure().Late)
	rungs := w.rungs()
	old.all(w.s.logs)
	require.Empty(t, old.halts)
	require.Equal(t, w.hash(), old.hash(), "nodes of both versions have the same")
	for _, words := range []string{"the knee again, my knee", "my knee, between", "my knee, late"} {
		require.Contains(t, w.words(), words, "software of before leaves it")
	}

	step := w.s.add(&command.EraseTraces{Pseudonym: pseudonym, Step: next, Answers: true})
	require.ErrorIs(t, old.fsm.Apply(step).(error), ErrHalted)
	require.ErrorIs(t, old.halts[0], command.ErrUnknownVersion)
	require.NoError(t, w.one(step).Error())
	w.search(pseudonym, next, true)
	x := w.erasure()
	require.True(t, x.Done())
	require.True(t, x.Answered)
	require.Equal(t, w.s.next-2, x.DoneAt, "files are cleared of it, too")
	require.Equal(t, rungs, w.rungs())
	require.Equal(t, [2]string{receipt.WordsErased, "out of here"}, w.answers())
	w.adopt(w.block(w.said(0, 220, "my knee, later")))
	require.NotContains(t, w.words(), "my knee")
	require.Contains(t, w.words(), "Chan Tai Man", "the name is not known any more, by which another's words would be found")
}

// words are the answers to the town's alert, as they are recorded.
func (w *town) words() (out string) {
	w.Helper()
	require.NoError(w, w.read.ReceiptFacts(w.id, 0, func(_ fact.Fact, b receipt.Block) {
		for _, r := range b.Receipts {
			out += r.Answer + "\n"
		}
	}))
	return out
}

// However many answers there are, to however many alerts, in whatever batches they and the erasures come, replicas are
// equal; no rung and no time changes, chosen answers stay, and no other word.
func TestErase_AnswersProperty(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 2))
		w := talked(t)
		var more []string
		for n := range 5 {
			m := audience.Member{ID: fmt.Sprint("more-people-", n), Name: fmt.Sprint("Person Number ", n), Kind: "person", Place: "tm"}
			require.NoError(t, w.one(w.s.add(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&m)}})).Error())
			more = append(more, m.ID)
		}
		words := func(member uint32) string {
			return []string{"", "safe", "help", "done", fmt.Sprintf("words of %d: %d", member, rng.IntN(1000)), "w", fmt.Sprintf("%060d of %d", member, member)[:64]}[rng.IntN(7)]
		}
		come := func(n int) {
			for range n {
				var rs []receipt.Receipt
				for range 1 + rng.IntN(1500) {
					member := uint32(rng.IntN(7))
					rs = append(rs, w.said(member, rng.IntN(100_000), words(member)))
				}
				blocks, err := receipt.Blocks(rs)
				require.NoError(t, err)
				for _, b := range blocks {
					w.adopt(w.o.sign(t, fact.KindReceipts, fact.Receipts, b))
				}
			}
		}
		come(120)
		w.erase("chan-tai-man", pseudonym)
		come(20)
		w.begin(more[3], "erased-qqqqqqqqqqqqqqqq") // ordinal 5
		come(3)
		rungs := w.rungs()
		w.search("erased-qqqqqqqqqqqqqqqq", 0, true)
		require.Equal(t, rungs, w.rungs())
		come(20)
		w.holdsNothing()
		require.NoError(t, w.read.ReceiptFacts(w.id, 0, func(_ fact.Fact, b receipt.Block) {
			for _, r := range b.Receipts {
				if r.Member == 0 || r.Member == 5 {
					require.True(t, receipt.Chosen(r.Answer), r.Answer)
				} else {
					require.NotEqual(t, receipt.WordsErased, r.Answer)
				}
			}
		}))
		again := newRig(t)
		for at := 0; at < len(w.s.logs); {
			n := min(1+rng.IntN(40), len(w.s.logs)-at)
			again.all(w.s.logs[at : at+n])
			if at += n; rng.IntN(6) == 0 {
				again.reopen()
			}
		}
		require.Equal(t, w.hash(), again.hash(), "seed %d", seed)
	}
}
