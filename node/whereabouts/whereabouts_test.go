package whereabouts_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/node/whereabouts"
	"almenara/node/wire/devicehealth"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// district is nodes in memory, by id; those that are cut do not answer.
type district struct {
	nodes map[string]whereabouts.Nodes
	cut   map[string]bool
}

func (d *district) add(id string, gone map[string]time.Time, here ...whereabouts.Device) {
	d.nodes[id] = whereabouts.Nodes{
		Self: id, Here: func() []whereabouts.Device { return here }, Among: among(&here), Gone: func(device string) time.Time { return gone[device] },
		Others: func() (others []string) {
			for other := range d.nodes {
				if other != id {
					others = append(others, other)
				}
			}
			return others
		},
		Call: func(ctx context.Context, node, _ string, body []byte) ([]byte, error) {
			if d.cut[node] {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			w := httptest.NewRecorder()
			d.nodes[node].Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, whereabouts.Path, bytes.NewReader(body)))
			if w.Code != http.StatusOK {
				return nil, errors.New(w.Body.String())
			}
			return w.Body.Bytes(), nil
		},
	}
}

// among is Nodes.Among of these devices.
func among(here *[]whereabouts.Device) func(*roaring.Bitmap) *roaring.Bitmap {
	return func(members *roaring.Bitmap) *roaring.Bitmap {
		out := roaring.New()
		for _, d := range *here {
			if members.Contains(d.Member) {
				out.Add(d.Member)
			}
		}
		return out
	}
}

// A device is where any node has it, came last, or left last; what a node that is cut off
// knows of it is not known.
func TestNodes_AnswerForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &district{nodes: map[string]whereabouts.Nodes{}, cut: map[string]bool{}}
		d.add("n1", map[string]time.Time{"left": noon, "roamed": noon.Add(time.Minute)}, whereabouts.Device{Device: "here", Since: noon, State: "ready"})
		d.add("n2", map[string]time.Time{"left": noon.Add(time.Hour)}, whereabouts.Device{Device: "roamed", Since: noon.Add(time.Minute)})
		d.add("n3", nil, whereabouts.Device{Device: "roamed", Since: noon}, whereabouts.Device{Device: "other", Since: noon})
		all := []string{"here", "roamed", "left", "never"}
		found := d.nodes["n1"].Ask(t.Context(), all)
		require.Empty(t, found.Silent)
		at, ok := found.Of("here")
		require.True(t, ok)
		require.Equal(t, whereabouts.At{Device: whereabouts.Device{Device: "here", Since: noon, State: "ready"}, Node: "n1"}, at)
		at, ok = found.Of("roamed")
		require.True(t, ok)
		require.Equal(t, "n2", at.Node, "where it came last")
		_, ok = found.Of("left")
		require.False(t, ok)
		require.Equal(t, noon.Add(time.Hour), found.Gone("left").UTC(), "when it left last")
		require.Zero(t, found.Gone("never"))
		_, ok = found.Of("other")
		require.False(t, ok, "nobody asked for it")

		d.cut["n2"], d.cut["n3"] = true, true
		begun := time.Now()
		found = d.nodes["n1"].Ask(t.Context(), all)
		require.Equal(t, []string{"n2", "n3"}, found.Silent)
		require.Equal(t, time.Second, time.Since(begun))
		_, ok = found.Of("roamed")
		require.False(t, ok)
		require.Empty(t, d.nodes["n1"].Ask(t.Context(), nil).Silent, "nothing was asked")
	})
}

// Nodes of another version ask for everything that is connected, and answer that.
func TestNodes_UnderstandOlderOnes(t *testing.T) {
	d := &district{nodes: map[string]whereabouts.Nodes{}, cut: map[string]bool{}}
	d.add("new", map[string]time.Time{"left": noon}, whereabouts.Device{Device: "here", Since: noon})
	w := httptest.NewRecorder()
	d.nodes["new"].Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, whereabouts.Path, nil))
	require.JSONEq(t, `[{"device":"here","member":0,"since":"2026-07-20T12:00:00Z","state":""}]`, w.Body.String())
	d.add("old", nil)
	asker := d.nodes["new"]
	asker.Call = func(context.Context, string, string, []byte) ([]byte, error) {
		return []byte(`[{"device":"there","member":7,"since":"2026-07-20T11:00:00Z","state":"ready"},{"device":"more","member":8,"since":"2026-07-20T11:00:00Z","state":""}]`), nil
	}
	found := asker.Ask(t.Context(), []string{"there"})
	at, ok := found.Of("there")
	require.True(t, ok)
	require.Equal(t, "old", at.Node)
	asker.Call = func(context.Context, string, string, []byte) ([]byte, error) { return []byte(`[{"devi`), nil }
	require.Equal(t, []string{"old"}, asker.Ask(t.Context(), []string{"there"}).Silent, "a cut answer is none")
}

