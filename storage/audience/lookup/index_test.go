package lookup

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/geometry/geometrytest"
)

// fill plays a random history on an index and the model.
func fill(w audiencetest.World, steps int) (*Index, *model) {
	x, o := New(), newModel()
	for range steps {
		step(w, x, o)
	}
	return x, o
}

func step(w audiencetest.World, x *Index, o *model) {
	ord := uint32(w.IntN(200))
	switch w.IntN(10) {
	case 0, 1:
		x.Remove(ord)
		delete(o.members, ord)
	case 2:
		p := w.Place()
		x.PutPlace(p)
		o.places[p.Path] = p
	case 3:
		path := w.Path()
		x.RemovePlace(path)
		delete(o.places, path)
	case 4: // an id moves to another ordinal
		m := w.Member(ord)
		x.Put(ord+1, m)
		o.put(ord+1, m)
	default:
		m := w.Member(ord)
		x.Put(ord, m)
		o.put(ord, m)
	}
}

func ordinals(bm *roaring.Bitmap) []uint32 {
	if bm.IsEmpty() {
		return nil
	}
	return bm.ToArray()
}

func TestSelect_AgreesWithAskingEachMember(t *testing.T) {
	for seed := range uint64(20) {
		w := audiencetest.New(seed)
		x, o := fill(w, 400)
		for range 60 {
			s := audiencetest.MustParse(w.Selection(3))
			found, err := x.Select(s)
			require.NoError(t, err)
			require.Equal(t, o.selected(s), ordinals(found), "seed %d: %s", seed, s)
		}
	}
}

func TestResolve_AgreesWithAskingEachMember(t *testing.T) {
	for seed := range uint64(20) {
		w := audiencetest.New(seed)
		x, o := fill(w, 400)
		for range 60 {
			target := w.Target()
			want, nowhere := o.resolve(target)
			got, err := x.Resolve(target)
			require.NoError(t, err)
			require.Equal(t, want, ordinals(got.Members), "seed %d: %+v", seed, target)
			require.Equal(t, nowhere, got.Unlocated, "seed %d: %+v", seed, target)
			for ord := range uint32(202) {
				require.Equal(t, got.Members.Contains(ord), x.Matches(target, ord), "seed %d: %d in %+v", seed, ord, target)
			}
		}
	}
}

// sameAnswers compares all that can be asked of two indexes.
func sameAnswers(t *testing.T, w audiencetest.World, want, got *Index) {
	t.Helper()
	require.Equal(t, ordinals(want.Ordinals()), ordinals(got.Ordinals()))
	require.Equal(t, want.Places(), got.Places())
	require.Equal(t, want.Len(), got.Len())
	for range 30 {
		s, target := audiencetest.MustParse(w.Selection(2)), w.Target()
		a, _ := want.Select(s)
		b, _ := got.Select(s)
		require.Equal(t, ordinals(a), ordinals(b), s.String())
		require.Equal(t, want.Count(a, 2), got.Count(b, 2))
		c, _ := want.Resolve(target)
		d, _ := got.Resolve(target)
		require.Equal(t, ordinals(c.Members), ordinals(d.Members))
		require.Equal(t, c.Unlocated, d.Unlocated)
	}
}

func TestIndex_AfterAnyHistoryEqualsAFreshOne(t *testing.T) {
	for seed := range uint64(20) {
		w := audiencetest.New(seed)
		x, o := fill(w, 600)
		fresh := New()
		for ord, m := range o.members {
			fresh.Put(ord, m)
		}
		for _, p := range o.places {
			fresh.PutPlace(p)
		}
		sameAnswers(t, w, fresh, x)
		require.Len(t, x.tree.byPath, len(fresh.tree.byPath), "forgotten places are kept")
		require.Len(t, x.profiles.dims, len(fresh.profiles.dims), "empty dimensions are kept")
		require.Len(t, x.profiles.byKey, len(fresh.profiles.byKey))
		require.Equal(t, fresh.ids.used, x.ids.used)
		require.Len(t, x.shaped, len(fresh.shaped))
	}
}

