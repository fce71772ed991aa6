package channels

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

func ended(id string, to *roaring.Bitmap) End {
	return End{Ended: contract.Ended{ID: id, Revision: 7, At: noon.Add(-time.Minute), Why: "cancelled", Expires: noon.Add(time.Hour)}, To: to}
}

// union is all that the pages list, in order.
func union(pages []contract.Manifest) (inForce, ended []string) {
	for _, m := range pages {
		for _, in := range m.InForce {
			inForce = append(inForce, in.ID)
		}
		for _, end := range m.Ended {
			ended = append(ended, end.ID)
		}
	}
	return inForce, ended
}

// A device that is away when an emergency is cancelled learns it from a manifest, or shows
// it until it expires; one that comes back during a fire shows it. So nothing is ever left
// out, however much there is.
func TestManifest_TooMuchForOneIsSentInPages(t *testing.T) {
	b := newBench(t)
	s := Situation{Ended: []End{ended("flood", nil)}}
	s.Ended[0].Known = true
	for i := range 1500 {
		s.Ended = append(s.Ended, ended(fmt.Sprintf("nothing-%04d", i), nil))
		s.InForce = append(s.InForce, item(fmt.Sprintf("drill-%04d", i), alert.StatusExercise, nil, info("en", "Severe", time.Hour)))
	}
	fire := item("fire", alert.StatusActual, nil, info("en", "Extreme", time.Hour))
	s.InForce = append(s.InForce, fire)
	require.NoError(t, b.Set(s))
	pages := b.pages(t, b.out.last(t).Of(0))
	require.Greater(t, len(pages), 5)
	inForce, over := union(pages)
	require.Len(t, inForce, 1501)
	require.Len(t, over, 1501)
	require.Equal(t, string(fire.Alert), inForce[0], "the gravest first")
	require.Equal(t, "flood", over[0], "ends of what is known before ends of what nobody has seen")
	require.Empty(t, pages[0].Ended)
	for _, page := range b.out.last(t).Of(0).Pages[:len(pages)-1] {
		require.Greater(t, len(page), MaxBody*9/10, "pages are full")
	}
}

func TestManifest_EachPlaceIsToldWhatConcernsIt(t *testing.T) {
	b := newBench(t)
	places := NewPlaces([]*roaring.Bitmap{to(1, 2), to(3, 4), to(5, 6)})
	here := item("here", alert.StatusActual, []Part{{Infos: []int{0}, To: to(1)}}, info("en", "Severe", time.Hour))
	here.Concerns = to(1)
	moved := item("moved", alert.StatusActual, []Part{{Infos: []int{0}, To: to(3)}}, info("en", "Severe", time.Hour))
	moved.Concerns = to(5) // an earlier revision addressed them
	all := item("all", alert.StatusActual, nil, info("en", "Severe", time.Hour))
	nobody := item("nobody", alert.StatusActual, nil, info("en", "Severe", time.Hour))
	nobody.Concerns = to()
	require.NoError(t, b.Set(Situation{
		Places: places, InForce: []Item{here, moved, all, nobody},
		Ended: []End{ended("end-2", to(2)), ended("end-9", to(9)), ended("end-none", to()), ended("end-all", nil)},
	}))
	now := b.out.last(t)
	for member, want := range map[uint32][]string{
		1: {"here", "all", "end-2", "end-all"}, 2: {"here", "all", "end-2", "end-all"}, 3: {"moved", "all", "end-all"},
		6: {"moved", "all", "end-all"}, 9: {"all", "end-9", "end-all"}, 1 << 20: {"all", "end-9", "end-all"},
	} {
		inForce, over := union(b.pages(t, now.Of(places.Of(member))))
		var got []string
		for _, it := range []Item{here, moved, all, nobody} {
			for _, id := range inForce {
				if id == string(it.Alert) {
					got = append(got, it.Message.Identifier)
				}
			}
		}
		require.ElementsMatch(t, want, append(got, over...), "member %d", member)
	}
}

