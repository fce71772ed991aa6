package receipt

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

var (
	noon    = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	typhoon = alert.Key{Sender: "observatory@example.org", Identifier: "TC8", Sent: alert.NewDateTime(noon)}.ID()
	rain    = alert.Key{Sender: "observatory@example.org", Identifier: "rain", Sent: alert.NewDateTime(noon)}.ID()
)

const revision = alert.Revision(1_784_548_800_123)

// receiptOf is a receipt of the typhoon, some tenths of a second after noon.
func receiptOf(member uint32, r Rung, tenths int) Receipt {
	return Receipt{
		Alert: typhoon, Revision: revision, Member: member, Rung: r,
		At: noon.Add(time.Duration(tenths) * Resolution),
	}
}

func answered(member uint32, tenths int, text string) Receipt {
	r := receiptOf(member, Acknowledged, tenths)
	r.Answer = text
	return r
}

func mustEncode(t testing.TB, b Block) []byte {
	t.Helper()
	raw, err := b.Encode()
	require.NoError(t, err)
	return raw
}

func mustDecode(t testing.TB, raw []byte) Block {
	t.Helper()
	b, err := DecodeBlock(raw)
	require.NoError(t, err)
	return b
}

func shuffledCopy(r *rand.Rand, in []Receipt) []Receipt {
	out := slices.Clone(in)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// randomReceipts makes receipts of two alerts, two revisions and few members, so
// that they meet.
func randomReceipts(r *rand.Rand, n int) []Receipt {
	list := make([]Receipt, n)
	for i := range list {
		x := receiptOf(uint32(r.IntN(n/4+1)), Queued+Rung(r.IntN(int(Refused))), r.IntN(600)-300)
		if r.IntN(3) == 0 {
			x.Alert = rain
		}
		if r.IntN(4) == 0 {
			x.Revision += 1000
		}
		if x.Rung == Acknowledged && r.IntN(2) == 0 {
			x.Answer = []string{"safe", "help", "平安"}[r.IntN(3)]
		}
		list[i] = x
	}
	return list
}

func TestBlock_GoesThereAndBack(t *testing.T) {
	in := []Receipt{
		receiptOf(7, Delivered, 3), receiptOf(math.MaxUint32, Delivered, -40), answered(7, 12, "平安"),
		receiptOf(0, Presented, 5), receiptOf(7, Acknowledged, 11), receiptOf(7, Delivered, 4),
	}
	other := receiptOf(9, Failed, 1)
	other.Alert, other.Revision = rain, math.MaxUint64
	in = append(in, other)
	raw := mustEncode(t, Block{Receipts: in})
	out := mustDecode(t, raw)
	require.ElementsMatch(t, in, out.Receipts)
	require.Equal(t, raw, mustEncode(t, out))
}

func TestBlock_EqualSetsGiveEqualBytes(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		in := randomReceipts(r, 1+r.IntN(300))
		raw := mustEncode(t, Block{Receipts: in})
		twice := append(shuffledCopy(r, in), in...)
		require.Equal(t, raw, mustEncode(t, Block{Receipts: twice}))
		require.Equal(t, raw, mustEncode(t, mustDecode(t, raw)))
	}
}

func TestBlock_KeepsTheCallersBase(t *testing.T) {
	base := noon.Add(-time.Hour)
	out := mustDecode(t, mustEncode(t, Block{Base: base, Receipts: []Receipt{receiptOf(1, Sent, 0)}}))
	require.Equal(t, base, out.Base)
	require.Equal(t, noon, out.Receipts[0].At)
}

func TestBlock_BringsTimesIntoRange(t *testing.T) {
	in := []Receipt{receiptOf(1, Sent, 0), receiptOf(2, Sent, 0), receiptOf(3, Sent, 0), receiptOf(4, Sent, 0)}
	in[0].At = time.Time{}
	in[1].At = time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)
	in[2].At = noon.Add(199 * time.Millisecond)
	in[3].At = noon.In(time.FixedZone("HKT", 8*3600))
	out := mustDecode(t, mustEncode(t, Block{Receipts: in})).Receipts
	require.Equal(t, time.Unix(0, 0).UTC(), out[0].At)
	require.Equal(t, 9999, out[1].At.Year())
	require.Equal(t, noon.Add(100*time.Millisecond), out[2].At)
	require.Equal(t, noon, out[3].At)
}

func TestBlock_CutsAnswersAtARune(t *testing.T) {
	in := []Receipt{answered(1, 0, strings.Repeat("安", 30)), answered(2, 0, "a\xffb"), answered(3, 0, strings.Repeat("x", 64))}
	stray := receiptOf(4, Sent, 0)
	stray.Answer = "no"
	out := mustDecode(t, mustEncode(t, Block{Receipts: append(in, stray)})).Receipts
	require.Equal(t, stray.Member, out[0].Member)
	require.Empty(t, out[0].Answer)
	require.Equal(t, strings.Repeat("安", 21), out[1].Answer)
	require.True(t, utf8.ValidString(out[2].Answer))
	require.Equal(t, strings.Repeat("x", 64), out[3].Answer)
}

