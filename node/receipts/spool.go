package receipts

import (
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/receipt"
)

// Spool is where receipts wait to be agreed on, as it is told by those who keep it. Its
// functions may be called from any goroutine.
type Spool struct {
	Bytes  func() (used, total int64)
	Blocks func() (waiting, most int)
	Oldest func() (at time.Time, any bool) // of what waits
}

// Usage is how full the spool is: by bytes, or by blocks where those are so small that
// their number ends it first. A trickle of receipts makes a block of each.
func (s Spool) Usage() (used, total int64) {
	used, total = s.Bytes()
	waiting, most := s.Blocks()
	return fuller(used, total, int64(waiting), int64(most)), total
}

// fuller is used, or as much of total as waiting is of most when that is more.
func fuller(used, total, waiting, most int64) int64 {
	return max(used, min(total, total*waiting/most))
}

// SpoolStatus is the spool as /api/v1/status shows it.
func (in *Intake) SpoolStatus() wire.Spool {
	used, total := in.spool.Usage()
	s := wire.Spool{Used: used, Total: total, GivenUp: map[string]int64{}}
	if at, any := in.spool.Oldest(); any {
		s.Oldest = at
	}
	for _, r := range givenUp {
		if lost := in.collector.pressure.lost(r); lost > 0 {
			s.GivenUp[r.String()] = lost
		}
	}
	return s
}

// GivenUp is how many receipts were given up since the start for want of room.
func (in *Intake) GivenUp() (count int64) {
	for _, r := range givenUp {
		count += in.collector.pressure.lost(r)
	}
	return count
}

// givenUp are the rungs that are given up.
var givenUp = []receipt.Rung{receipt.Queued, receipt.Sent, receipt.Delivered}

// Sentence warns while the spool holds more than half of what it can; else it is the zero value.
func (s Spool) Sentence() why.Sentence {
	used, total := s.Usage()
	switch {
	case 2*used < total || total == 0:
		return why.Sentence{}
	case 4*used < 3*total:
		return why.Sayf("the spool of receipts that are not agreed yet is more than half full; devices are acknowledged later").Because(why.SpoolHalf)
	case used < total:
		return why.Sayf("the spool of receipts that are not agreed yet is more than three quarters full; that alerts were sent and delivered is not kept any more, what devices say is").Because(why.SpoolMost)
	}
	return why.Sayf("the spool of receipts that are not agreed yet is full; devices keep their receipts until a majority of the nodes can be reached").Because(why.SpoolFull)
}
