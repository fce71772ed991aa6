package factbody

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const someAlert = "abcdefghijklmnopqrstuvwxyz"

func TestDecodeFollowUp_ReadsWhatItWroteAndNothingBeyond(t *testing.T) {
	told := FollowUp{Alert: someAlert, Revision: 4, What: Told, Members: []uint32{1, 7}, By: "amy", At: 5, Note: "at the door"}
	remind := FollowUp{Alert: someAlert, Revision: 4, What: Remind, Every: 5, By: "amy", At: 5}
	for _, f := range []FollowUp{told, remind} {
		raw, err := f.Encode()
		require.NoError(t, err)
		got, err := DecodeFollowUp(raw)
		require.NoError(t, err)
		require.Equal(t, f, got)
		_, err = DecodeFollowUp(raw[:len(raw)-1])
		require.Error(t, err)
	}
	for what, change := range map[string]func(f *FollowUp){
		"no alert":            func(f *FollowUp) { f.Alert = "x" },
		"nobody":              func(f *FollowUp) { f.By = "" },
		"told no one":         func(f *FollowUp) { f.Members = nil },
		"told again":          func(f *FollowUp) { f.Every = 1 },
		"not in order":        func(f *FollowUp) { f.Members = []uint32{7, 1} },
		"too many":            func(f *FollowUp) { f.Members = make([]uint32, MaxToldMembers+1) },
		"a long note":         func(f *FollowUp) { f.Note = strings.Repeat("x", MaxToldNote+1) },
		"a reminder of some":  func(f *FollowUp) { f.What = Remind },
		"something else":      func(f *FollowUp) { f.What = 9 },
		"before all times":    func(f *FollowUp) { f.At = -1 },
		"a reminder too rare": func(f *FollowUp) { f.What, f.Members, f.Every = Remind, nil, MaxRemindEvery+1 },
	} {
		f := told
		change(&f)
		raw, err := f.Encode()
		require.NoError(t, err)
		_, err = DecodeFollowUp(raw)
		require.Error(t, err, what)
	}
}

func FuzzDecodeFollowUp(f *testing.F) {
	raw, _ := FollowUp{Alert: someAlert, What: Told, Members: []uint32{1}, By: "amy"}.Encode()
	f.Add(raw)
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := DecodeFollowUp(raw)
		if err != nil {
			return
		}
		again, err := got.Encode()
		require.NoError(t, err)
		back, err := DecodeFollowUp(again)
		require.NoError(t, err)
		require.Equal(t, got, back)
	})
}
