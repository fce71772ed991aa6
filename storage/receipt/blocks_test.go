package receipt

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func decodeAll(t testing.TB, blocks [][]byte) (all []Receipt) {
	t.Helper()
	for _, raw := range blocks {
		b := mustDecode(t, raw)
		_, ok := b.Alert()
		require.True(t, ok, "a block has one alert")
		all = append(all, b.Receipts...)
	}
	return all
}

func mustBlocks(t testing.TB, rs []Receipt) [][]byte {
	t.Helper()
	blocks, err := Blocks(rs)
	require.NoError(t, err)
	return blocks
}

func TestBlocks_KeepsWhatMattersOfEachLadder(t *testing.T) {
	r := receiptOf
	for name, row := range map[string]struct{ in, want []Receipt }{
		"highest rung": {
			[]Receipt{r(1, Queued, 0), r(1, Verified, 3), r(1, Delivered, 2), r(1, Sent, 1)},
			[]Receipt{r(1, Verified, 3)},
		},
		"first time of a rung": {
			[]Receipt{r(1, Presented, 9), r(1, Presented, 5)}, []Receipt{r(1, Presented, 5)},
		},
		"presented and acknowledged": {
			[]Receipt{r(1, Verified, 0), r(1, Acknowledged, 9), r(1, Presented, 5)},
			[]Receipt{r(1, Presented, 5), r(1, Acknowledged, 9)},
		},
		"first acknowledgement and last answer": {
			[]Receipt{answered(1, 7, "safe"), r(1, Acknowledged, 5), answered(1, 9, "help"), answered(1, 8, "safe")},
			[]Receipt{r(1, Acknowledged, 5), answered(1, 9, "help")},
		},
		"only answer": {
			[]Receipt{answered(1, 5, "safe"), r(1, Acknowledged, 6)}, []Receipt{answered(1, 5, "safe")},
		},
		"an end that does not imply how far it got": {
			[]Receipt{r(1, Sent, 0), r(1, Delivered, 1), r(1, Expired, 8)}, []Receipt{r(1, Delivered, 1), r(1, Expired, 8)},
		},
		"an end that implies it": {
			[]Receipt{r(1, Sent, 0), r(1, Failed, 8)}, []Receipt{r(1, Failed, 8)},
		},
		"two ends": {
			[]Receipt{r(1, Expired, 0), r(1, Refused, 8), r(1, Failed, 9)}, []Receipt{r(1, Refused, 8)},
		},
		"two ends, one of which says that it stopped": {
			[]Receipt{r(1, Expired, 0), r(1, Refused, 8), r(1, Cancelled, 9)}, []Receipt{r(1, Cancelled, 9), r(1, Refused, 8)},
		},
		"presentation outlives an end": {
			[]Receipt{r(1, Presented, 0), r(1, Failed, 8)}, []Receipt{r(1, Presented, 0)},
		},
		"who presented it has stopped": {
			[]Receipt{r(1, Presented, 0), r(1, Cancelled, 8)}, []Receipt{r(1, Presented, 0), r(1, Cancelled, 8)},
		},
		"members apart": {
			[]Receipt{r(2, Sent, 0), r(1, Queued, 0)}, []Receipt{r(1, Queued, 0), r(2, Sent, 0)},
		},
		"nothing": {},
	} {
		require.Equal(t, row.want, decodeAll(t, mustBlocks(t, row.in)), name)
	}
}

func TestBlocks_ChangeNoCountAndNoAnswer(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 7))
		in := randomReceipts(r, 200)
		whole, coalesced := NewTally(), NewTally()
		whole.Add(Block{Receipts: in})
		blocks := mustBlocks(t, in)
		require.Equal(t, blocks, mustBlocks(t, append(shuffledCopy(r, in), in...)))
		for _, raw := range blocks {
			coalesced.Add(mustDecode(t, raw))
		}
		for _, id := range whole.Alerts() {
			require.Equal(t, whole.Answers(id), coalesced.Answers(id))
			for _, rev := range whole.Revisions(id) {
				require.Equal(t, whole.Counts(id, rev), coalesced.Counts(id, rev), "seed %d", seed)
			}
		}
		require.Equal(t, whole.Alerts(), coalesced.Alerts())
	}
}