func TestBlock_RefusesWhatItCannotHold(t *testing.T) {
	_, err := Block{}.Encode()
	require.ErrorIs(t, err, ErrInvalid)
	_, err = Block{Receipts: []Receipt{{Alert: typhoon}}}.Encode()
	require.ErrorIs(t, err, ErrInvalid)
	_, err = Block{Receipts: []Receipt{{Alert: "short", Rung: Sent}}}.Encode()
	require.ErrorIs(t, err, ErrInvalid)
	var many []Receipt
	for i := range uint32(MaxReceipts + 1) {
		many = append(many, receiptOf(i, Sent, 0))
	}
	_, err = Block{Receipts: many}.Encode()
	require.ErrorIs(t, err, ErrTooLarge)
	for i := range many {
		many[i] = answered(uint32(i), 0, strings.Repeat("x", MaxAnswer))
	}
	_, err = Block{Receipts: many[:MaxReceipts]}.Encode()
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestBlock_Alert(t *testing.T) {
	_, ok := Block{}.Alert()
	require.False(t, ok)
	mixed := []Receipt{receiptOf(1, Sent, 0), {Alert: rain, Rung: Sent}}
	_, ok = Block{Receipts: mixed}.Alert()
	require.False(t, ok)
	id, ok := Block{Receipts: mixed[:1]}.Alert()
	require.True(t, ok)
	require.Equal(t, typhoon, id)
}

// group writes one group by hand, for what Encode would never write.
func group(id alert.ID, rev uint64, r Rung, count uint64, items ...byte) []byte {
	out := binary.AppendUvarint([]byte(id), rev)
	out = binary.AppendUvarint(append(out, byte(r)), count)
	return append(out, items...)
}

func TestDecodeBlock_RefusesEveryOtherSpelling(t *testing.T) {
	head := []byte{blockVersion, 100}
	join := func(parts ...[]byte) []byte { return bytes.Join(append([][]byte{head}, parts...), nil) }
	one := group(typhoon, 5, Sent, 1, 7, 0)
	_, err := DecodeBlock(join(one))
	require.NoError(t, err)
	full := group(typhoon, 5, Sent, MaxReceipts, bytes.Repeat([]byte{1, 0}, MaxReceipts)...)
	_, err = DecodeBlock(join(full))
	require.NoError(t, err)
	for name, raw := range map[string][]byte{
		"nothing":                     {},
		"version only":                {blockVersion},
		"no group":                    head,
		"other version":               append([]byte{2, 100}, one...),
		"base out of range":           append(binary.AppendUvarint([]byte{blockVersion}, maxTick+1), one...),
		"base not shortest":           append([]byte{blockVersion, 0xe4, 0x00}, one...),
		"varint without end":          join(append(group(typhoon, 5, Sent, 1), bytes.Repeat([]byte{0xff}, 12)...)),
		"tail":                        join(one, []byte{0}),
		"alert is no id":              join(group("0123456789ABCDEF0123456789", 5, Sent, 1, 7, 0)),
		"rung 0":                      join(group(typhoon, 5, 0, 1, 7, 0)),
		"rung 11":                     join(group(typhoon, 5, Refused+1, 1, 7, 0)),
		"empty group":                 join(group(typhoon, 5, Sent, 0)),
		"too many":                    join(group(typhoon, 5, Sent, MaxReceipts+1, 7, 0)),
		"empty group before one":      join(group(typhoon, 4, Sent, 0), one),
		"one more than a block holds": join(group(typhoon, 5, Sent, MaxReceipts+1, bytes.Repeat([]byte{1, 0}, MaxReceipts+1)...)),
		"one more in another group":   join(full, group(typhoon, 6, Sent, 1, 7, 0)),
		"fewer than said":             join(group(typhoon, 5, Sent, 2, 7, 0)),
		"same receipt twice":          join(group(typhoon, 5, Sent, 2, 7, 0, 0, 0)),
		"same member, time falls":     join(group(typhoon, 5, Sent, 2, 7, 0, 0, 1)),
		"same group twice":            join(one, one),
		"groups in wrong order":       join(group(typhoon, 6, Sent, 1, 7, 0), one),
		"rungs in wrong order":        join(one, group(typhoon, 5, Queued, 1, 7, 0)),
		"member out of range":         join(group(typhoon, 5, Sent, 1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0)),
		"members run over":            join(group(typhoon, 5, Sent, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 0)),
		"time before 1970":            join(group(typhoon, 5, Sent, 1, 7, 0xc9, 0x01)),
		"answer longer than 64":       join(group(typhoon, 5, Acknowledged, 1, append([]byte{7, 0, 65}, bytes.Repeat([]byte("x"), 65)...)...)),
		"answer ends early":           join(group(typhoon, 5, Acknowledged, 1, 7, 0, 3, 'o')),
		"answer not UTF-8":            join(group(typhoon, 5, Acknowledged, 1, 7, 0, 1, 0xff)),
		"larger than a block":         append(join(one), make([]byte, MaxEncoded)...),
		"answers in wrong order":      join(group(typhoon, 5, Acknowledged, 2, 7, 0, 1, 'b', 0, 0, 1, 'a')),
		"revision not the shortest":   join([]byte(typhoon), []byte{0x85, 0x00, byte(Sent), 1, 7, 0}),
	} {
		_, err := DecodeBlock(raw)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestDecodeBlock_RefusesEveryPrefix(t *testing.T) {
	raw := mustEncode(t, Block{Receipts: []Receipt{receiptOf(1, Sent, 2), answered(300, 70000, "safe")}})
	for n := range raw {
		b, err := DecodeBlock(raw[:n])
		if err == nil { // a cut between two groups leaves a shorter block
			require.Len(t, b.Receipts, 1)
			require.Equal(t, raw[:n], mustEncode(t, b))
		}
	}
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add([]byte{})
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 5, 100} {
		f.Add(mustEncode(f, Block{Receipts: randomReceipts(r, n)}))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := DecodeBlock(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		for _, r := range b.Receipts {
			require.NoError(t, r.Validate())
		}
		require.Equal(t, raw, mustEncode(t, b))
		NewTally().Add(b)
	})
}