// Whose devices are connected is counted once for the district, whatever version the nodes
// are of, and nobody is asked of whom it is known that no answer comes.
func TestNodes_CountMembersThatAreConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &district{nodes: map[string]whereabouts.Nodes{}, cut: map[string]bool{}}
		d.add("n1", nil, whereabouts.Device{Device: "a", Member: 1})
		d.add("n2", nil, whereabouts.Device{Device: "a", Member: 1}, whereabouts.Device{Device: "b", Member: 2}, whereabouts.Device{Device: "c", Member: 3})
		d.add("n3", nil, whereabouts.Device{Device: "d", Member: 4})
		asker := d.nodes["n1"]
		all := func(string) bool { return true }
		members := roaring.BitmapOf(1, 2, 4, 5)
		connected, silent := asker.Connected(t.Context(), members, all)
		require.Equal(t, []uint32{1, 2, 4}, connected.ToArray())
		require.Empty(t, silent)
		require.Equal(t, []uint32{1, 2, 4, 5}, members.ToArray(), "it is the caller's")
		connected, silent = asker.Connected(t.Context(), roaring.New(), all)
		require.Zero(t, connected.GetCardinality())
		require.Empty(t, silent)

		begun := time.Now()
		connected, silent = asker.Connected(t.Context(), members, nil)
		require.Equal(t, []uint32{1}, connected.ToArray())
		require.Equal(t, []string{"n2", "n3"}, silent)
		d.cut["n3"] = true
		connected, silent = asker.Connected(t.Context(), members, func(id string) bool { return id != "n3" })
		require.Equal(t, []uint32{1, 2}, connected.ToArray())
		require.Equal(t, []string{"n3"}, silent)
		require.Zero(t, time.Since(begun))
		_, silent = asker.Connected(t.Context(), members, all)
		require.Equal(t, []string{"n3"}, silent)
		require.Equal(t, time.Second, time.Since(begun))

		for _, answer := range []string{`[{"device":"b","member":2},{"device":"z","member":9},{"device":"gone","member":5,"gone":"2026-07-20T12:00:00Z"}]`, `{"members":"AAAA"}`, `{`} {
			asker.Call = func(context.Context, string, string, []byte) ([]byte, error) { return []byte(answer), nil }
			connected, silent = asker.Connected(t.Context(), members, func(id string) bool { return id == "n2" })
			if answer[0] == '[' { // of an older node
				require.Equal(t, []uint32{1, 2}, connected.ToArray())
				require.Equal(t, []string{"n3"}, silent)
			} else {
				require.Equal(t, []string{"n2", "n3"}, silent, "an answer that cannot be read is none")
			}
		}
	})
}

// What a device says of itself goes with the answer; a node of before, which asks for all at once, is
// not sent what it would not read.
func TestNodes_PassOnWhatDevicesSay(t *testing.T) {
	d := &district{nodes: map[string]whereabouts.Nodes{}, cut: map[string]bool{}}
	said := &devicehealth.DeviceHealth{At: noon, Level: "A", Faults: []string{devicehealth.FaultReload}}
	d.add("n1", nil)
	d.add("n2", nil, whereabouts.Device{Device: "lift", Since: noon, Health: said})
	at, ok := d.nodes["n1"].Ask(t.Context(), []string{"lift"}).Of("lift")
	require.True(t, ok)
	require.Equal(t, said, at.Health)
	raw, err := d.nodes["n1"].Call(t.Context(), "n2", whereabouts.Path, nil)
	require.NoError(t, err)
	require.Contains(t, string(raw), `"lift"`)
	require.NotContains(t, string(raw), "health")
}
