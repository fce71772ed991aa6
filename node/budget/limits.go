package budget

import "time"

// Class is what sort of user sends. A higher one has what a lower one has, and more.
type Class int

// The classes.
const (
	Person        Class = iota
	System              // a central system
	Administrator       // bounded by AdministratorAlerts alone
)

// share is how much is for persons' ordinary alerts, how much when central systems' are
// counted with them, and how much when the emergencies of both are: what is kept for the
// later ones is never used up by the earlier.
type share struct{ ordinary, system, emergency int }

func (s share) of(c Class, emergency bool) int {
	switch {
	case emergency:
		return s.emergency
	case c == System:
		return s.system
	}
	return s.ordinary
}

// The limits of one node. What counts is every alert that is in force, to come or waiting
// for approvals, and every end that devices still have to be told. A device remembers 4,096
// alerts (channels/device), and up to five parts of a district that cannot hear each other
// may each use their whole budget before they meet: 5 × (500 + 100) + 1,080 = 4,080.
var (
	// authorBlock is for one sender in one block (a place of depth 3). 40 warnings are more
	// than a lift screen can show in an hour.
	authorBlock = map[Class]share{Person: {40, 40, 50}, System: {100, 100, 120}}

	// authorDistrict is for one sender. A drill of 100 blocks takes 100; a weather service
	// keeps some 30 warnings up to date.
	authorDistrict = map[Class]share{Person: {128, 128, 160}, System: {200, 200, 256}}

	// block is for all in one block, district for all in the district.
	block    = share{120, 200, 300}
	district = share{256, 400, 500}

	// ended is how many of an author's ends count beside what is in force or to come: it can
	// cancel all and begin anew, but not for ever.
	ended = map[Class]int{Person: 64, System: 200}

	// authorUnknown is how many messages that nobody here has seen one sender may have
	// referenced at a time. Those of a message that was lost on the way are a handful.
	authorUnknown = map[Class]int{Person: 25, System: 50}
)

// Bytes of the records of what is in force, to come or waiting: a node holds some 2.1 bytes in
// memory for each. Of the real messages that we have the median has 4 KiB, one of ten 16 and one of
// a hundred 100; a record has 180 KiB at most (fact.MaxBody), and what is larger lies on the disk.
// All together are 64 MiB, 135 MB of memory; five parts of a district that meet, each with its
// whole budget, 5 × 40 + 24 MiB or 470 MB, still leave half of a box of 1 GB.
var (
	// authorBytes is for one sender: 128 alerts of 32 KiB, 200 warnings of 60.
	authorBytes = map[Class]share{Person: {4 << 20, 4 << 20, 6 << 20}, System: {12 << 20, 12 << 20, 16 << 20}}

	// districtBytes is for all in the district.
	districtBytes = share{16 << 20, 28 << 20, 40 << 20}
)

const (
	// shortBytes is what always finds room: more than an operator writes at night. 500 such
	// alerts are 4 MiB.
	shortBytes = 8 << 10

	// administratorBytes is for all administrators together.
	administratorBytes = 24 << 20

	// AdministratorAlerts is what administrators have in force or to come in all.
	AdministratorAlerts = 1080

	// districtUnknown is how many references to what was never seen count at a time.
	districtUnknown = 100

	// MaxReferences is how many messages one message may reference: the longest chain of
	// the real messages that we have names nine.
	MaxReferences = 100

	// maxBlocks is how many blocks are looked at one by one.
	maxBlocks = 32

	// maxMessages is how many messages one alert may have: three a minute for two hours and
	// a half. A Cancel is always taken.
	maxMessages = 500
)

// rate is a token bucket: burst at once, then one every pause.
type rate struct {
	burst int
	pause time.Duration
}

// The rates of one sender. Alerts are new ones; follow-ups are Updates of what is in force
// or to come, which replace. A Cancel of such an alert costs nothing.
var (
	newAlerts = map[Class]rate{Person: {120, time.Second}, System: {300, time.Second / 2}}
	followUps = map[Class]rate{Person: {120, time.Second / 2}, System: {600, time.Second / 10}}
)

// longestWait bounds Retry-After: a budget may be freed by a cancel long before it runs out.
const longestWait = time.Hour
