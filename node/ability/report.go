package ability

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/why"
)

// fresh is how old a test may be to count: a night's, until the next night is through.
const fresh = 36 * time.Hour

// maxMissing is how many devices that have not passed are listed.
const maxMissing = 1000

// Ability implements service.Ability: how the devices at a place stand, or all where it is "". Every node
// is asked what it remembers and who is connected to it.
func (a *Asked) Ability(ctx context.Context, place string) (out able.Ability, err error) {
	known := remembered{results: map[string]Result{}, nights: map[string]Night{}}
	silent := a.each(ctx, func(string) question { return question{Do: askResults} }, func(_ string, got answer) { known.add(got) })
	out = able.Ability{
		Made: a.o.Clock().UTC(), Unanswered: silent, States: []able.Standing{}, Places: []able.AbilityPlace{}, Missing: []able.AbilityDevice{}, Nights: known.list(place),
	}
	if len(out.Nights) > 0 {
		out.Night = out.Nights[0].Night
	}
	states, blocks := map[string]uint64{}, map[string]*able.AbilityPlace{}
	err = a.eachDevice(ctx, func(d wire.Device) {
		if place != "" && !within(d.Place, []string{place}) {
			return
		}
		r, tested := known.results[d.ID]
		state := stateOf(d, r, tested, out.Made, len(silent) > 0)
		states[state]++
		path := blockOf(d.Place)
		if blocks[path] == nil {
			blocks[path] = &able.AbilityPlace{Place: path}
		}
		blocks[path].Add(state)
		if state == able.DevicePassed {
			return
		}
		out.Missing = append(out.Missing, able.AbilityDevice{Device: d.ID, Member: d.Member, Kind: d.Kind, Place: d.Place, Stands: state, Why: whyOf(state, r), Tested: r.At, Passed: r.Passed})
	})
	for _, path := range slices.Sorted(maps.Keys(blocks)) {
		out.Places = append(out.Places, *blocks[path])
		out.Devices, out.Passed = out.Devices+blocks[path].Devices, out.Passed+blocks[path].Passed
	}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		out.States = append(out.States, able.Standing{Name: state, Count: states[state]})
	}
	slices.SortStableFunc(out.Missing, func(a, b able.AbilityDevice) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Device, b.Device))
	})
	if len(out.Missing) > maxMissing {
		out.More = uint64(len(out.Missing) - maxMissing)
		out.Missing = out.Missing[:maxMissing]
	}
	return out, err
}

// stateOf is how a device stands. What is connected to no node could not be warned, whatever it came to in
// the night; of what a node that does not answer may know, nothing is said.
func stateOf(d wire.Device, r Result, tested bool, now time.Time, unsure bool) string {
	isFresh := tested && now.Sub(r.At) < fresh
	switch {
	case d.Connected == nil:
		return able.DeviceUnknown
	case !*d.Connected && r.Passed.IsZero() && unsure:
		return able.DeviceDark
	case !*d.Connected && r.Passed.IsZero():
		return able.DeviceNever
	case !*d.Connected:
		return able.DeviceDark
	case isFresh:
		return r.stands()
	case unsure:
		return able.DeviceUnknown
	}
	return able.DeviceUntested
}

func whyOf(state string, r Result) why.Sentence {
	switch state {
	case able.DeviceFailed, able.DeviceSilent, able.DeviceUnproven, able.DeviceBusy:
		return r.sentence()
	}
	return why.Sentence{}
}

// remembered is what all nodes that answered remember.
type remembered struct {
	results map[string]Result
	nights  map[string]Night
}

// add takes in what a node remembers: of a device that was tested at several, the last; of a night what
// passed at any of them.
func (k remembered) add(got answer) {
	for id, r := range got.Results {
		was, known := k.results[id]
		if passed := latest(was.Passed, r.Passed); known && was.At.After(r.At) {
			r = was
			r.Passed = passed
		} else {
			r.Passed = passed
		}
		k.results[id] = r
	}
	for _, n := range got.Nights {
		all, ok := k.nights[n.Night]
		if !ok {
			all = Night{Night: n.Night, Passed: map[string]uint64{}, Of: map[string]uint64{}}
			k.nights[n.Night] = all
		}
		for estate, count := range n.Passed {
			all.Passed[estate] += count
		}
		for estate, count := range n.Of {
			all.Of[estate] = max(all.Of[estate], count)
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// list is the nights, the newest first, with the estates at a place or above it.
func (k remembered) list(place string) []able.AbilityNight {
	out := []able.AbilityNight{}
	for _, night := range slices.Backward(slices.Sorted(maps.Keys(k.nights))) {
		if len(out) == maxNights {
			break
		}
		n := able.AbilityNight{Night: night, Places: []able.AbilityPlace{}}
		for _, estate := range slices.Sorted(maps.Keys(k.nights[night].Of)) {
			if place != "" && !within(estate, []string{place}) && !within(place, []string{estate}) {
				continue
			}
			of := k.nights[night].Of[estate]
			// A device that roamed may have passed at two nodes.
			n.Places = append(n.Places, able.AbilityPlace{Place: estate, Devices: of, Passed: min(k.nights[night].Passed[estate], of)})
		}
		out = append(out, n)
	}
	return out
}
