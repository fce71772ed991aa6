package memory

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
)

// owner is a model of one node's log on a disk: entries up to last are durable, those up
// to committed are never cut off.
type owner struct {
	run                   int
	start                 start
	last, committed, term uint64
}

func (o *owner) restart() {
	o.run++
	o.start = start{Run: fmt.Sprint("run ", o.run), Position: Position{Index: o.last, Term: o.term}}
}

func (o *owner) claim() claim {
	return claim{Start: o.start, Now: Position{Index: min(o.last, o.committed), Term: o.term}}
}

// watcher is a model of one peer: its book, and the file that an earlier moment left.
type watcher struct {
	book book
	file map[string]marks
}

func (w *watcher) restart() {
	w.book = book{}
	w.book.init()
	maps.Copy(w.book.told, w.file)
}

// A healthy node appends, loses tails that were not committed, restarts; what it said
// comes late and in any order; its peers restart with files of any age, or without. None
// ever refuses it, nor does it find itself short. At the end its disk is put back to
// before what a peer heard of it: that peer refuses it, whatever the order was.
func TestHeld_AHealthyNodeIsNeverRefusedAndALostLogIs(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		o := &owner{}
		o.restart()
		peers := []*watcher{{}, {}}
		for _, w := range peers {
			w.restart()
		}
		var under []claim // way
		for step := range 300 {
			w := peers[r.IntN(2)]
			switch r.IntN(12) {
			case 0, 1:
				o.last += uint64(r.IntN(5))
			case 2:
				o.committed = o.last
			case 3: // another leader's entries take the place of ours
				o.last -= uint64(r.IntN(int(o.last-o.committed) + 1))
				o.term++
			case 4:
				if r.IntN(3) == 0 {
					o.restart()
				}
			case 5, 6, 7:
				under = append(under, o.claim())
			case 8, 9:
				if len(under) > 0 {
					w.book.hear("o", under[r.IntN(len(under))])
				}
			case 10:
				w.file = maps.Clone(w.book.told)
			case 11:
				if r.IntN(3) == 0 {
					w.restart()
				}
			}
			for _, w := range peers {
				require.False(t, w.book.refuse("o", o.start), "seed %d, step %d: %+v of %+v", seed, step, o, w.book.told)
				marks := w.book.of("o")
				require.False(t, o.start.short(marks.but(o.start.Run)), "seed %d, step %d", seed, step)
				require.False(t, o.claim().Now.short(marks.by(o.start.Run)), "seed %d, step %d", seed, step)
			}
		}
		w := peers[0]
		o.last, o.committed, o.term = o.last+9, o.last+9, o.term+1
		w.book.hear("o", o.claim())
		w.file = maps.Clone(w.book.told)
		switch seed % 3 {
		case 0:
			o.last, o.committed, o.term = 0, 0, 0
		case 1:
			o.last, o.committed = o.last-1, o.committed-1
		case 2:
			o.term--
		}
		o.restart()
		w.book.hear("o", o.claim())
		require.True(t, w.book.refuse("o", o.start), "seed %d", seed)
		require.True(t, w.book.behind("o"))
		o.committed, o.last = o.committed+100, o.last+100 // from a peer that knew nothing
		w.book.hear("o", o.claim())
		require.True(t, w.book.refuse("o", o.start), "seed %d: what such a run says counts", seed)
		w.restart()
		require.True(t, w.book.refuse("o", o.start), "seed %d: after a restart of the peer", seed)
	}
}

// A stale copy of a node that goes on by itself, alone or with a peer that knows nothing,
// is refused, and what it says takes nothing from the node that is whole.
func TestHeld_ACopyDoesNotAccuseTheNode(t *testing.T) {
	var b book
	b.init()
	whole := start{Run: "whole", Position: Position{Index: 4, Term: 1}}
	stale := start{Run: "copy", Position: Position{Index: 4, Term: 1}}
	b.hear("a", claim{Start: whole, Now: Position{Index: 9, Term: 1}})
	b.hear("a", claim{Start: stale, Now: Position{Index: 900, Term: 30}})
	require.True(t, b.behind("a"))
	require.False(t, b.refuse("a", whole))
	b.hear("a", claim{Start: whole, Now: Position{Index: 10, Term: 1}})
	require.False(t, b.behind("a"))
	require.True(t, b.refuse("a", stale))
}