func TestManifest_PlacesThatAreToldTheSameShareOne(t *testing.T) {
	b := newBench(t)
	s := Situation{Places: NewPlaces([]*roaring.Bitmap{to(1), to(2), to(3)})}
	fire := item("fire", alert.StatusActual, nil, info("en", "Severe", time.Hour))
	fire.Concerns = to(1, 2)
	s.InForce = []Item{fire}
	require.NoError(t, b.Set(s))
	first := b.out.last(t)
	require.Same(t, first.Of(1), first.Of(2))
	require.Same(t, first.Of(0), first.Of(3))
	require.NotSame(t, first.Of(1), first.Of(3))

	s.Ended = []End{ended("flood", to(3))}
	require.NoError(t, b.Set(s))
	second := b.out.last(t)
	require.Same(t, first.Of(1), second.Of(1), "whoever is told nothing new keeps the manifest")
	require.NotSame(t, first.Of(3), second.Of(3))
	b.time = noon.Add(ManifestEvery)
	b.refresh()
	require.NotSame(t, first.Of(1), b.out.last(t).Of(1), "until it is time for the next")

	s.Places = NewPlaces([]*roaring.Bitmap{to(1), to(2, 3)})
	third := b.out.last(t)
	require.NoError(t, b.Set(s))
	for group := range s.Places.Len() {
		version := b.pages(t, b.out.last(t).Of(group))[0].Version
		require.Greater(t, version, b.pages(t, third.Of(1))[0].Version, "who has moved must not take it for an old one")
	}
}

func TestManifest_SharedTopicsListTheWholeDistrict(t *testing.T) {
	b := newBench(t)
	b.options.Shared = true
	fire := item("fire", alert.StatusActual, nil, info("en", "Severe", time.Hour))
	fire.Concerns = to(1)
	s := Situation{Places: NewPlaces([]*roaring.Bitmap{to(1), to(2)}), InForce: []Item{fire}, Ended: []End{ended("flood", to(2)), ended("x", to())}}
	require.NoError(t, b.Set(s))
	inForce, over := union(b.pages(t, b.out.last(t).Shared()))
	require.Equal(t, []string{string(fire.Alert)}, inForce)
	require.Equal(t, []string{"flood"}, over)
	require.Len(t, b.out.last(t).Listings, 3)
}

func TestManifest_BodiesDoNotWaitForTheSigningOfMany(t *testing.T) {
	b := newBench(t)
	var groups []*roaring.Bitmap
	for i := range uint32(100) {
		groups = append(groups, to(i+1))
	}
	s := Situation{Places: NewPlaces(groups)}
	for i := range uint32(100) {
		it := item(fmt.Sprint("notice-", i), alert.StatusActual, nil, info("en", "Minor", time.Hour))
		it.Concerns = groups[i]
		s.InForce = append(s.InForce, it)
	}
	require.NoError(t, b.Set(s))
	before := len(b.out.all())
	fire := item("fire", alert.StatusActual, []Part{{Infos: []int{0}, To: roaring.FastOr(groups...)}}, info("en", "Extreme", time.Hour))
	s.InForce = append(s.InForce, fire)
	require.NoError(t, b.Set(s))
	given := b.out.all()[before:]
	require.Len(t, given, 2)
	require.Len(t, given[0].Active, 1)
	require.Same(t, b.out.all()[before-1].Of(7), given[0].Of(7), "with the manifest that was there")
	inForce, _ := union(b.pages(t, given[1].Of(7)))
	require.Contains(t, inForce, string(fire.Alert))
}

const listingSeeds = 40

