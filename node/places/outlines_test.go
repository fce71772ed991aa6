package places

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/node/wire/why"
)

// comb is an outline with teeth, each as slanted as it is high.
func comb(teeth int, slant float64) string {
	var text []string
	add := func(lat, lon float64) { text = append(text, fmt.Sprintf("%.6f,%.6f", lat, lon)) }
	for i := range teeth {
		at := 113.9 + 0.00002*float64(i)
		add(22.3, at)
		add(22.4, at+slant)
		add(22.4, at+slant+0.000005)
		add(22.3, at+0.000005)
	}
	add(22.2999, 113.9+0.00002*float64(teeth))
	add(22.2999, 113.9)
	add(22.3, 113.9)
	return strings.Join(text, " ")
}

// Whoever manages one estate cannot draw outlines that keep every node busy with each alert, or full.
func TestAttack_OutlinesAreBounded(t *testing.T) {
	r := newRig(t)
	put := func(all ...wire.Place) error { return r.PutPlaces(t.Context(), amy, all, false) }
	outline := func(path string, teeth int, slant float64) wire.Place {
		return wire.Place{Path: path, Shape: []string{comb(teeth, slant)}}
	}
	before := r.log.Index()
	for says, place := range map[string]wire.Place{"lie across each other": outline("d/e", 300, 0.1), "at most 8000 are allowed": outline("d/e", 2200, 0)} {
		for _, err := range []error{put(place), func() error {
			_, err := r.change(places.ChangePlace{Path: "d/e", Version: r.show("d/e").Version, Place: &place})
			return err
		}()} {
			problem := refused(t, wire.KindRefused, err)
			require.Equal(t, why.PlaceUnfit, problem.Why.Reason)
			require.Contains(t, problem.Sentence, says)
		}
	}
	require.Contains(t, refused(t, wire.KindRefused, put(outline("d/e", 1900, 0), outline("d/e/b1", 1900, 0), outline("d/e/b2", 1900, 0))).Sentence, "of d/e and what is in it have more than 20000 points")
	require.Equal(t, before, r.log.Index(), "nothing was put")

	require.NoError(t, put(outline("d/e", 1900, 0), outline("d/e/b1", 1900, 0)))
	_, err := r.change(places.ChangePlace{Path: "d/e/b2", Version: r.show("d/e/b2").Version, Place: &wire.Place{Path: "d/e/b2", Shape: []string{comb(1900, 0)}}})
	require.Contains(t, refused(t, wire.KindRefused, err).Sentence, "more than 20000 points")
	require.NoError(t, put(outline("d/f", 1900, 0)), "another estate has room of its own")
	require.NoError(t, put(outline("d/e", 1900, 0)), "what is there may be put again")
	require.NoError(t, put(wire.Place{Path: "d/e"}))
	require.NoError(t, put(outline("d/e/b2", 1900, 0)), "and what was taken away gives room")
}
