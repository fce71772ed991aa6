package receipt

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Devices tell several nodes, some of them twice; each node cuts what it heard into
// blocks where it likes, and every block is merged in any order, more than once, by a
// process that is started anew in between: nobody counts twice and nobody is lost.
func TestMerge_HoweverNodesCutAndRepeatTheirBlocksTheCountsAreTheSame(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 21))
		in := randomReceipts(r, 300)
		want := tallyOf(in...)
		for range 3 {
			tally := NewTally()
			for _, raw := range repeated(r, nodesBlocks(t, r, in)) {
				tally.Add(mustDecode(t, raw))
				if r.IntN(10) == 0 {
					again := NewTally()
					require.NoError(t, again.UnmarshalBinary(state(t, tally)))
					tally = again
				}
			}
			sameCounts(t, want, tally, seed)
		}
	}
}

// nodesBlocks spreads the receipts over three nodes, some to two of them, and cuts what
// each has into blocks again and again, as it comes in.
func nodesBlocks(t *testing.T, r *rand.Rand, in []Receipt) (blocks [][]byte) {
	t.Helper()
	nodes := make([][]Receipt, 3)
	for _, one := range shuffledCopy(r, in) {
		at := r.IntN(3)
		nodes[at] = append(nodes[at], one)
		if r.IntN(4) == 0 {
			at = r.IntN(3)
			nodes[at] = append(nodes[at], one)
		}
	}
	for _, heard := range nodes {
		for len(heard) > 0 {
			n := min(1+r.IntN(60), len(heard))
			blocks = append(blocks, mustBlocks(t, heard[:n])...)
			heard = heard[n:]
		}
	}
	return blocks
}

func repeated(r *rand.Rand, in [][]byte) [][]byte {
	out := append([][]byte{}, in...)
	for range len(in) / 2 {
		out = append(out, in[r.IntN(len(in))])
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func sameCounts(t *testing.T, want, got *Tally, seed uint64) {
	t.Helper()
	require.Equal(t, want.Alerts(), got.Alerts(), "seed %d", seed)
	for _, id := range want.Alerts() {
		require.Equal(t, want.Revisions(id), got.Revisions(id), "seed %d", seed)
		require.Equal(t, want.Answers(id), got.Answers(id), "seed %d", seed)
		for _, rev := range want.Revisions(id) {
			require.Equal(t, want.Counts(id, rev), got.Counts(id, rev), "seed %d", seed)
			for rung := Queued; rung <= Refused; rung++ {
				require.Equal(t, want.Members(id, rev, rung).ToArray(), got.Members(id, rev, rung).ToArray(), "seed %d, %s", seed, rung)
			}
		}
	}
}
