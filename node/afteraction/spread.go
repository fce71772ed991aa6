package afteraction

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire"
)

// stepsMost is how many steps a curve has at most.
const stepsMost = 60

// spread is when these members told it, and the steps by which their number grew.
func spread(of *roaring.Bitmap, moments map[uint32]moment) (out wire.Spread, curve []wire.CurvePoint) {
	out.Of = of.GetCardinality()
	times := make([]time.Time, 0, min(uint64(len(moments)), out.Of))
	add := func(m moment) {
		times = append(times, m.at)
		if m.node {
			out.NodeClock++
		}
	}
	if uint64(len(moments)) < out.Of {
		for member, m := range moments {
			if of.Contains(member) {
				add(m)
			}
		}
	} else {
		for it := of.Iterator(); it.HasNext(); {
			if m, ok := moments[it.Next()]; ok {
				add(m)
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	if out.Count = uint64(len(times)); out.Count == 0 {
		return out, []wire.CurvePoint{}
	}
	share := func(percent uint64) (at time.Time) {
		if need := (out.Of*percent + 99) / 100; need > 0 && need <= out.Count {
			at = times[need-1]
		}
		return at
	}
	out.First, out.Last = times[0], times[len(times)-1]
	out.Half, out.Ninety, out.NinetyFive = share(50), share(90), share(95)
	return out, steps(times)
}

// steps are the times, in order, as a curve.
func steps(times []time.Time) []wire.CurvePoint {
	curve := []wire.CurvePoint{}
	for i := range min(stepsMost, len(times)) {
		n := (i + 1) * len(times) / min(stepsMost, len(times))
		if last := len(curve) - 1; last >= 0 && curve[last].At.Equal(times[n-1]) {
			curve[last].Count = uint64(n)
			continue
		}
		curve = append(curve, wire.CurvePoint{At: times[n-1], Count: uint64(n)})
	}
	return curve
}
