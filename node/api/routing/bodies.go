package routing

import (
	"math"

	"almenara/node/inflight"
)

// largeBody is from where on, in bytes, a body takes one of a few places: an alert of a few
// lines with the outlines of a district stays below.
const largeBody = 256 << 10

// Bounds of requests that cost memory or disk for as long as they are open. A body is held in
// memory until it is answered, however slowly it comes. Whoever fills his own share leaves the others
// theirs, and persons leave central systems and administrators theirs.
var (
	changesOpen = inflight.Bounds{Each: 64, All: math.MaxInt} // requests that change something
	largeOpen   = inflight.Bounds{Each: 4, All: 16, Kept: 4}  // of them with more than largeBody: 64 MiB of the largest CAP messages
)

// bodies bounds what requests with bodies take of a node. Safe for concurrent use.
type bodies struct {
	changes, large *inflight.Open
	work           *inflight.Work
}

func newBodies() *bodies {
	return &bodies{
		changes: inflight.NewOpen("requests that change something", changesOpen),
		large:   inflight.NewOpen("requests with large bodies", largeOpen),
		work:    inflight.NewWork(),
	}
}

// open counts a request before its body is read, or says in one sentence that there are enough,
// or that its dry run is one too many. done gives its places back.
func (b *bodies) open(c Call, asks bool) (done func(), err error) {
	user := c.By.Name
	if c.Route.MaxBody == 0 {
		return func() {}, nil
	}
	if asks && c.Route.warns() {
		if err := b.work.Admit(user); err != nil {
			return nil, err
		}
	}
	if err := b.changes.Take(user, false); err != nil {
		return nil, err
	}
	if c.Route.MaxBody <= largeBody || c.R.ContentLength >= 0 && c.R.ContentLength <= largeBody {
		return func() { b.changes.Give(user) }, nil
	}
	if err := b.large.Take(user, privileged(c.By)); err != nil {
		b.changes.Give(user)
		return nil, err
	}
	return func() { b.large.Give(user); b.changes.Give(user) }, nil
}
