package factbody

import (
	"bytes"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
)

func largeIssue() Issue {
	shape := geometry.Polygon{{Lat: 223_000_000, Lon: 1_141_000_000}, {Lat: -900_000_000, Lon: 1_141_000_001}, {Lat: 900_000_000, Lon: -1_800_000_000}}
	other := geometry.Polygon{{Lat: 1, Lon: 1}, {Lat: 2, Lon: 2}, {Lat: 1, Lon: 3}}
	return Issue{
		Message: []byte("short"), Author: "amy", Accepted: 7,
		Targets: []audience.Target{{Area: true, Shapes: []geometry.Polygon{shape, other}}, {Select: "all"}, {Area: true, Shapes: []geometry.Polygon{other, shape}}},
		Original: &Original{
			SHA256: bytes.Repeat([]byte{1}, 32), Size: 4 << 20, Content: bytes.Repeat([]byte{2}, 32), Kept: true, Until: 9,
		},
	}
}

func TestIssue_CarriesTheOutlinesOfAllLanguagesOnce(t *testing.T) {
	issue := largeIssue()
	body, err := issue.Encode()
	require.NoError(t, err)
	require.Equal(t, largeIssue(), issue, "what was encoded is as it was")
	read, err := DecodeIssue(body)
	require.NoError(t, err)
	require.Equal(t, issue, read)
	again, err := read.Encode()
	require.NoError(t, err)
	require.Equal(t, body, again)
	require.Equal(t, alert.Digest(issue.Original.Content), read.Content(&alert.Alert{}))

	plain := issue
	plain.Original = nil
	larger, err := plain.Encode()
	require.NoError(t, err)
	require.Less(t, len(body), len(larger), "also with what is said of the original")
}

func TestIssueVersion_IsOldForWhatHasNoOriginal(t *testing.T) {
	issue := largeIssue()
	body, err := issue.Encode()
	require.NoError(t, err)
	require.EqualValues(t, OriginalsSince, IssueVersion(body))
	issue.Original = nil
	body, err = issue.Encode()
	require.NoError(t, err)
	require.EqualValues(t, 1, IssueVersion(body))
	require.EqualValues(t, 1, IssueVersion([]byte("nonsense")))
}

func TestDecodeIssue_RefusesOutlinesThatAreNone(t *testing.T) {
	for name, spoil := range map[string]func(*Issue){
		"too few lists":        func(i *Issue) { i.Original.Of = i.Original.Of[:1] },
		"an outline not there": func(i *Issue) { i.Original.Of[0][0] = 2 },
		"cut off":              func(i *Issue) { i.Original.Shapes[0] = i.Original.Shapes[0][:len(i.Original.Shapes[0])-1] },
		"off the globe": func(i *Issue) {
			i.Original.Shapes[0] = geometry.Pack(geometry.Polygon{{Lat: 1 << 30}, {Lat: -1 << 31}})
			i.Original.Shapes[0] = append(i.Original.Shapes[0], i.Original.Shapes[0]...)
			i.Original.Shapes[0] = append(i.Original.Shapes[0], i.Original.Shapes[0]...)
		},
		"a short sum":     func(i *Issue) { i.Original.SHA256 = i.Original.SHA256[1:] },
		"a short digest":  func(i *Issue) { i.Original.Content = nil },
		"a negative size": func(i *Issue) { i.Original.Size = -1 },
		"one outline for ever": func(i *Issue) {
			i.Original.Shapes = [][]byte{geometry.Pack(make(geometry.Polygon, 10_000))}
			for n := range i.Original.Of {
				i.Original.Of[n] = make([]uint32, 10_000)
			}
		},
	} {
		issue := largeIssue()
		issue.packShapes()
		spoil(&issue)
		body, err := cbor.Marshal(issue)
		require.NoError(t, err)
		_, err = DecodeIssue(body)
		require.ErrorIs(t, err, errOriginal, name)
	}
}
