package held

import (
	"cmp"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// How much there may be. Every node has all members in memory: 300,000 took 224 MB, and 20,000 with thirty tags of their
// own 130 MB. In one estate is no more, by whoever is limited to places, than everybody else can bear. Who is limited
// to no place may bring more there, up to what a district has.
const (
	mostMembers  = 2_000_000 // as many as one file has
	mostInEstate = 50_000    // members
	mostDevices  = 10_000    // of an estate
	mostOfPlaces = 5_000     // of an estate, with details
)

// Added counts what would be new by the estate that it is in.
type Added map[audience.Path]int

func estateOf(p audience.Path) audience.Path { return p.Cut(audience.EstateDepth) }

// MembersFit refuses members of which there would be too many: so many more in all, and for who is limited to places in
// an estate.
func MembersFit(by authority.Caller, index *lookup.Index, added Added, more int) error {
	if more > 0 && index.Len()+more > mostMembers {
		return wire.Problemf(wire.KindOverBudget, "nothing was changed: the district would have more than %d members", mostMembers).Because(why.MembersMany, mostMembers)
	}
	if !inplaces.Holds(by, authority.ChangeAudience) && !inplaces.Holds(by, authority.ChangeDevices) {
		return nil
	}
	for estate, n := range added {
		if n > 0 && int(index.Under(estate).GetCardinality())+n > mostInEstate {
			return estateFull(why.EstateMembers, "members", estate, mostInEstate)
		}
	}
	return nil
}

// DevicesFit is MembersFit for devices that are to be enrolled, and for the members that are made for them.
func DevicesFit(t *storage.Txn, by authority.Caller, index *lookup.Index, in []wire.Enrol) error {
	devices, members, more := Added{}, Added{}, 0
	for _, e := range in {
		at, id := audience.Path(e.Place), cmp.Or(e.Member, e.ID)
		if _, known := index.Ordinal(id); known {
			place, err := placeOfMember(t, id)
			if err != nil {
				return err
			}
			at = audience.Path(place)
		} else {
			more++
			members[estateOf(at)]++
		}
		if _, live, err := placeOf(t, e.ID); err != nil {
			return err
		} else if !live {
			devices[estateOf(at)]++
		}
	}
	if err := MembersFit(by, index, members, more); err != nil || !inplaces.Holds(by, authority.ChangeDevices) {
		return err
	}
	if len(devices) == 0 {
		return nil
	}
	under := map[audience.Path]*roaring.Bitmap{}
	for estate := range devices {
		under[estate] = index.Under(estate)
	}
	if err := storage.Devices.Each(t, func(d storage.Device) error {
		if at, known := index.Ordinal(d.Member); known && !d.Revoked {
			for estate := range devices {
				if under[estate].Contains(at) {
					devices[estate]++
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for estate, n := range devices {
		if n > mostDevices {
			return estateFull(why.EstateDevices, "devices", estate, mostDevices)
		}
	}
	return nil
}

// PlacesFit is MembersFit for places that get details.
func PlacesFit(by authority.Caller, index *lookup.Index, in []audience.Place) error {
	if !inplaces.Holds(by, authority.ChangeAudience) {
		return nil
	}
	fresh, seen := Added{}, map[audience.Path]bool{}
	for _, p := range in {
		if _, known := index.Place(p.Path); !known && !seen[p.Path] {
			seen[p.Path] = true
			fresh[estateOf(p.Path)]++
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	for _, is := range index.Places() {
		if estate := estateOf(is.Path); fresh[estate] > 0 {
			fresh[estate]++
		}
	}
	for estate, n := range fresh {
		if n > mostOfPlaces {
			return estateFull(why.EstatePlaces, "places", estate, mostOfPlaces)
		}
	}
	return nil
}

func estateFull(reason why.Reason, what string, estate audience.Path, most int) error {
	return wire.Problemf(wire.KindOverBudget, "nothing was changed: %s would have more than %d %s, and who is limited to places brings no more there; somebody who is not may", estate, most, what).
		Because(reason, string(estate), most)
}