// Whatever is set is listed for everybody whom it concerns, in pages that fit, and its body
// is among what the member's session looks at. Nothing is left out.
func TestSituation_NothingIsEverLeftOut(t *testing.T) {
	for seed := range uint64(listingSeeds) {
		random := rand.New(rand.NewPCG(seed, 11))
		b := newBench(t)
		b.options.MaxPage = []int{MaxBody, 6_000, 20_000}[random.IntN(3)]
		members := uint32(1 + random.IntN(60))
		some := func() *roaring.Bitmap {
			bm := roaring.New()
			for range random.IntN([]int{1, 3, int(members) + 1}[random.IntN(3)]) + random.IntN(2) {
				bm.Add(uint32(random.IntN(int(members))))
			}
			return bm
		}
		for range 3 { // each situation takes over from the one before
			s := Situation{Places: randomPlaces(random, members)}
			for i := range random.IntN([]int{5, 50, 600}[random.IntN(3)]) {
				severity := []string{"Extreme", "Minor"}[random.IntN(2)]
				it := item(fmt.Sprint("a", i), alert.StatusActual, []Part{{Infos: []int{0}, To: some()}}, info("en", severity, time.Hour))
				if it.Concerns = some(); random.IntN(5) == 0 {
					it.Concerns = nil
				}
				s.InForce = append(s.InForce, it)
			}
			for i := range random.IntN([]int{5, 50, 600}[random.IntN(3)]) {
				end := ended(fmt.Sprint("e", i), some())
				if random.IntN(5) == 0 {
					end.To = nil
				}
				end.Known = random.IntN(2) == 0
				s.Ended = append(s.Ended, end)
			}
			require.NoError(t, b.Set(s))
			if fault := b.leftOut(t, s, members); fault != "" {
				t.Fatalf("seed %d of %d: %s", seed, listingSeeds, fault)
			}
			b.time = b.time.Add(time.Duration(random.IntN(5)) * time.Second)
		}
	}
}

func randomPlaces(random *rand.Rand, members uint32) *Places {
	if random.IntN(6) == 0 {
		return nil
	}
	groups := make([]*roaring.Bitmap, 1+random.IntN(20))
	for i := range groups {
		groups[i] = roaring.New()
	}
	for m := range members {
		if random.IntN(10) > 0 {
			groups[random.IntN(len(groups))].Add(m)
		}
	}
	return NewPlaces(groups)
}

// leftOut says what some member of the situation is not told, and what is told out of order.
func (b *bench) leftOut(t *testing.T, s Situation, members uint32) string {
	now := b.out.last(t)
	listed := make([]map[string]bool, s.Places.Len())
	for group := range listed {
		inForce, over := union(b.pages(t, now.Of(group)))
		listed[group] = map[string]bool{}
		for _, id := range append(inForce, over...) {
			listed[group][id] = true
		}
	}
	for member := range members {
		group := s.Places.Of(member)
		for _, it := range s.InForce {
			addressed := it.Parts[0].To.Contains(member)
			if (addressed || it.Concerns == nil || it.Concerns.Contains(member)) && !listed[group][string(it.Alert)] {
				return fmt.Sprintf("member %d is not told that %s is in force", member, it.Message.Identifier)
			}
			if addressed && !looksAt(now, group, it.Alert) {
				return fmt.Sprintf("member %d does not get the body of %s", member, it.Message.Identifier)
			}
		}
		for _, end := range s.Ended {
			if (end.To == nil || end.To.Contains(member)) && !listed[group][end.ID] {
				return fmt.Sprintf("member %d is not told that %s has ended", member, end.ID)
			}
		}
	}
	return ""
}

func looksAt(now *Now, group int, id alert.ID) bool {
	for _, d := range now.Active {
		if d.Alert != id {
			continue
		}
		for _, g := range d.Groups {
			if int(g) == group {
				return true
			}
		}
	}
	return false
}

// BenchmarkSet_ManyInForce is one more alert where so many are in force, each for one of
// 200 places of 50 members, in a dispatcher that signs a manifest for each place.
func BenchmarkSet_ManyInForce(b *testing.B) {
	for _, count := range []int{1, 100, 1000, 3000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			d, err := NewDispatcher(Options{Signer: testSigner(), Node: "n1", Clock: func() time.Time { return noon }})
			require.NoError(b, err)
			var groups []*roaring.Bitmap
			for i := range uint32(200) {
				group := roaring.New()
				group.AddRange(uint64(50*i), uint64(50*i+50))
				groups = append(groups, group)
			}
			s := Situation{Places: NewPlaces(groups)}
			add := func(i int) {
				it := item(strings.Repeat("x", 3)+fmt.Sprint(i), alert.StatusActual,
					[]Part{{Infos: []int{0}, To: groups[i%200]}}, info("en", "Severe", time.Hour))
				it.Concerns = groups[i%200]
				s.InForce = append(s.InForce, it)
			}
			for i := range count {
				add(i)
			}
			require.NoError(b, d.Set(s))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.InForce = s.InForce[:count:count]
				add(count + i)
				if err := d.Set(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