func TestHeld_ForgetsWhoIsNoMember(t *testing.T) {
	var b book
	b.init()
	for _, id := range []string{"a", "b"} {
		b.hear(id, claim{Start: start{Run: "1"}, Now: Position{Index: 7}})
	}
	b.keep(nil)
	require.Len(t, b.told, 2)
	b.keep([]raft.Server{{ID: "b"}})
	require.False(t, b.lost("a", start{Run: "2"}))
	require.True(t, b.lost("b", start{Run: "2"}))
	require.False(t, b.lost("b", start{}), "older software claims nothing")
}

func TestHeldFile_IsReadWholeOrNotAtAll(t *testing.T) {
	told := map[string]marks{"a": {Index: mark{"x", 70}, Term: mark{"y", 3}}}
	raw, err := encodeHeld(told)
	require.NoError(t, err)
	got, err := decodeHeld(raw)
	require.NoError(t, err)
	require.Equal(t, told, got)
	for i := range raw {
		rotten := append([]byte(nil), raw...)
		rotten[i] ^= 4
		_, err := decodeHeld(rotten)
		require.ErrorIs(t, err, errHeldFile, "byte %d", i)
		_, err = decodeHeld(raw[:i])
		require.Error(t, err)
	}
}

func TestIdentity_SaysWhatItsRunBeganWith(t *testing.T) {
	d, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := identity.New(d, []string{"a.example:1"})
	require.NoError(t, err)
	require.Zero(t, certificateStart(id.Cert))
	addrs, start := []string{"a.example:1"}, start{Run: identity.NewID(), Position: Position{Index: 1 << 60, Term: 9}}
	longest := id.Cert.NotAfter.Add(time.Hour)
	replaced := *id.Cert
	replaced.NotAfter = longest
	id.Cert = &replaced
	fresh, err := id.Renewed(time.Now(), addrs, start.uri())
	require.NoError(t, err)
	require.Equal(t, start, certificateStart(fresh.Cert))
	name, err := identity.CertificateID([]*x509.Certificate{fresh.Cert})
	require.NoError(t, err)
	require.Equal(t, id.NodeID, name)
	require.Equal(t, longest, fresh.Cert.NotAfter, "a lost clock shortens nothing")
	same, err := fresh.Renewed(time.Now(), addrs, start.uri())
	require.NoError(t, err)
	require.Same(t, fresh, same)
	late, err := fresh.Renewed(fresh.Cert.NotAfter.Add(-time.Hour), addrs, start.uri())
	require.NoError(t, err)
	require.NotEqual(t, fresh.Cert.SerialNumber, late.Cert.SerialNumber)
	require.Equal(t, start, certificateStart(late.Cert), "renewed, and the same run")
}

func FuzzHeldHeaders(f *testing.F) {
	for _, seed := range []any{
		claim{Start: start{Run: "x", Position: Position{Index: 5, Term: 2}}, Now: Position{Index: 7, Term: 2}},
		marks{Index: mark{"x", 7}},
	} {
		b, err := json.Marshal(seed)
		require.NoError(f, err)
		f.Add(string(b))
	}
	f.Add("null")
	f.Fuzz(func(t *testing.T, text string) {
		h := http.Header{heldHeader: {text}, knownHeader: {text}}
		claim, marks := decodeHeader[claim](h, heldHeader), decodeHeader[marks](h, knownHeader)
		var b book
		b.init()
		b.hear("a", claim)
		b.told["a"] = marks
		b.hear("a", claim)
		_, _ = b.refuse("a", claim.Start), marks.by(claim.Start.Run)
		raw, err := encodeHeld(b.told)
		require.NoError(t, err)
		again, err := decodeHeld(raw)
		require.NoError(t, err)
		require.Equal(t, b.told, again)
	})
}