func TestBlocks_StayWithinTheBounds(t *testing.T) {
	var in []Receipt
	for i := range uint32(5000) {
		in = append(in, answered(i, int(i), strings.Repeat("x", MaxAnswer)))
	}
	for _, raw := range mustBlocks(t, in) {
		require.LessOrEqual(t, len(raw), MaxEncoded)
	}
	require.Equal(t, in, decodeAll(t, mustBlocks(t, in)))
	for i := range in {
		in[i].Answer = ""
	}
	require.Len(t, mustBlocks(t, in), 3)
}

func TestBlocks_LeaveOutWhatCannotBeWrittenAndKeepTheRest(t *testing.T) {
	good := receiptOf(1, Sent, 0)
	blocks, err := Blocks([]Receipt{{Alert: typhoon}, good, {Alert: "x", Rung: Sent}})
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, []Receipt{good}, decodeAll(t, blocks))
}

// fleet is what n screens tell of one alert within a minute, in the order in which
// it arrives.
func fleet(n int) []Receipt {
	r := rand.New(rand.NewPCG(1, 1))
	list := make([]Receipt, n)
	for i, member := range r.Perm(n) {
		list[i] = receiptOf(uint32(member), Presented, r.IntN(600))
		list[i].At = list[i].At.Add(time.Duration(r.IntN(100)) * time.Millisecond)
	}
	return list
}

const fleetSize = 500_000

// inBlocks is the fleet's receipts as they come in: 2,000 at a time.
func inBlocks(b *testing.B) (blocks [][]byte, size int) {
	b.Helper()
	all := fleet(fleetSize)
	for len(all) > 0 {
		raw, err := Block{Receipts: all[:MaxReceipts]}.Encode()
		require.NoError(b, err)
		blocks, all, size = append(blocks, raw), all[MaxReceipts:], size+len(raw)
	}
	return blocks, size
}

func TestBlock_IsSmall(t *testing.T) {
	all := fleet(100_000)
	raw := mustEncode(t, Block{Receipts: all[:MaxReceipts]})
	require.LessOrEqual(t, float64(len(raw))/MaxReceipts, 6.0)
}

func BenchmarkEncode500000(b *testing.B) {
	all := fleet(fleetSize)
	size := 0
	for b.Loop() {
		size = 0
		for at := 0; at < len(all); at += MaxReceipts {
			raw, err := Block{Receipts: all[at : at+MaxReceipts]}.Encode()
			require.NoError(b, err)
			size += len(raw)
		}
	}
	b.ReportMetric(float64(size)/fleetSize, "B/receipt")
}

func BenchmarkBlocks500000(b *testing.B) {
	all := fleet(fleetSize)
	for b.Loop() {
		_, err := Blocks(all)
		require.NoError(b, err)
	}
}

func BenchmarkDecode500000(b *testing.B) {
	blocks, _ := inBlocks(b)
	for b.Loop() {
		for _, raw := range blocks {
			_, err := DecodeBlock(raw)
			require.NoError(b, err)
		}
	}
}

func BenchmarkFold500000(b *testing.B) {
	blocks, _ := inBlocks(b)
	decoded := make([]Block, len(blocks))
	for i, raw := range blocks {
		decoded[i] = mustDecode(b, raw)
	}
	for b.Loop() {
		tally := NewTally()
		for i := range decoded {
			tally.Add(decoded[i])
		}
	}
}

// BenchmarkBlocks5000 is what one node gathers after an alert.
func BenchmarkBlocks5000(b *testing.B) {
	all := fleet(5000)
	for b.Loop() {
		_, err := Blocks(all)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(5000*b.N), "ns/receipt")
}
