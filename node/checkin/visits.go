package checkin

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"

	"almenara/storage/alert/visited"
)

// Stay is how long somebody is taken to be at a place after the hour in which they checked in began: nobody checks out,
// and to be told once too often does less harm than not to be told.
const Stay = 3 * time.Hour

// MostVisits is how many visits a phone keeps; the oldest go first. They fit into one cookie.
const MostVisits = 200

// A text of visits has a byte of its version, and 12 bytes for each: place and hour.
const (
	visitsVersion = 1
	visitBytes    = placeBytes + 4
	mostText      = 4096 // characters that are looked at
)

// Visit is where a phone checked in, and when. It names nobody.
type Visit struct {
	Place [placeBytes]byte
	Hour  uint32 // since 1970
}

func hourOf(t time.Time) uint32 { return uint32(t.Unix() / 3600) }

func (v Visit) time() time.Time { return time.Unix(int64(v.Hour)*3600, 0) }

// Visits are those of one phone, the oldest first, each once.
type Visits []Visit

// ReadVisits reads what phones keep, whoever wrote it: what is of the future or older than phones keep it is left out,
// and of what is more than MostVisits the newest. What cannot be read is no visit.
func ReadVisits(now time.Time, texts ...string) (all Visits) {
	for _, text := range texts {
		b, err := base64.RawURLEncoding.DecodeString(text[:min(len(text), mostText+1)])
		if err != nil || len(text) > mostText || len(b) == 0 || b[0] != visitsVersion || len(b[1:])%visitBytes != 0 {
			continue
		}
		for one := range slices.Chunk(b[1:], visitBytes) {
			all = append(all, Visit{[placeBytes]byte(one), binary.BigEndian.Uint32(one[placeBytes:])})
		}
	}
	return all.kept(now)
}

// kept are those that a phone keeps at a time.
func (all Visits) kept(now time.Time) Visits {
	newest, oldest := hourOf(now.Add(2*time.Minute)), hourOf(now.Add(-visited.Kept)) // another node's clock may be ahead
	out := slices.DeleteFunc(slices.Clone(all), func(v Visit) bool { return v.Hour > newest || v.Hour < oldest })
	slices.SortFunc(out, func(a, b Visit) int {
		return cmp.Or(cmp.Compare(a.Hour, b.Hour), slices.Compare(a.Place[:], b.Place[:]))
	})
	out = slices.Compact(out)
	return out[max(0, len(out)-MostVisits):]
}

func (all Visits) with(v Visit, now time.Time) Visits {
	return append(slices.Clone(all), v).kept(now)
}

// String is the text that a phone keeps.
func (all Visits) String() string {
	b := make([]byte, 0, 1+len(all)*visitBytes)
	b = append(b, visitsVersion)
	for _, v := range all {
		b = append(b, v.Place[:]...)
		b = binary.BigEndian.AppendUint32(b, v.Hour)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