func TestIndex_EmptiedKeepsNothing(t *testing.T) {
	w := audiencetest.New(7)
	x, _ := fill(w, 600)
	for ord := range uint32(300) {
		x.Remove(ord)
	}
	for _, p := range x.Places() {
		x.RemovePlace(p.Path)
	}
	require.Zero(t, x.Len())
	require.Empty(t, x.tree.byPath)
	require.Empty(t, x.tree.geocodes)
	require.Empty(t, x.tree.schemes)
	require.Empty(t, x.profiles.dims)
	require.True(t, x.grid.Empty())
	require.Empty(t, x.held.common)
	require.Empty(t, x.shaped)
	require.True(t, x.nowhere.Empty())
	require.Zero(t, x.ids.used+x.held.single.used)
	for _, n := range x.tree.nodes {
		require.True(t, n.in.Empty() && n.shaped.Empty() && n.under == nil)
	}
}

func TestIndex_FindsMembersByID(t *testing.T) {
	x, o := fill(audiencetest.New(3), 800)
	for ord, m := range o.members {
		found, ok := x.Ordinal(m.ID)
		require.True(t, ok)
		require.Equal(t, ord, found)
		id, ok := x.ID(ord)
		require.True(t, ok)
		require.Equal(t, m.ID, id)
	}
	_, ok := x.Ordinal("nobody")
	require.False(t, ok)
	_, ok = x.ID(1 << 31)
	require.False(t, ok)
}

func TestIndex_TakesAnyOrdinal(t *testing.T) {
	x := New()
	for _, ord := range []uint32{0, 1 << 20, 1<<32 - 1} {
		x.Put(ord, &audience.Member{ID: fmt.Sprint(ord), Kind: audience.KindScreen, Place: "a"})
	}
	found, err := x.Select(audiencetest.MustParse("kind = screen"))
	require.NoError(t, err)
	require.Equal(t, []uint32{0, 1 << 20, 1<<32 - 1}, found.ToArray())
}

func TestIndex_KeepsNothingOfTheCaller(t *testing.T) {
	x := New()
	m := &audience.Member{ID: "a", Kind: audience.KindScreen, Place: "a/b", Tags: []audience.Tag{{Name: "risk", Value: "high"}}}
	x.Put(1, m)
	p := audience.Place{Path: "a/b", Shape: []geometry.Polygon{geometrytest.Square(0, 0, 10)}, Location: &geometry.Point{Lat: 1, Lon: 1}}
	x.PutPlace(p)
	m.Tags[0].Value, p.Shape[0][0].Lat, p.Location.Lat = "low", 99, 99
	found, _ := x.Select(audiencetest.MustParse("risk = high"))
	require.Equal(t, []uint32{1}, ordinals(found))
	kept, ok := x.Place("a/b")
	require.True(t, ok)
	require.Equal(t, geometrytest.Square(0, 0, 10), kept.Shape[0])
	require.Equal(t, geometry.Point{Lat: 1, Lon: 1}, *kept.Location)
}

func TestIndex_GivesBitmapsAway(t *testing.T) {
	w := audiencetest.New(5)
	x, o := fill(w, 400)
	for _, expr := range []string{"all", "kind = screen", "not kind = screen", "kind = screen or has risk", "all and all", "place under a", "id = m-1"} {
		s := audiencetest.MustParse(expr)
		before := o.selected(s)
		found, _ := x.Select(s)
		found.AddRange(0, 5000)
		found, _ = x.Select(s)
		require.Equal(t, before, ordinals(found), expr)
	}
	x.Ordinals().Clear()
	require.Equal(t, len(o.members), x.Len())
	r, err := x.Resolve(audience.Target{Select: "all"})
	require.NoError(t, err)
	r.Members.Clear()
	require.Equal(t, len(o.members), x.Len())
}

func TestIndex_ServesReadersWhileItIsWritten(t *testing.T) {
	w := audiencetest.New(11)
	x, o := fill(w, 300)
	s, target := audiencetest.MustParse("not kind = screen and (has risk or place under a)"), w.Target()
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for range 100 {
				found, _ := x.Select(s)
				_, _ = x.Resolve(target)
				_ = x.Count(found, 2)
				_, _ = x.Ordinal("m-1")
				_ = x.Matches(target, 7)
			}
		})
	}
	for range 300 {
		step(w, x, o)
	}
	readers.Wait()
	found, _ := x.Select(s)
	require.Equal(t, o.selected(s), ordinals(found))
}

