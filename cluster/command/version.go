package command

import (
	"fmt"
	"strconv"
)

// Newest is the newest version of an entry that this code knows. Any change of a
// payload, also an added field, and every new kind of fact needs a new one: an old
// node that skipped what it does not know would differ from its peers from then on.
//
//	1  the first
//	2  approvals and spells of being alone as facts; scenarios, licences, policy;
//	   places of a user
const Newest = 2

// limit lowers Max for a drill of a rolling upgrade, at link time only:
// -ldflags "-X almenara/cluster/command.limit=1" makes a build that speaks version 1.
var limit string

// Max is the highest version that this build reads and writes: Newest, but for drills.
func Max() uint64 {
	if n, err := strconv.ParseUint(limit, 10, 64); err == nil && n >= 1 && n <= Newest {
		return n
	}
	return Newest
}

// grown is a payload of an older version that has grown since: version is the lowest
// version that can carry what is in it.
type grown interface{ version() uint64 }

// VersionOf is the lowest version that can carry the payload: what Encode writes, so
// that nodes which were not upgraded yet can read whatever concerns them. It is over
// Newest for what this code does not know, a fact of a newer kind.
func VersionOf(p Payload) uint64 {
	version := types[p.Type()].since
	if g, ok := p.(grown); ok {
		version = max(version, g.version())
	}
	return version
}

// EntryVersion is the version of an encoded entry; 1 for what is no entry at all.
func EntryVersion(b []byte) uint64 {
	var probe struct {
		Version uint64 `cbor:"1,keyasint"`
	}
	if lenient.Unmarshal(b, &probe) != nil {
		return 1
	}
	return max(probe.Version, 1)
}

// writable is the version to write, unless this build does not speak it.
func writable(p Payload) (uint64, error) {
	version := VersionOf(p)
	if version > Max() {
		return 0, fmt.Errorf("%w: %s needs version %d", ErrUnknownVersion, p.Type(), version)
	}
	return version, nil
}

// known reports whether this build reads entries of the version and type.
func known(t Type, version uint64) bool {
	k, ok := types[t]
	return ok && version <= Max() && k.since <= version
}

// tooNew refuses what the entry's own version does not have: software of that version
// stops there, and so must everybody. Facts are no part of it: whoever adopts a fact
// of a kind that the entry's version does not know records it without effect.
func tooNew(p Payload, version uint64) error {
	if _, facts := p.(*AdoptFacts); facts || VersionOf(p) <= version {
		return nil
	}
	return fmt.Errorf("%w: %s with fields of version %d in version %d", ErrUnknownVersion, p.Type(), VersionOf(p), version)
}

// version is that of the newest kind among the facts.
func (p *AdoptFacts) version() uint64 {
	version := uint64(1)
	for _, f := range p.Facts {
		since := f.Kind().Since()
		if since == 0 {
			since = Newest + 1
		}
		version = max(version, since)
	}
	return version
}

// version is 2 for a user of some places.
func (p *PutUser) version() uint64 {
	if len(p.User.Places) > 0 {
		return 2
	}
	return 1
}
