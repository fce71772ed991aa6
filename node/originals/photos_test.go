package originals

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/storage/factbody"
)

// photographed lets a node have the photo of a report, and all know of it.
func (w *world) photographed(id, device string, raw []byte) factbody.Photo {
	w.t.Helper()
	done, err := w.keepers[id].TakePhoto(raw)
	require.NoError(w.t, err)
	sum := sha256.Sum256(raw)
	p := factbody.Photo{SHA256: sum[:], Size: int64(len(raw)), Width: 1, Height: 1}
	for _, k := range w.keepers {
		k.LearnPhoto(id, factbody.Report{Device: device, Taken: w.now.UnixMilli(), Photo: &p})
	}
	done()
	return p
}

func TestPhotos_AreFetchedFromWhereTheyWereTaken(t *testing.T) {
	w := newWorld(t, "a", "b")
	raw := message(30<<10, 'p')
	p := w.photographed("a", "phone-1", raw)
	require.NoError(t, w.keepers["b"].readListed())
	w.keepers["b"].fetchMissing(t.Context())
	require.True(t, w.keepers["b"].store.has(sha256.Sum256(raw)), "it is fetched before anybody asks")
	w.keepers["b"].sweep()
	got, err := w.keepers["b"].ReadPhoto(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, raw, got)

	w.broken = func(string, int, []byte) ([]byte, error) { return nil, errors.New("cut") }
	q := w.photographed("a", "phone-1", message(100, 'q'))
	_, err = w.keepers["b"].ReadPhoto(t.Context(), q)
	var problem *wire.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, wire.KindNotReady, problem.Kind)
	_, err = w.keepers["b"].ReadPhoto(t.Context(), factbody.Photo{SHA256: make([]byte, 32)})
	require.ErrorAs(t, err, &problem)
	require.Equal(t, wire.KindNotFound, problem.Kind)

	w.room = wire.Problemf(wire.KindBusy, "the disk is full")
	_, err = w.keepers["a"].TakePhoto(raw)
	require.ErrorIs(t, err, w.room)
}

// A device that sends photo after photo loses its own; messages and photos of others stay.
func TestPhotos_OfOneDeviceTakeNobodysRoom(t *testing.T) {
	w := newWorld(t, "a")
	k := w.keepers["a"]
	other := w.photographed("a", "phone-1", message(1000, 'o'))
	issue := w.put("a", message(5000, 'i'))
	for i := range 2 * MostOfReporter / (60 << 10) {
		w.now = w.now.Add(time.Second)
		w.photographed("a", "flood", message(60<<10, byte(i)))
	}
	k.sweep()
	var flood int64
	for _, o := range k.list.keep(w.now) {
		if o.Author == "flood" {
			flood += o.Size
		}
	}
	require.LessOrEqual(t, flood, int64(MostOfReporter))
	require.Greater(t, flood, int64(MostOfReporter-60<<10-1))
	_, err := k.ReadPhoto(t.Context(), other)
	require.NoError(t, err)
	require.Equal(t, wire.CopyHere, k.Copy(issue).Copy)
	all, own := k.list.protected("flood", w.now)
	require.EqualValues(t, 5000, all, "a photo is no part of what is protected")
	require.Zero(t, own)
	w.now = w.now.Add(KeptFor + time.Minute)
	for _, o := range k.list.keep(w.now) {
		require.False(t, o.Photo)
	}
}
