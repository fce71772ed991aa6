package node_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// TestDistrict_Moves gives nodes other addresses, as DHCP does: one, then two at once.
func TestDistrict_Moves(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	for _, moving := range [][]int{{1}, {0, 2}} {
		for _, i := range moving {
			d.stop(i)
			d.opts[i].Internode = freeAddr(t)
		}
		if len(moving) == 1 {
			d.await(func(s wire.Status) bool { return s.Ready && !answers(s, d.opts[1].Name) })
			require.Contains(t, d.board(0), "A node does not answer", "green with one node away")
		}
		for _, i := range moving {
			d.start(i)
		}
		d.await(func(s wire.Status) bool {
			for _, n := range s.Nodes {
				if !n.Reachable || n.LastAnswer.IsZero() || n.Internode != d.opts[d.named(n.Name)].Internode {
					return false
				}
			}
			return s.Ready && len(s.Nodes) == 3 && len(s.Warnings) == 0
		})
		require.Contains(t, d.board(0), "In agreement")
	}
	d.enrol("screen", "tuen-mun/moved", 1) // what needs the district works
}

func answers(s wire.Status, name string) bool {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n.Reachable
		}
	}
	return false
}

func (d *district) named(name string) int {
	for i, o := range d.opts {
		if o.Name == name {
			return i
		}
	}
	d.t.Fatalf("no node is called %q", name)
	return 0
}

// board is the page of node i in English.
func (d *district) board(i int) string {
	d.t.Helper()
	answer, err := http.Get(d.nodes[i].API() + "/?lang=en")
	require.NoError(d.t, err)
	defer func() { require.NoError(d.t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(d.t, err)
	return string(body)
}