func TestIndex_MembersShareAnAddress(t *testing.T) {
	x := New()
	for ord := range uint32(3) {
		x.Put(ord, &audience.Member{ID: fmt.Sprintf("p%d", ord), Kind: audience.KindPerson, Place: "a", Endpoints: []audience.Endpoint{{Channel: "sms", Address: "+1"}, {Channel: "whatsapp", Address: "+1"}}})
	}
	reach := func() []uint32 {
		r, err := x.Resolve(audience.Target{Select: "all", Private: true, Addresses: []string{"+1"}})
		require.NoError(t, err)
		return ordinals(r.Members)
	}
	require.Equal(t, []uint32{0, 1, 2}, reach())
	x.Remove(0)
	x.Put(1, &audience.Member{ID: "p1", Kind: audience.KindPerson, Place: "a"})
	require.Equal(t, []uint32{2}, reach())
	x.Remove(2)
	require.Empty(t, reach())
}

func TestCount_AddsUp(t *testing.T) {
	for seed := range uint64(10) {
		w := audiencetest.New(seed)
		x, o := fill(w, 400)
		found, _ := x.Select(audiencetest.MustParse(w.Selection(1)))
		for depth := range 4 {
			kinds, places := map[string]uint64{}, map[string]uint64{}
			for _, ord := range found.ToArray() {
				kinds[string(o.members[ord].Kind)]++
				places[string(o.members[ord].Place.Cut(depth))]++
			}
			if depth == 0 {
				clear(places)
			}
			found.Add(1 << 30) // no member
			counts := x.Count(found, depth)
			found.Remove(1 << 30)
			require.Equal(t, found.GetCardinality(), counts.Total)
			requireCounts(t, kinds, counts.ByKind)
			requireCounts(t, places, counts.ByPlace)
			x.mu.RLock()
			tallied, compared := x.tallyPlaces(found, max(depth, 1)), x.tree.comparePlaces(found, max(depth, 1))
			x.mu.RUnlock()
			require.Equal(t, compared, tallied)
			require.Equal(t, compared, x.Count(found, max(depth, 1)).ByPlace)
		}
	}
}

// The plain bits that counts of the first level keep are made anew after a change.
func TestCount_FollowsChanges(t *testing.T) {
	x := New()
	for ord := range uint32(100) {
		x.Put(ord, &audience.Member{ID: fmt.Sprint(ord), Kind: audience.KindScreen, Place: "a/b"})
	}
	everybody := roaring.New()
	everybody.AddRange(0, 1000)
	count := func() []Count { return x.Count(everybody, 1).ByPlace }
	require.Equal(t, []Count{{"a", 100}}, count())
	x.Remove(7)
	require.Equal(t, []Count{{"a", 99}}, count())
	x.Put(100, &audience.Member{ID: "100", Kind: audience.KindScreen, Place: "a"})
	require.Equal(t, []Count{{"a", 100}}, count())
	x.Put(101, &audience.Member{ID: "101", Kind: audience.KindScreen, Place: "a/b/c"})
	require.Equal(t, []Count{{"a", 101}}, count())
}

func requireCounts(t *testing.T, want map[string]uint64, got []Count) {
	t.Helper()
	have := map[string]uint64{}
	for _, c := range got {
		have[c.Name] = c.N
	}
	require.Equal(t, want, have)
	require.True(t, slices.IsSortedFunc(got, func(a, b Count) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}))
}

func TestTable_SurvivesChurn(t *testing.T) {
	texts := map[uint32]string{}
	tab := newTable(func(ord uint32, text string) bool { return texts[ord] == text })
	w := audiencetest.New(1)
	for range 20_000 {
		ord := uint32(w.IntN(500))
		if text, ok := texts[ord]; ok {
			tab.remove(text, ord)
			delete(texts, ord)
		} else {
			texts[ord] = fmt.Sprint(ord)
			tab.insert(texts[ord], ord)
		}
	}
	require.Equal(t, len(texts), tab.used)
	for ord := range uint32(500) {
		found, ok := tab.find(fmt.Sprint(ord))
		_, there := texts[ord]
		require.Equal(t, there, ok)
		if ok {
			require.Equal(t, ord, found)
		}
	}
}

func TestSelect_RefusesTheZeroSelection(t *testing.T) {
	_, err := New().Select(audience.Selection{})
	require.ErrorIs(t, err, errNoSelection)
}
