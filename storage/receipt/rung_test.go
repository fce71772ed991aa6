package receipt

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func allRungs() (list []Rung) {
	for r := Queued; r <= Refused; r++ {
		list = append(list, r)
	}
	return list
}

func TestRung_TextGoesThereAndBack(t *testing.T) {
	for _, r := range allRungs() {
		back, err := ParseRung(r.String())
		require.NoError(t, err)
		require.Equal(t, r, back)
		raw, err := json.Marshal(map[Rung]Rung{r: r})
		require.NoError(t, err)
		var m map[Rung]Rung
		require.NoError(t, json.Unmarshal(raw, &m))
		require.Equal(t, map[Rung]Rung{r: r}, m)
	}
	for _, s := range []string{"", "Sent", "shown", "rung 0"} {
		_, err := ParseRung(s)
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err := Rung(0).MarshalText()
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, "rung 11", Rung(11).String())
}

func TestClimbs_IsAStrictTotalOrder(t *testing.T) {
	for _, a := range append(allRungs(), 0) {
		require.False(t, Climbs(a, a))
		for _, b := range allRungs() {
			if a != b {
				require.NotEqual(t, Climbs(a, b), Climbs(b, a), "%s %s", a, b)
			}
		}
	}
	require.False(t, Climbs(Queued, Rung(200)))
}

func TestClimbs_EndsNeverReplacePresentation(t *testing.T) {
	for _, end := range []Rung{Failed, Expired, Cancelled, Refused} {
		require.True(t, end.Ends())
		for _, proof := range []Rung{Presented, Acknowledged} {
			require.False(t, Climbs(proof, end))
			require.True(t, Climbs(end, proof))
		}
		for _, step := range []Rung{Queued, Sent, Delivered, Verified} {
			require.True(t, Climbs(step, end))
			require.False(t, Climbs(end, step))
		}
	}
}

func TestImplies_NeverCallsALowerRungByAHigherName(t *testing.T) {
	steps := []Rung{Queued, Sent, Delivered, Verified, Presented, Acknowledged}
	for i, high := range steps {
		for j, low := range steps {
			require.Equal(t, j <= i, high.Implies(low), "%s %s", high, low)
		}
	}
	for end, proves := range map[Rung][]Rung{
		Failed: {Queued, Sent}, Refused: {Queued, Sent, Delivered}, Expired: {Queued}, Cancelled: {Queued},
	} {
		for _, r := range allRungs() {
			want := r == end
			for _, p := range proves {
				want = want || p == r
			}
			require.Equal(t, want, end.Implies(r), "%s %s", end, r)
			require.Equal(t, r == end, r.Implies(end), "%s %s", r, end)
		}
	}
	require.False(t, Rung(0).Implies(Queued))
	require.False(t, Queued.Implies(0))
}

func TestValidate_RefusesWhatADeviceMustNotSend(t *testing.T) {
	good := receiptOf(1, Acknowledged, 0)
	good.Answer = strings.Repeat("安", 21)
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*Receipt){
		"no alert":        func(r *Receipt) { r.Alert = "" },
		"alert in a path": func(r *Receipt) { r.Alert = "../" + r.Alert },
		"no rung":         func(r *Receipt) { r.Rung = 0 },
		"unknown rung":    func(r *Receipt) { r.Rung = Refused + 1 },
		"long answer":     func(r *Receipt) { r.Answer = strings.Repeat("x", MaxAnswer+1) },
		"broken UTF-8":    func(r *Receipt) { r.Answer = "\xff" },
		"answer to sent":  func(r *Receipt) { r.Rung = Sent },
	} {
		bad := good
		change(&bad)
		require.ErrorIs(t, bad.Validate(), ErrInvalid, name)
	}
}
