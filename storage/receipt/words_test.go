package receipt

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

func TestChosen_IsWhatIsOfferedToEverybody(t *testing.T) {
	for _, answer := range []string{"", "safe", "help", "done", WordsErased} {
		require.True(t, Chosen(answer), answer)
	}
	for _, answer := range []string{"Safe", "safe ", "I am safe", "**", "平安"} {
		require.False(t, Chosen(answer), answer)
	}
}

// Whatever a block says, what is left of it can be written, is no longer, and counts the same.
func TestReword_ChangesWordsAndNothingElse(t *testing.T) {
	const id = alert.ID("7qggodrwesnbuxamkutppyfgoa")
	r := rand.New(rand.NewPCG(1, 16))
	for n := range 300 {
		var rs []Receipt
		for range 1 + r.IntN(60) {
			one := Receipt{Alert: id, Revision: 1, Member: uint32(r.IntN(4)), Rung: Rung(1 + r.IntN(int(Refused))), At: time.UnixMilli(1_000_000 + 100*r.Int64N(300)).UTC()}
			if one.Rung == Acknowledged {
				one.Answer = []string{"", "safe", "w", strings.Repeat("x", MaxAnswer), fmt.Sprint(r.IntN(9)), WordsErased}[r.IntN(6)]
			}
			rs = append(rs, one)
		}
		before, err := Block{Receipts: rs}.Encode()
		require.NoError(t, err)
		block, err := DecodeBlock(before)
		require.NoError(t, err)
		counted := NewTally()
		counted.Add(block)
		own := false
		for _, one := range block.Receipts {
			own = own || one.Member == 2 && !Chosen(one.Answer)
		}
		require.Equal(t, own, block.Reword(func(member uint32, answer string) string {
			if member == 2 {
				return WordsErased
			}
			return answer
		}))
		after, err := block.Encode()
		require.NoError(t, err)
		require.LessOrEqual(t, len(after), len(before))
		again, err := DecodeBlock(after)
		require.NoError(t, err)
		now := NewTally()
		now.Add(again)
		require.Equal(t, counted.Counts(id, 1), now.Counts(id, 1), "%d", n)
		for _, one := range again.Receipts {
			require.True(t, one.Member != 2 || Chosen(one.Answer))
		}
		for _, a := range counted.Answers(id) {
			is, ok := now.AnswerOf(id, a.Member)
			require.True(t, ok)
			require.Equal(t, a.At, is.At)
			if a.Member != 2 {
				require.Equal(t, a.Text, is.Text)
			}
		}
	}
}
